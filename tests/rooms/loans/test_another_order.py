"""A rail that has another order under our key: it is kept, alarmed, found by the proof, and never booked."""

import dataclasses
import json

import psycopg
import pytest
import structlog
from rail_orders import BEGIN, DONE, READY, SIGN

from grainline.entry.wiring import SANDBOX_FILE
from grainline.entry.worker import drain
from grainline.partners.transport import sign_callback
from grainline.sandbox import rail_store
from grainline.sandbox.store import Store
from sandbox_process import SECRET

pytestmark = pytest.mark.anyio

each = pytest.mark.parametrize("direction", ["payout", "refund", "collection"])
THEIRS_FEN = 100


@pytest.fixture(autouse=True)
def no_faults(stage):
    yield
    stage.hands.clear_faults()


async def plant(transfer, *, amount_fen=THEIRS_FEN, agreement=None):
    """Somebody uses our key at the rail for an order of their own."""
    rail = transfer.stage.platform.rail
    order = rail.pay_out if transfer.of_rail == "payout" else rail.collect
    return await order(key=transfer.key, agreement=agreement or transfer.person.papers.agreement, amount_fen=amount_fen)


def alter(transfer, *, amount_fen):
    """The rail's own record of a transfer is altered behind everybody's back."""
    town = Store(transfer.stage.town.folder / SANDBOX_FILE)
    with town.transaction() as tx:
        order = rail_store.order(tx, transfer.of_rail, transfer.key)
        request = dataclasses.replace(order.request, amount_fen=amount_fen)
        rail_store.save_order(tx, dataclasses.replace(order, request=request))
    town.close()


async def hear(transfer, *, amount_fen):
    """A callback, signed by the rail, that the transfer succeeded with this amount."""
    clock = transfer.stage.clock
    body = json.dumps(
        {
            "direction": transfer.of_rail,
            "key": transfer.key,
            "amount_fen": amount_fen,
            "status": "succeeded",
            "reason": None,
            "settled_at": clock().isoformat(),
        }
    ).encode()
    timestamp = str(int(clock().timestamp()))
    signature = sign_callback(SECRET, timestamp=timestamp, body=body)
    headers = {"X-Rail-Timestamp": timestamp, "X-Rail-Signature": signature}
    answer = await transfer.stage.api.post("/partners/rail/callbacks", content=body, headers=headers)
    assert answer.status_code == 204


async def alarms(transfer, act):
    """What was logged of a transfer as an error while something was done: both amounts, and how the rail's stands."""
    with structlog.testing.capture_logs() as logs:
        await act()
    names = ("log_level", "event", "amount_fen", "rail_amount_fen", "rail_status")
    return [tuple(log[name] for name in names) for log in logs if log.get("key") == transfer.key]


def alarm(transfer, rail_fen, status):
    return ("error", "transfer_contradicted", transfer.amount_fen, rail_fen, status)


async def assert_undecided(transfer, *, said):
    """Neither done nor undone: what it holds is held, the borrower is told nothing, and the proof names it."""
    person = transfer.person
    assert await transfer.state() == "sent"
    line = await person.get("/line")
    if transfer.direction == "payout":
        assert line["available_fen"] == 500_000  # as if it were on its way
        assert (await person.get("/loans"))["items"] == []
    else:
        loan = await person.get(f"/loans/{transfer.loan_id}")
        left = 1_000_000 if transfer.direction == "collection" else 0
        assert (loan["principal_outstanding_fen"], line["used_fen"], loan["suspense_fen"]) == (left, left, 0)
    about = {
        "payout": ("draw.paid", "draw.failed"),
        "refund": ("refund.paid", "refund.failed"),
        "collection": ("repayment.collected", "repayment.failed"),
    }
    news = await transfer.stage.rows(
        "select topic from kit.outbox where member_id = %s and topic = any(%s)",
        person.member_id,
        list(about[transfer.direction]),
    )
    assert news == []
    [finding] = [one for one in await transfer.stage.proof() if one.member_id == person.member_id]
    assert finding.check == "rail_has_another_order"
    assert finding.what == (
        f"{transfer.of_rail} {transfer.transfer_id} of {transfer.amount_fen} fen is sent;"
        f" of its key the rail said: {said}"
    )


@each
async def test_a_conflict_on_ordering_stops_nobody_else_and_is_never_booked(stage, direction):
    ready = [await READY[direction](stage) for _ in range(3)]
    before, taken, after = [await begin() for begin in ready]
    await plant(taken)
    assert await alarms(taken, stage.work) == [alarm(taken, None, "key_conflict")]
    for transfer in (before, after):
        assert await transfer.state() == DONE[direction]
        assert transfer.card_moved_fen() == SIGN[direction] * transfer.amount_fen
    await assert_undecided(taken, said="key_conflict")
    for _ in range(3):
        assert await alarms(taken, taken.wait_and_work) == [alarm(taken, THEIRS_FEN, "succeeded")]
    assert taken.card_moved_fen() == SIGN[direction] * THEIRS_FEN
    assert taken.orders_in_all() == 1
    await assert_undecided(taken, said="key_conflict, succeeded 100")


