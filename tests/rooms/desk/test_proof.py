"""The proof that books, loans and lines agree: silent while they do, and naming exactly what somebody tampered with."""

import psycopg
import pytest

from grainline.desk import verify
from stage import new_key

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def lived_in(stage):
    """A lender after some weeks: paid, prepaid, settled, failed, overdue, held; and one draw that is under way."""
    settled, prepaid, overdue, failed, held = [await stage.borrower(line_fen=1_500_000) for _ in range(5)]
    loans = {person.member_id: await person.loan(10_000, instalments=5) for person in (settled, prepaid, overdue)}
    stage.hands.set_balance(overdue.papers.agreement, 0)
    await prepaid.repay(loans[prepaid.member_id], 300_000)
    await stage.pass_days(33)
    payoff = (await settled.get(f"/loans/{loans[settled.member_id]}"))["payoff_fen"]
    await settled.repay(loans[settled.member_id], payoff)
    stage.hands.set_fault("rail", "reject", mode="next", count=1)
    await failed.draw(5_000)
    await stage.work()
    await failed.loan(2_000)
    stage.hands.set_fault("rail", "stays_processing", mode="next", count=1)
    await held.draw(8_000)
    await stage.work()
    for name in ("reject", "stays_processing"):
        overpaid = await stage.borrower(line_fen=1_500_000)
        loan_id = await overpaid.loan(1_000)
        await overpaid.pay_cash(loan_id, 110_000)
        stage.hands.set_fault("rail", name, mode="next", count=1)
        await overpaid.post(f"/loans/{loan_id}/refunds", {"amount_fen": None}, key=new_key())
        await stage.work()
        if name == "reject":
            await overpaid.post(f"/loans/{loan_id}/refunds", {"amount_fen": 900}, key=new_key())
            await stage.work()
    return stage


@pytest.fixture(scope="module")
def owner(lived_in):
    with psycopg.connect(lived_in.owner_url, autocommit=True) as connection:
        yield connection


async def found(stage):
    return {finding.check for finding in await stage.proof()}


async def test_a_lender_that_was_left_alone_has_nothing_to_find(lived_in):
    counts, findings = await verify(lived_in.platform.pool)
    assert findings == []
    assert (counts["lines"], counts["draws"], counts["loans"]) == (7, 8, 6)
    states = await lived_in.rows("select state, count(*) from loans.refunds group by 1 order by 1")
    assert states == [("failed", 1), ("paid", 1), ("sent", 1)]
    assert counts["entries"] > counts["journals"] > 10


# the overdue one
LOAN = "(select loan_id from loans.loans where settled_on is null and principal_fen > 0 order by next_due_on limit 1)"
ENTRY = "(select max(entry_no) from ledger.entries where account = '{}')"

