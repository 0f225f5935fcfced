"""An application through the API: decided by registered models and released rules, recorded, replayed bit for bit."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from deciding_stage import applicant, cast
from grainline.kit.db import transaction
from grainline.sandbox.fault_rules import Mode, Name, Partner
from grainline.underwriting.decisions_store import decision_of
from grainline.underwriting.replaying import replay, replay_since
from grainline.underwriting.shelf import Shelf
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio

YES = {"student": False}


@pytest.fixture(scope="module")
async def deciding(stage: Stage) -> Stage:
    await cast(stage, share_e4=5_000)
    return stage


async def _apply(person: Borrower) -> dict:
    return await person.post("/applications", YES, key=new_key())


async def _of_each_kind(stage: Stage, people: int) -> dict[str, tuple[Borrower, dict]]:
    found: dict[str, tuple[Borrower, dict]] = {}
    for _ in range(people):
        person = await applicant(stage)
        decided = await _apply(person)
        found.setdefault(decided["result"], (person, decided))
    return found


async def test_people_are_approved_declined_and_sent_to_an_officer_and_each_is_told_why(deciding: Stage) -> None:
    found = await _of_each_kind(deciding, 30)
    assert {"approved", "declined"} <= found.keys()
    for result, (person, decided) in found.items():
        assert decided["reasons"]
        assert all(reason["text"] for reason in decided["reasons"])
        wallet = await person.get("/wallet")
        assert wallet["application"]["decision_id"] == decided["decision_id"]
        assert (wallet["line"] is not None) is (result == "approved")
        assert (decided["review"] is not None) is (result == "review")
        if result == "approved":
            assert wallet["line"]["limit_fen"] == decided["offer"]["limit_fen"]
            assert wallet["next_step"] == "borrow"
    assert await deciding.proof() == []


async def test_the_same_key_is_the_same_decision_and_a_line_is_opened_once(deciding: Stage) -> None:
    person = await applicant(deciding)
    key = new_key()
    first, second = await asyncio.gather(
        person.post("/applications", YES, key=key), person.post("/applications", YES, key=key)
    )
    assert first["decision_id"] == second["decision_id"]
    assert len((await person.get("/applications"))["items"]) == 1


async def test_the_same_key_with_another_word_is_no_old_approval(deciding: Stage) -> None:
    person = await applicant(deciding)
    key = new_key()
    await person.post("/applications", YES, key=key)
    assert (await person.refused("/applications", {"student": True}, key=key))["code"] == "idempotency_key_reused"


async def test_a_clients_key_cannot_take_that_of_a_decision_of_ours(deciding: Stage) -> None:
    person = await applicant(deciding)
    await person.post("/applications", YES, key="review/weilidai/six_months/2027-05-01")
    [(key,)] = await deciding.rows("select key from underwriting.decisions where member_id = %s", person.member_id)
    assert key == "application/review/weilidai/six_months/2027-05-01"


async def test_what_was_rolled_back_is_kept_by_the_next_decision(deciding: Stage) -> None:
    shelf, pack = Shelf(deciding.platform.underwriter.shelf.models), deciding.platform.packs["jintiao"]

    class Broken(Exception):
        """Whatever breaks a transaction."""

    with pytest.raises(Broken):
        async with transaction(deciding.platform.pool) as tx:
            await shelf.in_force(tx, pack, member_id=1, now=deciding.clock())
            raise Broken
    async with transaction(deciding.platform.pool) as tx:
        named = await shelf.in_force(tx, pack, member_id=1, now=deciding.clock())
    assert await deciding.rows("select 1 from underwriting.packs where encode(sha256, 'hex') = %s", named.pack)


async def test_a_line_held_beside_counts_in_full_against_the_cap(deciding: Stage) -> None:
    person = await applicant(deciding)
    deciding.hands.set_elsewhere(person.papers.phone, open_loans=0, owed_fen=0)
    await person.hold_line(line_fen=49_990_000, rate_e8=35_000, tier="excellent", product="jiebei")
    decided = await _apply(person)
    assert decided["result"] != "approved"


async def test_two_applications_at_once_are_decided_once(deciding: Stage) -> None:
    person = await applicant(deciding)
    answers = await asyncio.gather(
        *(person.call("POST", "/applications", YES, **{"Idempotency-Key": new_key()}) for _ in range(3))
    )
    assert sorted(answer.is_success for answer in answers) == [False, False, True]
    assert len((await person.get("/applications"))["items"]) == 1


async def test_every_decision_comes_out_to_the_bit_and_a_changed_one_does_not(deciding: Stage) -> None:
    since = deciding.clock() - timedelta(days=1)
    await _of_each_kind(deciding, 5)
    shelf = Shelf(deciding.platform.underwriter.shelf.models)  # one that has seen nothing yet
    async with transaction(deciding.platform.pool) as tx:
        done = await replay_since(tx, shelf, since)
    assert done.counted["application"] >= 5
    assert done.differences == []
    rows = await deciding.rows("select member_id, decision_id from underwriting.decisions where result = 'approved'")
    async with transaction(deciding.platform.pool) as tx:
        one = await decision_of(tx, member_id=rows[0][0], decision_id=rows[0][1])
        inputs = one.read_inputs()
        assert inputs.features is not None
        worse = type(one)(**{**vars(one), "inputs": one.inputs.replace('"delay_now":0.0', '"delay_now":3.0')})
        difference = await replay(tx, shelf, worse)
    assert worse.inputs != one.inputs
    assert difference is not None
    assert difference.outcome != one.outcome


async def test_a_decision_names_its_sources_and_artefacts_by_hash(deciding: Stage) -> None:
    person = await applicant(deciding)
    decided = await _apply(person)
    async with transaction(deciding.platform.pool) as tx:
        one = await decision_of(tx, member_id=person.member_id, decision_id=UUID(decided["decision_id"]))
    inputs = one.read_inputs()
    kept = await deciding.rows(
        "select encode(content_hash, 'hex'), consent from underwriting.snapshots where member_id = %s", person.member_id
    )
    assert [(inputs.sources["bureau"]["sha256"], inputs.sources["bureau"]["consent"])] == kept
    assert await deciding.rows("select 1 from scoring.models where encode(sha256, 'hex') = %s", inputs.model)
    assert await deciding.rows("select 1 from underwriting.packs where encode(sha256, 'hex') = %s", inputs.pack)
    assert not {"sex", "marriage", "age"} & (inputs.features or {}).keys()


async def test_without_consent_the_bureau_is_not_asked_and_nothing_is_decided(deciding: Stage) -> None:
    person = await applicant(deciding, consents=())
    problem = await person.refused("/applications", YES, key=new_key())
    assert (problem["code"], problem["status"]) == ("consent_needed", 403)
    assert await deciding.rows("select 1 from underwriting.snapshots where member_id = %s", person.member_id) == []
    assert (await person.get("/applications"))["items"] == []


async def test_a_bureau_that_is_down_decides_nothing_and_the_next_try_does(deciding: Stage) -> None:
    person = await applicant(deciding)
    deciding.hands.set_fault(Partner.BUREAU, Name.DOWN, mode=Mode.NEXT, count=1)
    key = new_key()
    problem = await person.refused("/applications", YES, key=key)
    assert problem["status"] == 503
    assert (await person.get("/applications"))["items"] == []
    assert (await person.post("/applications", YES, key=key))["result"] in {"approved", "declined", "review"}


async def test_a_student_is_declined_by_the_profile(deciding: Stage) -> None:
    person = await applicant(deciding)
    decided = await person.post("/applications", {"student": True}, key=new_key())
    assert decided["result"] == "declined"
    assert "student" in [reason["code"] for reason in decided["reasons"]]


async def test_who_is_late_elsewhere_or_owes_too_much_is_declined(deciding: Stage) -> None:
    late, deep = await applicant(deciding), await applicant(deciding)
    deciding.hands.set_elsewhere(late.papers.phone, open_loans=1, owed_fen=100_000, overdue_days=5)
    deciding.hands.set_elsewhere(deep.papers.phone, open_loans=9, owed_fen=60_000_000)
    for person, code in ((late, "overdue_elsewhere"), (deep, "owed_above_cap")):
        decided = await _apply(person)
        assert decided["result"] == "declined"
        assert code in [reason["code"] for reason in decided["reasons"]]
        problem = await person.refused("/applications", YES, key=new_key())
        assert problem["code"] == "applied_lately"


async def test_who_is_not_invited_is_not_decided_on(deciding: Stage) -> None:
    person = await deciding.resident(invited=False)
    await person.sign_in()
    await person.post("/identity", person.identity())
    await person.post("/cards", person.card())
    await person.post("/consents", {"sources": ["bureau"]})
    assert (await person.refused("/applications", YES, key=new_key()))["code"] == "not_invited"


async def test_a_member_asks_for_an_officer_in_one_call(deciding: Stage) -> None:
    person = await applicant(deciding)
    decided = await person.post("/applications", {"student": True}, key=new_key())
    path = f"/applications/{decided['decision_id']}/review"
    first = await person.post(path, {"words": "我已毕业"})
    again = await person.post(path, {"words": ""})
    assert first["review_id"] == again["review_id"]
    shown = await person.get(f"/applications/{decided['decision_id']}")
    assert shown["review"]["review_id"] == first["review_id"]


@pytest.mark.parametrize("body", [{}, {"student": "perhaps"}, {"student": None}])
async def test_what_is_no_application_is_refused(deciding: Stage, body: dict) -> None:
    person = await applicant(deciding)
    assert (await person.refused("/applications", body, key=new_key()))["status"] == 422


async def test_a_decision_of_another_is_not_there(deciding: Stage) -> None:
    one, other = await applicant(deciding), await applicant(deciding)
    decided = await _apply(one)
    answer = await other.call("GET", f"/applications/{decided['decision_id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_decision")
