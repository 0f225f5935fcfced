"""A transfer as both sides see it: ours over the API, the rail's in its books."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from stage import Borrower, Stage, new_key

LATER_S = 330  # longer than any lease of a transfer


@dataclass(frozen=True)
class Transfer:
    """One payout, refund or collection under way; a refund is a payout of the rail."""

    person: Borrower
    direction: str
    transfer_id: str
    loan_id: str
    amount_fen: int
    card_before_fen: int

    @property
    def stage(self) -> Stage:
        return self.person.stage

    @property
    def key(self) -> str:
        return f"{self.person.member_id}:{self.transfer_id}"

    async def state(self) -> str:
        return (await self.shown())["state"]

    async def shown(self) -> dict:
        if self.direction == "payout":
            return await self.person.get(f"/draws/{self.transfer_id}")
        if self.direction == "refund":
            return await self.person.get(f"/loans/{self.loan_id}/refunds/{self.transfer_id}")
        return await self.person.get(f"/loans/{self.loan_id}/repayments/{self.transfer_id}")

    async def wait_and_work(self) -> str:
        """Let the lease run out, work, and return the state then."""
        self.stage.tick(LATER_S)
        await self.stage.work()
        return await self.state()

    def card_moved_fen(self) -> int:
        """What reached the card, or left it (negative), since the transfer began."""
        return self.stage.hands.account(self.person.papers.agreement).balance_fen - self.card_before_fen

    def orders(self) -> list:
        """The rail's orders of this transfer's direction on this card that came since."""
        found = self.stage.hands.orders(self.person.papers.agreement)
        return [order for order in found if order.direction == self.of_rail and order.key == self.key]

    def orders_in_all(self) -> int:
        found = self.stage.hands.orders(self.person.papers.agreement)
        earlier = self.loan_id if self.direction == "refund" else None  # the payout of the draw is not meant
        return sum(order.direction == self.of_rail for order in found if earlier not in order.key.split(":"))

    @property
    def of_rail(self) -> str:
        return "collection" if self.direction == "collection" else "payout"

    async def tell(self) -> None:
        """Carry the rail's next callback about this transfer to the platform."""
        heard = self.stage.town.receiver.next_for(self.key)
        headers = {name: value for name, value in heard.headers.items() if name.lower().startswith("x-rail")}
        answer = await self.stage.api.post("/partners/rail/callbacks", content=heard.body, headers=headers)
        assert answer.status_code == 204, answer.text


Begin = Callable[[], Awaitable[Transfer]]


def balance(stage: Stage, person: Borrower) -> int:
    return stage.hands.account(person.papers.agreement).balance_fen


async def ready_payout(stage: Stage, *, yuan: int = 10_000) -> Begin:
    """A borrower with the pen over the contract; call what is returned to draw, with the money still to move."""
    person = await stage.borrower(line_fen=1_500_000)
    signature = await person.signature(yuan)
    before = balance(stage, person)

    async def begin() -> Transfer:
        draw_id = (await person.post("/draws", signature, key=new_key()))["draw_id"]
        return Transfer(person, "payout", draw_id, draw_id, yuan * 100, before)

    return begin


async def ready_collection(stage: Stage, *, yuan: int = 2_000) -> Begin:
    """A borrower with a running loan of 10,000; call what is returned to ask for a repayment by hand."""
    person = await stage.borrower(line_fen=1_500_000)
    loan_id = await person.loan(10_000)
    before = balance(stage, person)

    async def begin() -> Transfer:
        asked = await person.post(f"/loans/{loan_id}/repayments", {"amount_fen": yuan * 100}, key=new_key())
        return Transfer(person, "collection", asked["repayment_id"], loan_id, yuan * 100, before)

    return begin


async def overpaid(stage: Stage, fen: int) -> tuple[Borrower, str]:
    """A borrower whose loan of 10,000 was settled the same day with too much, and the loan's id."""
    person = await stage.borrower(line_fen=1_500_000)
    loan_id = await person.loan(10_000)
    await person.pay_cash(loan_id, 1_000_000 + fen)
    return person, loan_id


async def ready_refund(stage: Stage, *, yuan: int = 70) -> Begin:
    """A borrower of whom too much is held; call what is returned to have it refunded."""
    person, loan_id = await overpaid(stage, yuan * 100)
    before = balance(stage, person)

    async def begin() -> Transfer:
        asked = await person.post(f"/loans/{loan_id}/refunds", {"amount_fen": None}, key=new_key())
        return Transfer(person, "refund", asked["refund_id"], loan_id, yuan * 100, before)

    return begin


async def begin_refund(stage: Stage) -> Transfer:
    return await (await ready_refund(stage))()


async def begin_payout(stage: Stage) -> Transfer:
    return await (await ready_payout(stage))()


async def begin_collection(stage: Stage, *, yuan: int = 2_000) -> Transfer:
    return await (await ready_collection(stage, yuan=yuan))()


READY = {"payout": ready_payout, "refund": ready_refund, "collection": ready_collection}
BEGIN = {"payout": begin_payout, "refund": begin_refund, "collection": begin_collection}
DONE = {"payout": "paid", "refund": "paid", "collection": "collected"}
SIGN = {"payout": 1, "refund": 1, "collection": -1}


async def assert_done_once(transfer: Transfer) -> None:
    """The money moved exactly once, and every book of both sides says so."""
    assert await transfer.state() == DONE[transfer.direction]
    assert transfer.card_moved_fen() == SIGN[transfer.direction] * transfer.amount_fen
    [order] = transfer.orders()
    assert (order.status, order.amount_fen) == ("succeeded", transfer.amount_fen)
    assert transfer.orders_in_all() == 1
    loan = await transfer.person.get(f"/loans/{transfer.loan_id}")
    line = await transfer.person.get("/line")
    left = 1_000_000 - {"payout": 0, "refund": 1_000_000, "collection": transfer.amount_fen}[transfer.direction]
    assert loan["suspense_fen"] == 0
    assert (loan["principal_outstanding_fen"], line["available_fen"]) == (left, 1_500_000 - left)
    assert line["used_fen"] == left
    await assert_books_agree(transfer.stage)


async def assert_undone(transfer: Transfer, *, reason: str) -> None:
    """No money moved, and what was held for it is free again."""
    shown = await transfer.shown()
    assert (shown["state"], shown["failure"]["code"]) == ("failed", reason)
    assert transfer.card_moved_fen() == 0
    assert [order.status for order in transfer.orders()] in (["failed"], [])
    line = await transfer.person.get("/line")
    used = 1_000_000 if transfer.direction == "collection" else 0
    if transfer.direction == "refund":
        loan = await transfer.person.get(f"/loans/{transfer.loan_id}")
        assert loan["suspense_fen"] == transfer.amount_fen
    assert (line["used_fen"], line["available_fen"]) == (used, 1_500_000 - used)
    await assert_books_agree(transfer.stage)


async def assert_books_agree(stage: Stage) -> None:
    assert await stage.proof() == []
    assert stage.hands.books().imbalances == []
