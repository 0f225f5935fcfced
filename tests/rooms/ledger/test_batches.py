"""A batch is nothing but its journals, posted one after the other: same balances, same entries, same refusals."""

from dataclasses import replace

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_book import CLEARING, HELD, INCOME, INTEREST, PAYABLE, PRINCIPAL, SUBS, Posting, lent

ACCOUNTS = [CLEARING, PRINCIPAL, INTEREST, HELD, PAYABLE, INCOME]
SUB = SUBS[0]


@st.composite
def journals(draw) -> Posting:
    """Anything that might be posted under one of two members (0 and 1): most of it right, some of it not."""
    places = draw(
        st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(SUBS[:2])), min_size=2, max_size=4, unique=True)
    )
    sign = {"1": 1, "2": -1, "6": -1}
    mostly_right = draw(st.integers(0, 9)) > 0
    amounts = []
    for account, _ in places[:-1]:
        size = draw(st.integers(1, 1_000))
        amounts.append(size * sign[account[0]] * (1 if mostly_right else draw(st.sampled_from([1, -1]))))
    # the last line makes it balance; a house account takes either sign, so that most journals are postable
    last = places[-1] if not mostly_right else (CLEARING, SUBS[2])
    lines = [(*place, amount) for place, amount in zip([*places[:-1], last], [*amounts, -sum(amounts)], strict=True)]
    if draw(st.integers(0, 30)) == 0:
        lines[0] = (*lines[0][:2], lines[0][2] + 1)  # does not balance
    if draw(st.integers(0, 30)) == 0:
        lines[0] = ("9999", *lines[0][1:])  # is not in the chart
    key = draw(st.sampled_from("abcdefgh"))
    return Posting(draw(st.integers(0, 1)), key, tuple(line for line in lines if line[2]))


@st.composite
def batches(draw) -> list[Posting]:
    """Journals, some of them sent twice, as a client that retries would."""
    found = draw(st.lists(journals(), min_size=1, max_size=6, unique_by=lambda posting: posting.key))
    again = draw(st.lists(st.sampled_from(found), max_size=3))
    other = draw(st.integers(0, 9)) == 0
    altered = [replace(found[0], kind="other")] if other else []
    return [*found, *again, *altered]


def outcome(act):
    """Run a call; return its SQLSTATE where it was refused, None where it was not."""
    try:
        act()
    except psycopg.Error as error:
        return error.sqlstate
    return None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches(), st.integers(0, 3))
def test_a_batch_equals_its_journals_posted_singly(book, batch, known):
    """Twins: under one pair of members each is posted by itself, under another all at once.

    The first `known` of them were posted before, under both, as if the client came back after a lost answer.
    """
    singly, at_once = ([book.member(), book.member()] for _ in range(2))
    for_single = [replace(posting, member_id=singly[posting.member_id]) for posting in batch]
    for_batch = [replace(posting, member_id=at_once[posting.member_id]) for posting in batch]
    was_known = set()
    for one, twin in zip(for_single[:known], for_batch[:known], strict=True):
        if outcome(lambda one=one: book.post(one)) is None:
            assert outcome(lambda twin=twin: book.post(twin)) is None
            was_known.add((twin.member_id, twin.key))
    before = [book.statement(member_id) for member_id in at_once]

    def one_by_one():
        with book.connection.transaction():
            for posting in for_single:
                book.post(posting)

    made = []
    refusals = outcome(one_by_one), outcome(lambda: made.append(book.post_batch(for_batch)))
    if refusals[0] is None:
        assert refusals[1] is None
        assert made == [len({(posting.member_id, posting.key) for posting in for_batch} - was_known)]
    else:
        assert refusals[1] is not None
        assert [book.statement(member_id) for member_id in at_once] == before
    for one, twin in zip(singly, at_once, strict=True):
        assert book.balances(twin) == book.balances(one)
        assert book.statement(twin) == book.statement(one)


def test_a_retried_batch_posts_nothing_again(book):
    member_id = book.member()
    batch = [lent(member_id, 100, key=f"k{number}") for number in range(5)]
    assert book.post_batch(batch) == 5
    assert book.post_batch(batch) == 0
    assert book.post_batch([*batch, lent(member_id, 100, key="k5")]) == 1
    assert book.balances(member_id) == {(PRINCIPAL, SUB): 600}


def test_a_journal_twice_within_a_batch_is_posted_once(book):
    member_id = book.member()
    assert book.post_batch([lent(member_id, 100), lent(member_id, 100)]) == 1
    assert book.statement(member_id)[PRINCIPAL, SUB] == [("lend", 100, 100)]


def test_a_journal_posted_singly_is_known_to_the_batch_and_the_other_way_round(book):
    member_id = book.member()
    book.post(lent(member_id, 100, key="first"))
    assert book.post_batch([lent(member_id, 100, key="first"), lent(member_id, 7, key="second")]) == 1
    batched = book.value("select max(journal_no) from ledger.journals where member_id = %s", member_id)
    assert book.post(lent(member_id, 7, key="second")) == batched
    assert book.balances(member_id) == {(PRINCIPAL, SUB): 107}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda member_id: lent(member_id, 101, key="k0"), "GL001"),
        (lambda member_id: Posting(member_id, "w", ((PRINCIPAL, SUB, 1), (CLEARING, SUB, -2))), "GL002"),
        (lambda member_id: Posting(member_id, "w", ((PRINCIPAL, SUB, 1),)), "GL002"),
        (lambda member_id: Posting(member_id, "w", ()), "GL002"),
        (lambda member_id: Posting(member_id, "w", ((PRINCIPAL, SUB, 1), ("9999", SUB, -1))), "GL003"),
        (lambda member_id: lent(member_id, -1_000, key="w"), "23514"),
    ],
    ids=["key of another input", "unbalanced", "a single line", "no line", "unknown account", "overdrawn"],
)
def test_one_wrong_journal_refuses_the_whole_batch(book, wrong, code):
    member_id = book.member()
    with pytest.raises(psycopg.Error) as refusal:
        book.post_batch([lent(member_id, 100, key="k0"), wrong(member_id), lent(member_id, 100, key="k1")])
    assert refusal.value.sqlstate == code
    assert book.statement(member_id) == {}


def test_a_batch_may_not_overdraw_on_the_way_even_if_its_end_is_right(book):
    """As if posted one after the other: money must have come before it goes."""
    member_id = book.member()
    there, back = lent(member_id, 100, key="there"), lent(member_id, -100, key="back")
    with pytest.raises(psycopg.errors.CheckViolation):
        book.post_batch([back, there])
    assert book.post_batch([there, back]) == 2
    assert book.statement(member_id)[PRINCIPAL, SUB] == [("there", 100, 100), ("back", -100, 0)]


def test_an_empty_batch_posts_nothing(book):
    assert book.post_batch([]) == 0
