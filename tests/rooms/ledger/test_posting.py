"""One journal at a time: it balances, it is posted once, and nobody is overdrawn."""

import psycopg
import pytest
from ledger_book import CLEARING, HELD, INCOME, INTEREST, PAYABLE, PRINCIPAL, SUBS, Posting, lent

SUB = SUBS[0]


def refused(book, posting, *codes):
    """Post what must be refused under an SQLSTATE, and see that nothing of it stayed."""
    before = book.value("select count(*) from ledger.journals")
    with pytest.raises(psycopg.Error) as refusal:
        book.post(posting)
    assert refusal.value.sqlstate in codes
    assert book.value("select count(*) from ledger.journals") == before
    assert book.statement(posting.member_id) == {}
    assert book.balances(posting.member_id) == {}


@pytest.mark.parametrize(
    "lines",
    [
        ((PRINCIPAL, SUB, 100), (CLEARING, SUB, -99)),
        ((PRINCIPAL, SUB, 100), (CLEARING, SUB, 100)),
        ((PRINCIPAL, SUB, 2**62), (INTEREST, SUB, 2**62), (HELD, SUB, 2**62), (CLEARING, SUB, -1)),
        ((PRINCIPAL, SUB, 100),),
        ((PRINCIPAL, SUB, 0),),
        (),
    ],
    ids=["a fen missing", "two debits", "larger than any integer", "a single line", "a single nothing", "no line"],
)
def test_debits_equal_credits_or_nothing_is_posted(book, lines):
    refused(book, Posting(book.member(), "k", lines), "GL002")


def test_an_account_outside_the_chart_is_refused(book):
    refused(book, Posting(book.member(), "k", (("1301", SUB, 100), ("9999", SUB, -100))), "GL003")


def test_an_asset_cannot_be_overdrawn(book):
    """More principal repaid than was lent is an error in our books, not a negative loan."""
    refused(book, lent(book.member(), -100), "23514")


def test_what_is_owed_to_a_member_cannot_turn_into_a_claim(book):
    refused(book, Posting(book.member(), "k", ((PAYABLE, SUB, 100), (CLEARING, SUB, -100))), "23514")


def test_a_line_of_nothing_is_refused(book):
    refused(book, Posting(book.member(), "k", ((PRINCIPAL, SUB, 0), (CLEARING, SUB, 0))), "23514")


def test_an_account_appears_once_in_a_journal(book):
    lines = ((PRINCIPAL, SUB, 100), (PRINCIPAL, SUB, 100), (CLEARING, SUB, -200))
    refused(book, Posting(book.member(), "k", lines), "21000", "23505")


def test_the_same_key_with_the_same_input_is_the_same_journal(book):
    member_id = book.member()
    number = book.post(lent(member_id, 100))
    assert book.post(lent(member_id, 100)) == number
    assert book.balances(member_id) == {(PRINCIPAL, SUB): 100}


@pytest.mark.parametrize("change", ["amount", "account", "sub", "kind", "order"])
def test_the_same_key_with_another_input_is_refused(book, change):
    member_id = book.member()
    first = lent(member_id, 100)
    book.post(first)
    other = {
        "amount": lent(member_id, 101),
        "account": Posting(member_id, "lend", ((INTEREST, SUB, 100), (INCOME, SUB, -100))),
        "sub": lent(member_id, 100, sub=SUBS[1]),
        "kind": Posting(member_id, "lend", first.lines, kind="other"),
        "order": Posting(member_id, "lend", first.lines[::-1]),
    }[change]
    with pytest.raises(psycopg.Error) as refusal:
        book.post(other)
    assert refusal.value.sqlstate == "GL001"
    assert book.balances(member_id) == {(PRINCIPAL, SUB): 100}


def test_a_key_is_a_members_own(book):
    one, other = book.member(), book.member()
    assert book.post(lent(one, 100)) != book.post(lent(other, 250))
    assert book.balances(other) == {(PRINCIPAL, SUB): 250}


def test_every_entry_of_a_member_carries_the_balance_after_it(book):
    """Lend 1,000.00, charge 15.00, collect 215.00: a statement reads line by line."""
    member_id = book.member()
    book.post(lent(member_id, 100_000))
    book.post(Posting(member_id, "due", ((INTEREST, SUB, 1_500), (INCOME, SUB, -1_500))))
    repaid = ((CLEARING, SUB, 21_500), (PRINCIPAL, SUB, -20_000), (INTEREST, SUB, -1_500))
    book.post(Posting(member_id, "repaid", repaid))
    assert book.statement(member_id) == {
        (PRINCIPAL, SUB): [("lend", 100_000, 100_000), ("repaid", -20_000, 80_000)],
        (INTEREST, SUB): [("due", 1_500, 1_500), ("repaid", -1_500, 0)],
        (CLEARING, SUB): [("lend", -100_000, None), ("repaid", 21_500, None)],
        (INCOME, SUB): [("due", -1_500, None)],
    }


def test_sub_accounts_are_apart(book):
    member_id = book.member()
    book.post(lent(member_id, 100, key="a", sub=SUBS[0]))
    book.post(lent(member_id, 40, key="b", sub=SUBS[1]))
    assert book.balances(member_id) == {(PRINCIPAL, SUBS[0]): 100, (PRINCIPAL, SUBS[1]): 40}
    with pytest.raises(psycopg.errors.CheckViolation):
        book.post(lent(member_id, -50, key="c", sub=SUBS[1]))  # the other loan's money does not help


def test_a_house_account_is_never_a_row_that_postings_wait_for(book):
    member_id = book.member()
    before = book.value("select ledger.house_balance(%s)", CLEARING)
    book.post(lent(member_id, 700))
    assert book.value("select ledger.house_balance(%s)", CLEARING) == before - 700
    assert book.rows("select 1 from ledger.balances where account in (%s, %s)", CLEARING, INCOME) == []
