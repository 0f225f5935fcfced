"""Repaying more than is owed, nothing, twice, at once: the debt is what it is."""

import asyncio
from uuid import uuid4

import pytest

from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def ming(stage: Stage) -> tuple[Borrower, str]:
    """Somebody with a loan of 1,000."""
    person = await stage.borrower()
    return person, await person.loan(1_000)


def path_of(loan_id: str) -> str:
    return f"/loans/{loan_id}/repayments"


async def race(person: Borrower, loan_id: str, fen: int, keys: list[str]) -> list[tuple[int, str | None]]:
    """Repay under several keys at once; return status and code of each, sorted."""
    calls = (person.call("POST", path_of(loan_id), {"amount_fen": fen}, **{"Idempotency-Key": key}) for key in keys)
    answers = await asyncio.gather(*calls)
    return sorted((a.status_code, a.json().get("code")) for a in answers)


@pytest.mark.parametrize("fen", [0, -1, -(2**63)])
async def test_nothing_and_less_than_nothing(ming, fen):
    person, loan_id = ming
    problem = await person.refused(path_of(loan_id), {"amount_fen": fen}, key=new_key())
    assert (problem["status"], problem["code"]) == (422, "repayment_not_positive")


@pytest.mark.parametrize("fen", [None, "100", 100.0, 1.5, True, [100], 2**63, 10**40])
async def test_amount_that_is_no_whole_number(ming, fen):
    person, loan_id = ming
    problem = await person.refused(path_of(loan_id), {"amount_fen": fen}, key=new_key())
    assert (problem["status"], problem["code"], problem["fields"]) == (422, "invalid_request", "amount_fen")


@pytest.mark.parametrize("currency", ["USD", "CNY"])
async def test_another_currency_is_not_taken_for_ours(ming, currency):
    person, loan_id = ming
    problem = await person.refused(path_of(loan_id), {"amount_fen": 100, "currency": currency}, key=new_key())
    assert (problem["status"], problem["code"], problem["fields"]) == (422, "invalid_request", "currency")


@pytest.mark.parametrize("above", [1, 100, 2**62])
async def test_more_than_is_owed(ming, above):
    person, loan_id = ming
    payoff = (await person.get(f"/loans/{loan_id}"))["payoff_fen"]
    problem = await person.refused(path_of(loan_id), {"amount_fen": payoff + above}, key=new_key())
    assert (problem["status"], problem["code"], problem["payoff_fen"]) == (409, "repayment_above_debt", payoff)
    assert f"{payoff / 100:,.2f}".removesuffix(".00") in problem["detail"]


@pytest.mark.parametrize("key", [None, "short", "x" * 65])
async def test_key_that_is_missing_or_of_another_form(ming, key):
    person, loan_id = ming
    problem = await person.refused(path_of(loan_id), {"amount_fen": 100}, key=key)
    assert (problem["status"], problem["fields"]) == (422, "Idempotency-Key")


async def test_loan_nobody_has(ming):
    person, _ = ming
    problem = await person.refused(path_of(str(uuid4())), {"amount_fen": 100}, key=new_key())
    assert (problem["status"], problem["code"]) == (404, "loan_not_found")


async def test_same_key_and_body_is_the_same_repayment(stage):
    person = await stage.borrower()
    loan_id, key = await person.loan(1_000), new_key()
    assert await race(person, loan_id, 20_000, [key] * 6) == [(202, None)] * 6
    first = await person.post(path_of(loan_id), {"amount_fen": 20_000}, key=key)
    await stage.work()
    again = await person.post(path_of(loan_id), {"amount_fen": 20_000}, key=key)
    assert (again["repayment_id"], again["state"]) == (first["repayment_id"], "collected")
    loan = await person.get(f"/loans/{loan_id}")
    assert (loan["principal_outstanding_fen"], len(loan["repayments"])) == (80_000, 1)


async def test_same_key_with_another_body(stage):
    person = await stage.borrower()
    loan_id, key = await person.loan(1_000), new_key()
    other_loan = await person.loan(2_000)
    await person.post(path_of(loan_id), {"amount_fen": 20_000}, key=key)
    for loan, fen in ((loan_id, 20_001), (other_loan, 20_000)):
        problem = await person.refused(path_of(loan), {"amount_fen": fen}, key=key)
        assert (problem["status"], problem["code"]) == (422, "idempotency_key_reused")
    assert len((await person.get(f"/loans/{other_loan}"))["repayments"]) == 0