@each
@pytest.mark.parametrize(
    ("fault", "status"), [(None, "succeeded"), ("reject", "failed"), ("stays_processing", "processing")]
)
async def test_another_amount_found_by_asking_is_never_booked_however_it_ended(stage, direction, fault, status):
    """Our order was lost on its way, so no conflict warned us: only the amount of the answer tells."""
    transfer = await BEGIN[direction](stage)
    stage.hands.set_fault("rail", "lost_request", mode="next", count=1)
    await stage.work()
    if fault:
        stage.hands.set_fault("rail", fault, mode="next", count=1)
    assert (await plant(transfer)).status == status
    for _ in range(2):
        assert await alarms(transfer, transfer.wait_and_work) == [alarm(transfer, THEIRS_FEN, status)]
    await assert_undecided(transfer, said=f"{status} 100")


@each
async def test_between_two_alarms_the_rail_is_left_in_peace(stage, direction):
    transfer = await BEGIN[direction](stage)
    await plant(transfer)
    for alarmed in (stage.work, transfer.wait_and_work, transfer.wait_and_work):
        assert len(await alarms(transfer, alarmed)) == 1
        assert await alarms(transfer, stage.work) == []


@each
async def test_another_card_under_our_key_is_never_booked_although_the_amounts_agree(stage, direction):
    other = await stage.borrower()
    transfer = await BEGIN[direction](stage)
    await plant(transfer, amount_fen=transfer.amount_fen, agreement=other.papers.agreement)
    assert await alarms(transfer, stage.work) == [alarm(transfer, None, "key_conflict")]
    assert await alarms(transfer, transfer.wait_and_work) == [alarm(transfer, transfer.amount_fen, "succeeded")]
    assert transfer.card_moved_fen() == 0
    await assert_undecided(transfer, said="key_conflict")


@each
async def test_an_answer_to_the_order_itself_with_another_amount_is_not_booked(stage, direction):
    """The rail takes our order and answers for another amount at once: its word, not ours, is compared."""
    transfer = await BEGIN[direction](stage)

    class Mistaken:
        """The sandbox's rail, whose answers to orders name one fen less."""

        def __getattr__(self, name):
            return getattr(stage.platform.rail, name)

        async def pay_out(self, **order):
            return one_less(await stage.platform.rail.pay_out(**order))

        async def collect(self, **order):
            return one_less(await stage.platform.rail.collect(**order))

    def one_less(answer):
        return dataclasses.replace(answer, amount_fen=answer.amount_fen - 1)

    mistaken = dataclasses.replace(stage.platform, rail=Mistaken())
    logged = await alarms(transfer, lambda: drain(mistaken))
    assert logged == [alarm(transfer, transfer.amount_fen - 1, "succeeded")]
    await assert_undecided(transfer, said=f"succeeded {transfer.amount_fen - 1}")


@each
async def test_a_rail_that_changes_its_mind_is_not_believed_the_second_time(stage, direction):
    transfer = await BEGIN[direction](stage)
    stage.hands.set_fault("rail", "lost_answer", mode="next", count=1)
    await stage.work()
    alter(transfer, amount_fen=THEIRS_FEN)
    assert await alarms(transfer, transfer.wait_and_work) == [alarm(transfer, THEIRS_FEN, "succeeded")]
    alter(transfer, amount_fen=transfer.amount_fen)
    assert await alarms(transfer, transfer.wait_and_work) == [alarm(transfer, transfer.amount_fen, "succeeded")]
    await assert_undecided(transfer, said=f"succeeded {THEIRS_FEN}")


@each
@pytest.mark.parametrize("told_fen", [THEIRS_FEN, None])
async def test_a_callback_books_neither_the_other_amount_nor_ours(stage, direction, told_fen):
    """Whatever a callback says, the rail is asked, and it has another order."""
    transfer = await BEGIN[direction](stage)
    await plant(transfer)
    await stage.work()
    await hear(transfer, amount_fen=told_fen or transfer.amount_fen)
    assert await transfer.state() == "sent"
    assert await alarms(transfer, stage.work) == [alarm(transfer, THEIRS_FEN, "succeeded")]
    await assert_undecided(transfer, said=f"key_conflict, succeeded {THEIRS_FEN}")


@each
async def test_a_transfer_asked_for_all_year_holds_up_no_other(stage, direction):
    """Some 100,000 questions, which no power of two may count to the end."""
    transfer = await BEGIN[direction](stage)
    await plant(transfer)
    await stage.work()
    with psycopg.connect(stage.owner_url) as connection:
        for table in ("draws", "refunds", "repayments"):
            connection.execute(f"update loans.{table} set attempts = 100000 where state = 'sent'")
    other = await BEGIN[direction](stage)
    logged = await alarms(transfer, other.wait_and_work)
    assert logged == [alarm(transfer, THEIRS_FEN, "succeeded")]
    assert await other.state() == DONE[direction]
    stage.tick(200)
    assert await alarms(transfer, stage.work) == []  # the pause between two questions is the longest there is, 320 s
