"""Reviews of lines on the real platform: once, in bounds, told, and nothing where nothing can be decided."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog

from deciding_stage import cast
from grainline.kit.db import transaction
from grainline.kit.money import Fen, RateE8
from grainline.lines import Cause, ask_review, line, open_line, raise_until
from grainline.sandbox.fault_rules import Mode, Name, Partner
from grainline.underwriting import line_following, line_reviewing
from grainline.underwriting.decisions_store import add_decision, decisions_of
from grainline.underwriting.line_reviewing import review_due, review_line
from line_stage import ask, hold, kinds, results, review, said, with_room
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def deciding(stage: Stage) -> Stage:
    await cast(stage)
    return stage


async def decisions(stage: Stage, person: Borrower) -> int:
    asked = "select from underwriting.decisions where occasion = 'review' and member_id = %s"
    return len(await stage.rows(asked, person.member_id))


async def test_who_owes_too_much_elsewhere_is_frozen_and_told_why_and_thawed_when_it_is_paid_back(
    deciding: Stage,
) -> None:
    person, _ = await with_room(deciding)
    deciding.hands.set_elsewhere(person.papers.phone, open_loans=9, owed_fen=60_000_000)
    await deciding.pass_days(1)
    view = await person.get("/line")
    assert (view["state"], view["frozen_for"], view["draw_max_fen"]) == ("frozen", "review", 0)
    [last, *_] = (await person.get("/line/history"))["items"]
    assert (last["kind"], last["reasons"][0]["code"]) == ("frozen", "owed_above_cap")
    assert last["reasons"][0]["text"] in said(deciding, person)[-1]
    assert UUID(last["decision_id"])

    deciding.hands.set_elsewhere(person.papers.phone, open_loans=0, owed_fen=0)
    await deciding.pass_days(1)
    assert (await person.get("/line"))["state"] == "open"
    assert "已恢复使用" in said(deciding, person)[-1]
    assert {cause for cause, *_ in await results(deciding, person)} == {"bureau"}
    assert await deciding.proof() == []


async def test_a_small_change_elsewhere_is_read_and_nothing_is_decided(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    [(content,)] = await deciding.rows(
        "select content from underwriting.snapshots where member_id = %s", person.member_id
    )
    owed = json.loads(content)["owed_elsewhere_fen"]
    deciding.hands.set_elsewhere(person.papers.phone, open_loans=1, owed_fen=owed + 99_999)
    await deciding.pass_days(1)
    assert [row[:2] for row in await results(deciding, person)] == [("bureau", "nothing_changed")]
    assert await decisions(deciding, person) == 0


async def test_a_lower_decision_lowers_at_once_and_what_is_drawn_stays(deciding: Stage) -> None:
    person, whole = await with_room(deciding)
    await hold(deciding, person, whole * 2)
    loan_id = await person.loan(whole * 2 // 100 // 100 * 100 if whole * 2 <= 4_000_000 else 40_000)
    before = await person.get(f"/loans/{loan_id}")
    await ask(deciding, person)
    await review(deciding)
    view = await person.get("/line")
    assert view["limit_fen"] == whole
    assert view["available_fen"] == max(0, whole - view["used_fen"])
    assert (await kinds(person))[-1] in {"lowered", "repriced"}
    assert (await person.get(f"/loans/{loan_id}"))["rows"] == before["rows"]
    assert await deciding.proof() == []


async def test_without_consent_a_line_is_frozen_and_given_again_it_is_reviewed(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    await person.call("DELETE", "/consents/bureau")
    await ask(deciding, person)
    await review(deciding)
    assert (await person.get("/line"))["frozen_for"] == "consent"
    await deciding.work()
    assert "授权已撤回" in said(deciding, person)[-1]
    assert await decisions(deciding, person) == 0
    await person.post("/consents", {"sources": ["bureau"]})
    await deciding.pass_days(1)
    assert (await person.get("/line"))["state"] == "open"


async def test_a_bureau_that_is_down_changes_nothing_and_is_asked_again_the_next_day(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    before = await person.get("/line/history")
    await ask(deciding, person)
    deciding.hands.set_fault(Partner.BUREAU, Name.DOWN, mode=Mode.NEXT, count=1)
    await review(deciding)
    await review(deciding)  # not the same day
    assert await person.get("/line/history") == before
    assert await decisions(deciding, person) == 0
    await deciding.pass_days(1)
    assert await decisions(deciding, person) == 1
    deciding.hands.clear_faults()


async def test_two_reviews_at_once_decide_once(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    await ask(deciding, person, Cause.ASKED)
    await ask(deciding, person, Cause.CURED)
    by, pack = deciding.platform.underwriter, deciding.platform.pack
    await asyncio.gather(*(review_line(by, pack, member_id=person.member_id, now=deciding.clock()) for _ in range(3)))
    found = await results(deciding, person)
    assert await decisions(deciding, person) == 1
    assert len({decision for *_, decision in found}) == 1  # both were answered by it
    assert len(found) == 2


async def test_two_workers_at_once_take_a_review_once(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    await ask(deciding, person)
    by, packs, now = deciding.platform.underwriter, deciding.platform.packs, deciding.clock()
    taken = await asyncio.gather(*(review_due(by, packs, now=now) for _ in range(3)))
    assert sum(taken) == 1
    assert await decisions(deciding, person) == 1


async def test_a_review_waits_for_a_draw_in_flight(deciding: Stage) -> None:
    person, whole = await with_room(deciding)
    await hold(deciding, person, whole * 2)
    await ask(deciding, person)
    by, pack = deciding.platform.underwriter, deciding.platform.pack
    reserve = "select lines.reserve(%s, 'weilidai', %s)"
    async with transaction(deciding.platform.pool) as drawing:
        await drawing.execute(reserve, (person.member_id, whole * 2))
        going = asyncio.ensure_future(review_line(by, pack, member_id=person.member_id, now=deciding.clock()))
        await asyncio.sleep(0.3)
        assert not going.done()
    await going
    columns = "select limit_fen, reserved_fen, overdrawn_fen from lines.lines where member_id = %s"
    assert await deciding.rows(columns, person.member_id) == [(whole, whole * 2, whole)]
    assert (await person.get("/line"))["available_fen"] == 0
    async with transaction(deciding.platform.pool) as tx:
        await tx.execute("select lines.release(%s, 'weilidai', %s)", (person.member_id, whole * 2))
    assert (await person.get("/line"))["available_fen"] == whole


async def test_what_breaks_in_the_middle_leaves_nothing_and_is_done_the_next_time(
    deciding: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, whole = await with_room(deciding)
    await hold(deciding, person, whole * 2)
    before = await person.get("/line/history")
    await ask(deciding, person)

    async def broken(*_: object, **__: object) -> bool:
        raise OSError("pulled out")

    with monkeypatch.context() as patch:
        patch.setattr(line_following, "set_terms", broken)
        await review(deciding)
    assert await person.get("/line/history") == before
    assert await decisions(deciding, person) == 0
    deciding.tick(601)  # the first wait is over
    await review(deciding)
    assert (await person.get("/line"))["limit_fen"] == whole
    assert await decisions(deciding, person) == 1


async def broken(*_: object, **__: object) -> Any:
    raise OSError("pulled out")


async def test_a_change_at_the_bureau_outlives_a_review_that_broke(
    deciding: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _ = await with_room(deciding)
    deciding.hands.set_elsewhere(person.papers.phone, open_loans=9, owed_fen=60_000_000)
    await ask(deciding, person, Cause.BUREAU)
    with monkeypatch.context() as patch:
        patch.setattr(line_following, "freeze", broken)
        await review(deciding)
    assert (await person.get("/line"))["state"] == "open"
    deciding.tick(601)
    await review(deciding)
    assert (await person.get("/line"))["frozen_for"] == "review"
    assert [row[:2] for row in await results(deciding, person)] == [("bureau", "frozen")]


async def test_a_change_at_the_bureau_counts_for_each_line_of_a_member(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    by, packs, now = deciding.platform.underwriter, deciding.platform.packs, deciding.clock()
    given = {"tier": "new", "limit_fen": Fen(500_000), "rate_e8": RateE8(40_000), "reasons": ("x",), "now": now}
    key = {"key": f"bureau/{new_key()}", "cause": Cause.BUREAU, "now": now}
    deciding.hands.set_elsewhere(person.papers.phone, open_loans=9, owed_fen=60_000_000)
    async with transaction(by.pool) as tx:
        await open_line(tx, member_id=person.member_id, product="jiebei", **given)
        for product in ("weilidai", "jiebei"):
            await ask_review(tx, member_id=person.member_id, product=product, **key)
    for product in ("weilidai", "jiebei"):
        await review_line(by, packs[product], member_id=person.member_id, now=now)
    assert [result for _, result, _ in await results(deciding, person)] == ["frozen", "frozen"]


async def test_a_line_that_breaks_or_whose_pack_is_gone_holds_up_no_other_and_waits_longer_each_time(
    deciding: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bad, _), (good, _) = await with_room(deciding), await with_room(deciding)
    decide = line_reviewing.decided

    async def decided(*given: Any, **named: Any) -> Any:
        return await (broken() if named["member_id"] == bad.member_id else decide(*given, **named))

    monkeypatch.setattr(line_reviewing, "decided", decided)
    waits = "select product, try_at - %s from lines.reviews where member_id = %s order by product"
    async with transaction(deciding.platform.pool) as tx:
        await ask_review(tx, member_id=bad.member_id, product="gone", key="x", cause=Cause.IDLE, now=deciding.clock())
    for person in (bad, good):
        await ask(deciding, person)
    with structlog.testing.capture_logs() as logs:
        now = await review(deciding)
    broke = [one for one in logs if one["event"] == "line_review_broken"]
    assert sorted((one["product"], one["code"]) for one in broke) == [("gone", "no_pack"), ("weilidai", "OSError")]
    assert "pulled out" not in str(logs)
    assert await decisions(deciding, good) == 1
    for tries, minutes in ((1, 10), (2, 20), (1_000, 1_440)):
        if tries > 1:
            due = "update lines.reviews set attempts = %s, try_at = %s where member_id = %s"
            async with transaction(deciding.platform.pool) as tx:
                await tx.execute(due, (tries - 1, now, bad.member_id))
            now = await review(deciding)
        wait = timedelta(minutes=minutes)
        assert await deciding.rows(waits, now, bad.member_id) == [("gone", wait), ("weilidai", wait)]


async def test_a_review_waits_for_an_answer_on_the_same_member_and_holds_no_line_meanwhile(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    await ask(deciding, person)
    by, pack = deciding.platform.underwriter, deciding.platform.pack
    async with transaction(deciding.platform.pool) as answering:
        member = "select from members.members where member_id = %s for no key update"
        await answering.execute(member, (person.member_id,))
        going = asyncio.ensure_future(review_line(by, pack, member_id=person.member_id, now=deciding.clock()))
        while not going.done() and await deciding.rows("select from pg_locks where not granted") == []:
            await asyncio.sleep(0.01)
        assert not going.done()
        line = "select from lines.lines where member_id = %s for update nowait"
        await answering.execute(line, (person.member_id,))
    await going
    assert await decisions(deciding, person) == 1


async def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[object]]) -> None:
    """Have something done once, while the bureau is asked."""
    asking, waiting = line_reviewing.ask_sources, [act]

    async def ask_sources(*given: Any, **named: Any) -> Any:
        said = await asking(*given, **named)
        while waiting:
            await waiting.pop()()
        return said

    monkeypatch.setattr(line_reviewing, "ask_sources", ask_sources)


async def test_what_is_asked_while_a_line_is_reviewed_is_not_answered_by_that(
    deciding: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _ = await with_room(deciding)
    await ask(deciding, person, Cause.CURED)
    await ask(deciding, person, Cause.ASKED, "asked/1")

    async def again() -> None:
        await ask(deciding, person, Cause.ASKED, "asked/2")
        await ask(deciding, person, Cause.OVERDUE)

    await meanwhile(monkeypatch, again)
    await review(deciding)
    answered = {cause: decision is not None for cause, _, decision in await results(deciding, person)}
    assert answered == {"cured": True, "asked": False, "overdue": False}
    deciding.tick(601)
    await review(deciding)
    assert None not in {decision for *_, decision in await results(deciding, person)}
    assert await decisions(deciding, person) == 2


async def test_a_consent_withdrawn_while_the_bureau_is_asked_leaves_nothing_to_decide_on(
    deciding: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _ = await with_room(deciding)
    await ask(deciding, person)
    await meanwhile(monkeypatch, lambda: person.call("DELETE", "/consents/bureau"))
    await review(deciding)
    assert await decisions(deciding, person) == 0
    assert (await person.get("/line"))["frozen_for"] == "consent"


async def test_what_was_said_with_another_products_application_is_no_fact_of_this_line(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    async with transaction(deciding.platform.pool) as tx:
        [one] = await decisions_of(tx, member_id=person.member_id)
        inputs = one.read_inputs()
        other = replace(inputs, product="jiebei", facts=dict(inputs.facts) | {"student": "yes"}).text()
        told = {"decision_id": UUID(new_key()), "product": "jiebei", "key": "other", "inputs": other}
        await add_decision(tx, replace(one, **told, decided_at=deciding.clock() + timedelta(seconds=1)))
    deciding.tick(5)
    await ask(deciding, person)
    await review(deciding)
    async with transaction(deciding.platform.pool) as tx:
        [newest, *_] = await decisions_of(tx, member_id=person.member_id, product="weilidai")
    assert (newest.occasion, newest.read_inputs().facts["student"]) == ("review", "no")


async def test_an_officers_figure_stays_below_the_products_largest_line_with_what_raises_it_for_a_time(
    deciding: Stage,
) -> None:
    person, whole = await with_room(deciding)
    by, pack = deciding.platform.underwriter, deciding.platform.pack
    async with transaction(by.pool) as tx:
        [decision] = await decisions_of(tx, member_id=person.member_id)
        await raise_until(
            tx,
            member_id=person.member_id,
            product="weilidai",
            code="x",
            amount_fen=pack.line.max_fen - 100_000,
            from_on=deciding.today(),
            until_on=deciding.today() + timedelta(days=5),
            reasons=("festival",),
            by="li",
            now=deciding.clock(),
        )
        held = await line(tx, member_id=person.member_id, product="weilidai", lock=True)
        assert held is not None
        answered = replace(decision, decided_by="li", key=new_key())
        await line_following.follow_review(tx, by, pack, held, answered, decision.read_outcome(), now=deciding.clock())
    assert (await person.get("/line"))["limit_fen"] <= pack.line.max_fen < whole + pack.line.max_fen - 100_000


async def test_a_month_without_use_is_looked_at_once(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    deciding.tick(30 * 86_400)
    await deciding.pass_days(1)
    await deciding.pass_days(1)
    assert [cause for cause, *_ in await results(deciding, person)] == ["idle"]