async def test_same_key_for_two_loans_at_once(stage):
    person = await stage.borrower()
    loans, key = [await person.loan(1_000), await person.loan(1_000)], new_key()
    outcomes = await asyncio.gather(*(race(person, loan_id, 10_000, [key]) for loan_id in loans))
    assert sorted(one for outcome in outcomes for one in outcome) == [(202, None), (422, "idempotency_key_reused")]


async def test_two_payoffs_racing(stage):
    person = await stage.borrower()
    loan_id = await person.loan(1_000)
    await stage.pass_days(3)
    payoff = (await person.get(f"/loans/{loan_id}"))["payoff_fen"]
    assert payoff == 100_000 + 3 * 50  # three days at 0.05 %
    keys = [new_key() for _ in range(5)]
    outcomes = await race(person, loan_id, payoff, keys)
    assert outcomes == [(202, None)] + [(409, "repayment_above_debt")] * 4
    await stage.work()
    loan = await person.get(f"/loans/{loan_id}")
    assert (loan["state"], loan["payoff_fen"], len(loan["repayments"])) == ("settled", 0, 1)
    assert stage.hands.account(person.papers.agreement).balance_fen == person.papers.balance_fen - 3 * 50
    assert (await person.get("/line"))["available_fen"] == 5_000_000
    assert await stage.proof() == []


async def test_parts_at_once_never_pass_the_debt(stage):
    person = await stage.borrower()
    loan_id = await person.loan(1_000)
    outcomes = await race(person, loan_id, 30_000, [new_key() for _ in range(6)])
    assert outcomes == [(202, None)] * 3 + [(409, "repayment_above_debt")] * 3
    await asyncio.gather(*(stage.work() for _ in range(3)))
    loan = await person.get(f"/loans/{loan_id}")
    assert (loan["principal_outstanding_fen"], loan["payoff_fen"]) == (10_000, 10_000)
    assert await stage.proof() == []


async def test_payoff_beside_the_automatic_debit_is_collected_once(stage):
    """On the due date the debit is on its way when the borrower pays all: together they are the debt."""
    person = await stage.borrower()
    loan_id = await person.loan(1_000)
    days = (await person.get(f"/loans/{loan_id}"))["rows"][0]["days"]
    stage.hands.set_fault("rail", "stays_processing", mode="next", count=1)
    part = (await person.post(path_of(loan_id), {"amount_fen": 40_000}, key=new_key()))["repayment_id"]
    await stage.work()
    assert (await person.get(f"{path_of(loan_id)}/{part}"))["state"] == "sent"
    # what is being collected is no longer to be asked for
    problem = await person.refused(path_of(loan_id), {"amount_fen": 60_001}, key=new_key())
    assert (problem["code"], problem["payoff_fen"]) == ("repayment_above_debt", 60_000)
    stage.hands.release()
    await stage.pass_days(days)
    loan = await person.get(f"/loans/{loan_id}")
    # 1,000 less 400 on its first day: the first instalment's principal is paid, interest on 600 is due
    assert sum(one["amount_fen"] for one in loan["repayments"] if one["state"] == "collected") >= 40_000
    assert await stage.proof() == []


async def test_settled_loan_takes_nothing_more(stage):
    person = await stage.borrower()
    loan_id = await person.loan(500)
    await person.repay(loan_id, 50_000)
    problem = await person.refused(path_of(loan_id), {"amount_fen": 1}, key=new_key())
    assert (problem["code"], problem["payoff_fen"]) == ("repayment_above_debt", 0)


async def test_refused_collection_leaves_the_debt_and_may_be_tried_again(stage):
    person = await stage.borrower()
    loan_id = await person.loan(500)
    stage.hands.set_balance(person.papers.agreement, 10_000)
    await person.repay(loan_id, 50_000)
    loan = await person.get(f"/loans/{loan_id}")
    assert [one["state"] for one in loan["repayments"]] == ["failed"]
    assert loan["repayments"][0]["failure"]["code"] == "insufficient_funds"
    assert loan["payoff_fen"] == 50_000
    assert "余额不足" in stage.hands.inbox(person.papers.phone)[0].text
    stage.hands.set_balance(person.papers.agreement, 60_000)
    await person.repay(loan_id, 50_000)
    assert (await person.get(f"/loans/{loan_id}"))["state"] == "settled"
    assert await stage.proof() == []