# what is altered, how it is put back, and which checks must say so
TAMPERED = {
    "an entry of a member": (
        f"update ledger.entries set amount_fen = amount_fen + 1 where entry_no = {ENTRY.format('1301')}",
        f"update ledger.entries set amount_fen = amount_fen - 1 where entry_no = {ENTRY.format('1301')}",
        {"journal_balances", "balance_equals_entries", "balance_after_entry", "books_balance"},
    ),
    "an entry of the house that is rolled up": (
        "update ledger.entries set amount_fen = amount_fen - 7 where entry_no ="
        " (select min(entry_no) from ledger.entries where account = '1002')",
        "update ledger.entries set amount_fen = amount_fen + 7 where entry_no ="
        " (select min(entry_no) from ledger.entries where account = '1002')",
        {"journal_balances", "house_equals_entries", "house_equals_loans", "books_balance"},
    ),
    "the balance after an entry": (
        f"update ledger.entries set balance_after_fen = balance_after_fen + 1 where entry_no = {ENTRY.format('1302')}",
        f"update ledger.entries set balance_after_fen = balance_after_fen - 1 where entry_no = {ENTRY.format('1302')}",
        {"balance_after_entry"},
    ),
    "a principal balance": (
        f"update ledger.balances set balance_fen = balance_fen + 1 where account = '1301' and sub = {LOAN}",
        f"update ledger.balances set balance_fen = balance_fen - 1 where account = '1301' and sub = {LOAN}",
        {"balance_equals_entries", "line_equals_ledger", "loan_equals_ledger"},
    ),
    "an interest balance": (
        f"update ledger.balances set balance_fen = balance_fen + 1 where account = '1302' and sub = {LOAN}",
        f"update ledger.balances set balance_fen = balance_fen - 1 where account = '1302' and sub = {LOAN}",
        {"balance_equals_entries", "loan_equals_ledger"},
    ),
    "a house balance": (
        "update ledger.house_balances set balance_fen = balance_fen - 1 where account = '6011'",
        "update ledger.house_balances set balance_fen = balance_fen + 1 where account = '6011'",
        {"house_equals_entries"},
    ),
    "what a line has in use": (
        "update lines.lines set used_fen = used_fen + 100 where used_fen > 0",
        "update lines.lines set used_fen = used_fen - 100 where used_fen > 0",
        {"line_equals_ledger"},
    ),
    "what a line has reserved": (
        "update lines.lines set reserved_fen = reserved_fen - 100 where reserved_fen > 0",
        "update lines.lines set reserved_fen = reserved_fen + 100 where reserved_fen > 0",
        {"line_equals_ledger"},
    ),
    "a day's count of draws": (
        "update guard.day_draws set amount_fen = amount_fen - 100 where amount_fen > 0",
        "update guard.day_draws set amount_fen = amount_fen + 100 where amount_fen > 0",
        {"day_limit"},
    ),
    "a loan's principal as the day's work sees it": (
        f"update loans.loans set principal_fen = principal_fen + 1 where loan_id = {LOAN}",
        f"update loans.loans set principal_fen = principal_fen - 1 where loan_id = {LOAN}",
        {"loan_equals_projection"},
    ),
    "a loan's next due date": (
        f"update loans.loans set next_due_on = next_due_on + 1 where loan_id = {LOAN}",
        f"update loans.loans set next_due_on = next_due_on - 1 where loan_id = {LOAN}",
        {"loan_equals_projection"},
    ),
    "the day a loan was settled": (
        "update loans.loans set settled_on = settled_on - 1 where settled_on is not null",
        "update loans.loans set settled_on = settled_on + 1 where settled_on is not null",
        {"loan_equals_projection"},
    ),
    "the rate of a loan": (
        "update loans.loans set rate_e8 = rate_e8 * 2",
        "update loans.loans set rate_e8 = rate_e8 / 2",
        {"loan_equals_ledger", "loan_equals_projection", "house_equals_loans"},
    ),
    "a repayment's amount": (
        "update loans.repayments set amount_fen = amount_fen + 1 where state = 'collected'",
        "update loans.repayments set amount_fen = amount_fen - 1 where state = 'collected'",
        {"repayment_is_an_event", "rail_has_another_order"},
    ),
    "an event's amount": (
        "update loans.events set amount_fen = amount_fen + 1 where kind = 'repayment'",
        "update loans.events set amount_fen = amount_fen - 1 where kind = 'repayment'",
        {"loan_equals_ledger", "loan_equals_projection", "house_equals_loans", "repayment_is_an_event"},
    ),
    "a refund said to be paid": (
        "update loans.refunds set state = 'paid', paid_at = requested_at, ask_at = null where state = 'sent'",
        "update loans.refunds set state = 'sent', paid_at = null, ask_at = requested_at + interval '1 hour'"
        " where state = 'paid' and paid_at = requested_at",
        {"loan_equals_ledger", "house_equals_loans"},
    ),
    "a refund said to be under way that was paid": (
        "update loans.refunds set state = 'sent', ask_at = paid_at, paid_at = null where state = 'paid'",
        "update loans.refunds set state = 'paid', paid_at = ask_at, ask_at = null"
        " where state = 'sent' and amount_fen = 900",
        {"loan_equals_ledger", "house_equals_loans"},
    ),
    "a refund said to be under way that failed": (
        "update loans.refunds set state = 'sent', ask_at = requested_at, failure = null where state = 'failed'",
        "update loans.refunds set state = 'failed', failure = 'insufficient_funds', ask_at = null"
        " where ask_at = requested_at",
        {"refund_is_an_event", "loan_equals_ledger", "house_equals_loans"},
    ),
    "a refund's amount": (
        "update loans.refunds set amount_fen = amount_fen + 1 where state = 'paid'",
        "update loans.refunds set amount_fen = amount_fen - 1 where state = 'paid'",
        {"refund_is_an_event", "rail_has_another_order"},
    ),
    "a draw said to be under way that was paid": (
        "update loans.draws set state = 'sent', ask_at = paid_at where state = 'paid'",
        "update loans.draws set state = 'paid', ask_at = null where paid_at is not null",
        {"paid_draw_has_loan", "line_equals_ledger"},
    ),
    "what the rail is said to have answered": (
        "insert into loans.rail_answers (member_id, transfer_id, kind, status, amount_fen, reason, heard_at)"
        " select member_id, draw_id, 'payout', 'failed', amount_fen, 'x', paid_at from loans.draws"
        " where state = 'paid' limit 1",
        "delete from loans.rail_answers where reason = 'x'",
        {"rail_contradicts_itself"},
    ),
    "the amount the rail is said to have paid": (
        "update loans.rail_answers set amount_fen = amount_fen - 1 where kind = 'payout' and status = 'succeeded'",
        "update loans.rail_answers set amount_fen = amount_fen + 1 where kind = 'payout' and status = 'succeeded'",
        {"rail_has_another_order"},
    ),
    "the amount the rail is said to have collected": (
        "update loans.rail_answers set amount_fen = amount_fen + 1 where kind = 'collection' and status = 'succeeded'",
        "update loans.rail_answers set amount_fen = amount_fen - 1 where kind = 'collection' and status = 'succeeded'",
        {"rail_has_another_order"},
    ),
    "a key that the rail is said to know for something else": (
        "insert into loans.rail_answers (member_id, transfer_id, kind, status, reason, heard_at)"
        " select member_id, repayment_id, 'collection', 'key_conflict', 'x', requested_at"
        " from loans.repayments limit 1",
        "delete from loans.rail_answers where reason = 'x'",
        {"rail_has_another_order"},
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_was_tampered_with_is_named_and_nothing_else(lived_in, owner, what):
    alter, restore, checks = TAMPERED[what]
    assert owner.execute(alter).rowcount > 0
    try:
        assert await found(lived_in) == checks
    finally:
        owner.execute(restore)
    assert await found(lived_in) == set()


async def test_a_loan_that_is_gone_is_missed(lived_in, owner):
    gone = "loan_id in (select loan_id from loans.loans l where not exists (select 1 from loans.repayments r"
    gone += " where r.loan_id = l.loan_id) and principal_fen > 0 limit 1)"
    owner.execute(f"create temp table kept as select * from loans.loans where {gone}")
    assert owner.execute("delete from loans.loans where loan_id in (select loan_id from kept)").rowcount == 1
    try:
        assert "paid_draw_has_loan" in await found(lived_in)
    finally:
        owner.execute("insert into loans.loans select * from kept")
    assert await found(lived_in) == set()


async def test_a_journal_that_is_gone_is_missed(lived_in, owner):
    """Both its entries deleted, so that everything still sums to nothing: the balances remember."""
    owner.execute(
        "create temp table taken as select e.* from ledger.entries e"
        " join ledger.journals j using (member_id, journal_no) where j.kind = 'interest_due'"
    )
    assert owner.execute("delete from ledger.entries where entry_no in (select entry_no from taken)").rowcount > 1
    try:
        assert {"journal_balances", "balance_equals_entries"} <= await found(lived_in)
    finally:
        owner.execute("insert into ledger.entries overriding system value select * from taken")
    assert await found(lived_in) == set()


async def test_a_finding_says_whose_it_is_and_what(lived_in, owner):
    [member_id] = owner.execute("select member_id from lines.lines where reserved_fen > 0").fetchone()
    owner.execute("update lines.lines set reserved_fen = reserved_fen + 100 where member_id = %s", (member_id,))
    try:
        [finding] = await lived_in.proof()
    finally:
        owner.execute("update lines.lines set reserved_fen = reserved_fen - 100 where member_id = %s", (member_id,))
    assert (finding.check, finding.member_id) == ("line_equals_ledger", member_id)
    assert "reserves 800100, draws 800000, ledger 800000" in finding.what


async def test_the_proof_changes_nothing(lived_in):
    before = await lived_in.rows("select xmin::text, member_id, booked_through from loans.loans order by loan_id")
    await lived_in.proof()
    assert (
        await lived_in.rows("select xmin::text, member_id, booked_through from loans.loans order by loan_id") == before
    )
