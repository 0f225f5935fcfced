"""A person looks: the member asks, an officer answers once, the answer overrides, opens the line, and is told."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import typer
from typer.testing import CliRunner

from deciding_stage import applicant, cast
from grainline.entry import line_command, review_command
from grainline.kit.db import transaction
from grainline.kit.errors import Refusal
from grainline.lines import Hold, freeze
from grainline.members import ConsentNeeded, Source
from grainline.products import Pack
from grainline.products.profile import OwedAboveCap, RateAboveCap
from grainline.underwriting import way_up_reading
from grainline.underwriting.applying import LineExists
from grainline.underwriting.deciding import Occasion, Verdict
from grainline.underwriting.decisions_store import Decision, add_decision, decision_of
from grainline.underwriting.officers import OfficerNameReserved
from grainline.underwriting.replaying import replay
from grainline.underwriting.reviewing import (
    Answer,
    NotForAnOfficer,
    OfferOutsideTiers,
    ReasonNeeded,
    TierWithdrawn,
    answer_review,
)
from grainline.underwriting.reviews_store import DecisionSuperseded, NoReview, open_review, open_reviews
from grainline.underwriting.snapshots_store import add_snapshot, newest
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio

SAID = "工资流水已核实"


@pytest.fixture(scope="module")
async def deciding(stage: Stage) -> Stage:
    await cast(stage)
    return stage


async def turned_down(stage: Stage, *, student: bool = False, result: str = "declined") -> tuple[Borrower, dict]:
    """Somebody who applied and was turned down."""
    for _ in range(40):
        person = await applicant(stage)
        decided = await person.post("/applications", {"student": student}, key=new_key())
        if decided["result"] == result:
            return person, decided
    raise AssertionError(f"nobody was {result}")


async def asks(person: Borrower, decided: dict, words: str = "") -> UUID:
    """The member asks for a person, in one call."""
    return UUID((await person.post(f"/applications/{decided['decision_id']}/review", {"words": words}))["review_id"])


async def answered(stage: Stage, review: UUID, answer: Answer, *, packs: Mapping[str, Pack] | None = None) -> Decision:
    today = stage.platform.packs if packs is None else packs
    async with transaction(stage.platform.pool) as tx:
        return await answer_review(tx, stage.platform.underwriter, today, review, answer, now=stage.clock())


async def frozen_since(stage: Stage, person: Borrower, decided: dict) -> Decision:
    """The line is declined by a later decision, as by a review of it, and frozen."""
    stage.tick(1)
    async with transaction(stage.platform.pool) as tx:
        old = await decision_of(tx, member_id=person.member_id, decision_id=UUID(decided["decision_id"]))
        outcome = replace(old.read_outcome(), result=Verdict.DECLINED, tier=None, line_fen=0, rate_e8=0)
        new = replace(
            old,
            decision_id=uuid4(),
            occasion=Occasion.REVIEW,
            key="review/later",
            inputs=replace(old.read_inputs(), occasion=Occasion.REVIEW).text(),
            outcome=outcome.text(),
            decided_at=stage.clock(),
        )
        await add_decision(tx, new)
        await freeze(
            tx,
            member_id=person.member_id,
            product=new.product,
            key="review/later/freeze",
            hold=Hold.REVIEW,
            reasons=("overdue_elsewhere",),
            words="在其他机构有逾期",
            by="platform",
            now=stage.clock(),
        )
    return new


def yes(**offer: int) -> Answer:
    return Answer("chen", Verdict.APPROVED, SAID, **offer)


NO = Answer("chen", Verdict.DECLINED, "收入无法核实")


async def test_an_approving_answer_overrides_opens_the_line_and_is_told(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    review = await asks(person, decided, "我上月已还清")
    async with transaction(deciding.platform.pool) as tx:
        waiting = {one.review_id: one for one in await open_reviews(tx)}
    assert waiting[review].words == "我上月已还清"
    made = await answered(deciding, review, yes())
    assert made.occasion is Occasion.HUMAN
    assert (str(made.overrides), made.decided_by) == (decided["decision_id"], "chen")
    outcome = made.read_outcome()
    assert outcome.text() == made.outcome
    assert outcome.answered == {"by": "chen", "why": SAID}
    last = deciding.platform.pack.tier[-1]
    assert (outcome.tier, outcome.line_fen, outcome.rate_e8) == (last.code, last.line_min_fen, last.rate_max_e8)
    line = await person.get("/line")
    assert line["limit_fen"] == last.line_min_fen
    shown = (await person.get("/wallet"))["application"]
    assert (shown["result"], shown["answer"], shown["occasion"]) == ("approved", SAID, "human")
    assert [one["code"] for one in shown["reasons"]] == ["officer"]
    await deciding.work()
    assert "额度" in deciding.hands.inbox(person.papers.phone)[0].text
    async with transaction(deciding.platform.pool) as tx:
        again = await decision_of(tx, member_id=person.member_id, decision_id=made.decision_id)
        assert await replay(tx, deciding.platform.underwriter.shelf, again) is None
        assert review not in {one.review_id for one in await open_reviews(tx)}
    assert await deciding.proof() == []


async def test_a_declining_answer_says_why_and_opens_nothing(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    made = await answered(deciding, await asks(person, decided), NO)
    assert made.read_outcome().reasons[0] == "officer"
    assert (await person.get("/wallet"))["line"] is None
    await deciding.work()
    assert "维持原决定" in deciding.hands.inbox(person.papers.phone)[0].text
    notice = await person.get(f"/applications/{made.decision_id}/notice")
    assert NO.reason in notice["decided_by"]


async def test_of_two_officers_at_once_one_answers(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    review = await asks(person, decided)
    both = await asyncio.gather(
        answered(deciding, review, yes()), answered(deciding, review, NO), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in both) == ["Decision", "NoReview"]
    with pytest.raises(NoReview):
        await answered(deciding, review, NO)
    rows = await deciding.rows(
        "select count(*) from underwriting.decisions where member_id = %s and occasion = 'human'", person.member_id
    )
    assert rows == [(1,)]


async def test_a_line_stays_inside_the_tiers_the_cap_and_the_room(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    review = await asks(person, decided)
    wrong: list[tuple[Answer, type[Refusal]]] = [
        (yes(line_fen=20_000_000, rate_e8=60_000), OfferOutsideTiers),  # a prime line at a risky rate
        (yes(line_fen=55_500, rate_e8=60_000), OfferOutsideTiers),  # no multiple of the step
        (yes(line_fen=0, rate_e8=60_000), OfferOutsideTiers),
        (yes(line_fen=100_000, rate_e8=70_000), RateAboveCap),
        (yes(line_fen=60_000_000, rate_e8=60_000), OwedAboveCap),
        (Answer("chen", Verdict.APPROVED, "  "), ReasonNeeded),
        (Answer(" ", Verdict.APPROVED, SAID), ReasonNeeded),
    ]
    for answer, refusal in wrong:
        with pytest.raises(refusal):
            await answered(deciding, review, answer)
    assert (await person.get("/wallet"))["line"] is None
    made = await answered(deciding, review, yes(line_fen=200_000, rate_e8=55_000))
    assert (made.read_outcome().line_fen, made.read_outcome().rate_e8) == (200_000, 55_000)


async def test_what_the_law_forbids_no_officer_grants(deciding: Stage) -> None:
    person, decided = await turned_down(deciding, student=True)
    review = await asks(person, decided)
    with pytest.raises(NotForAnOfficer):
        await answered(deciding, review, yes())
    await answered(deciding, review, NO)


async def test_a_consent_that_was_withdrawn_meanwhile_keeps_the_line_shut(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    review = await asks(person, decided)
    await person.call("DELETE", "/consents/bureau")
    with pytest.raises(ConsentNeeded):
        await answered(deciding, review, yes())


async def test_a_line_that_was_opened_meanwhile_is_not_opened_twice(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    review = await asks(person, decided)
    await person.hold_line(line_fen=5_000_000, rate_e8=30_000)
    with pytest.raises(LineExists):
        await answered(deciding, review, yes())


async def test_no_to_who_was_approved_leaves_everything_as_it_was(deciding: Stage) -> None:
    person, decided = await turned_down(deciding, result="approved")
    before = await person.get("/line")
    made = await answered(deciding, await asks(person, decided, "额度太低"), NO)
    outcome = made.read_outcome()
    assert (outcome.result, outcome.line_fen) == (Verdict.APPROVED, before["limit_fen"])
    assert await person.get("/line") == before
    await deciding.work()
    assert "维持原决定" in deciding.hands.inbox(person.papers.phone)[0].text


async def test_yes_on_a_line_that_is_there_moves_its_terms_in_the_officers_name(deciding: Stage) -> None:
    person, decided = await turned_down(deciding, result="approved")
    lower = decided["offer"]["limit_fen"] // 2 // 10_000 * 10_000
    tier = deciding.platform.pack.tier_named(decided["offer"]["tier"])
    lower = max(lower, tier.line_min_fen)
    answer = yes(line_fen=lower, rate_e8=decided["offer"]["rate_e8"])
    await answered(deciding, await asks(person, decided), answer)
    assert (await person.get("/line"))["limit_fen"] == lower
    rows = await deciding.rows(
        "select made_by from lines.changes where member_id = %s and decision_id is not null order by change_no",
        person.member_id,
    )
    assert rows == [("platform",), *([("chen",)] if lower != decided["offer"]["limit_fen"] else [])]


async def test_a_decision_that_waits_for_an_officer_is_queued_by_itself(deciding: Stage) -> None:
    person, decided = await turned_down(deciding, result="review")
    assert decided["review"]["asked_by"] == "rule"
    made = await answered(deciding, UUID(decided["review"]["review_id"]), yes())
    assert made.read_outcome().result is Verdict.APPROVED
    await person.get("/line")


async def test_ways_and_notice_are_the_members_own_and_in_both_languages(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    other = await applicant(deciding)
    for path in ("ways", "notice"):
        address = f"/applications/{decided['decision_id']}/{path}"
        refused = await other.call("GET", address)
        assert (refused.status_code, refused.json()["code"]) == (404, "no_decision")
    ways = await person.get(f"/applications/{decided['decision_id']}/ways")
    assert ways["items"]
    for way in ways["items"]:
        assert way["result"] == "approved"
        assert way["done_on"] >= deciding.today().isoformat()
    english = await person.call("GET", f"/applications/{decided['decision_id']}/ways", **{"Accept-Language": "en"})
    assert [one["limit_fen"] for one in english.json()["items"]] == [one["limit_fen"] for one in ways["items"]]
    assert english.json()["items"][0]["text"].startswith("If you ")
    notice = await person.get(f"/applications/{decided['decision_id']}/notice")
    assert 1 <= len(notice["reasons"]) <= 4
    assert any("征信机构" in source and deciding.today().isoformat() in source for source in notice["sources"])
    assert any("人工复核" in right for right in notice["rights"])


async def test_what_the_bureau_said_is_forgotten_and_with_it_the_ways(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    async with deciding.platform.pool.connection() as connection:
        await connection.execute("delete from underwriting.snapshots where member_id = %s", (person.member_id,))
    assert (await person.get(f"/applications/{decided['decision_id']}/ways"))["items"] == []


async def test_an_old_approval_does_not_undo_a_newer_freeze(deciding: Stage) -> None:
    person, decided = await turned_down(deciding, result="approved")
    review = await asks(person, decided)
    newer = await frozen_since(deciding, person, decided)
    with pytest.raises(DecisionSuperseded):
        await answered(deciding, review, yes())
    assert (await person.get("/line"))["state"] == "frozen"
    async with transaction(deciding.platform.pool) as tx:
        waiting = await open_review(tx, member_id=person.member_id, product=newer.product)
    assert waiting is not None
    assert (waiting.review_id, waiting.decision_id) == (review, newer.decision_id)  # there to be answered all the same
    old = await person.refused(f"/applications/{decided['decision_id']}/review", {"words": ""})
    assert (old["status"], old["code"]) == (409, "decision_superseded")
    assert (await answered(deciding, review, NO)).overrides == newer.decision_id


async def test_what_was_answered_is_not_asked_about_again(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    await answered(deciding, await asks(person, decided), NO)
    again = await person.refused(f"/applications/{decided['decision_id']}/review", {"words": "?"})
    assert again["code"] == "decision_superseded"


async def test_no_application_is_made_past_an_open_request_nor_right_after_a_persons_no(deciding: Stage) -> None:
    person, decided = await turned_down(deciding)
    review = await asks(person, decided)
    assert (await person.refused("/applications", {"student": False}, key=new_key()))["code"] == "review_pending"
    await answered(deciding, review, NO)
    assert (await person.refused("/applications", {"student": False}, key=new_key()))["code"] == "applied_lately"


async def test_what_is_drawn_on_the_line_itself_is_not_owed_beside_it(deciding: Stage) -> None:
    person, decided = await turned_down(deciding, result="approved")
    offer = decided["offer"]
    await person.loan(500)
    cap = deciding.platform.underwriter.profiles[deciding.platform.pack.regulation.profile].borrower_max_fen
    async with transaction(deciding.platform.pool) as tx:
        told = (await newest(tx, member_id=person.member_id))[Source.BUREAU]
        content = {**told.content, "owed_elsewhere_fen": cap - offer["limit_fen"]}
        await add_snapshot(tx, replace(told, taken_at=deciding.clock(), content=content))
    answer = yes(line_fen=offer["limit_fen"], rate_e8=offer["rate_e8"])
    made = await answered(deciding, await asks(person, decided), answer)
    assert made.read_outcome().line_fen == offer["limit_fen"]
    too_much = yes(line_fen=offer["limit_fen"] + deciding.platform.pack.line.step_fen, rate_e8=offer["rate_e8"])
    shown = (await person.get("/wallet"))["application"]
    with pytest.raises(OwedAboveCap):
        await answered(deciding, await asks(person, shown), too_much)


@pytest.mark.parametrize("name", ["platform", " Member", "SHIPPED ", "p a c k s", "ｐlatform"])
async def test_nobody_signs_as_the_platform(deciding: Stage, name: str) -> None:
    with pytest.raises(OfficerNameReserved):
        await answered(deciding, uuid4(), replace(NO, officer=name))
    with pytest.raises(OfficerNameReserved):
        line_command._signed(name, SAID)


async def test_a_product_that_was_withdrawn_is_still_shown_but_no_line_is_opened(
    deciding: Stage,
) -> None:
    person, decided = await turned_down(deciding)
    review = await asks(person, decided)
    with pytest.raises(TierWithdrawn):
        await answered(deciding, review, yes(), packs={})
    made = await answered(deciding, review, yes())
    packs, before = deciding.platform.packs, dict(deciding.platform.packs)
    assert isinstance(packs, dict)
    del packs[decided["product"]]
    try:
        shown = await person.get(f"/applications/{made.decision_id}")
        assert shown["offer"]["tier"] == made.read_outcome().tier
        for path in ("ways", "notice"):
            await person.get(f"/applications/{decided['decision_id']}/{path}")
    finally:
        packs.clear()  # in their order: the first is the one that is meant where none is named
        packs.update(before)


async def test_no_connection_is_held_while_ways_are_searched(deciding: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    person, decided = await turned_down(deciding)
    search, lent = way_up_reading.ways_up, []

    def watched(*args: object, **named: object) -> object:
        stats = deciding.platform.pool.get_stats()
        lent.append(stats["pool_size"] - stats["pool_available"])
        return search(*args, **named)

    monkeypatch.setattr(way_up_reading, "ways_up", watched)
    await person.get(f"/applications/{decided['decision_id']}/ways")
    assert lent == [0]


def test_an_officer_is_told_first_who_reads_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: object) -> None:
        raise typer.Exit(2)

    monkeypatch.setattr(review_command, "_asked", nothing)
    done = CliRunner().invoke(
        review_command.review_app, ["answer", str(uuid4()), "declined", "--by", "chen", "--reason", SAID, "--json"]
    )
    assert (done.exit_code, done.stdout) == (2, "")
    assert "reads the reason word for word" in done.stderr
