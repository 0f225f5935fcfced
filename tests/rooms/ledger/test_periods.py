"""Accounting periods: closed in order, each once, and then nobody can book in them, not even by a race."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from ledger_book import CLEARING, INCOME, PRINCIPAL, SUBS

from grainline.ledger import product_sub
from grainline.ledger.periods import (
    NothingBooked,
    PeriodNotAMonth,
    PeriodNotOver,
    PeriodOutOfOrder,
    check_period,
    month_end,
)

NOW = datetime(2027, 1, 5, 4, 0, tzinfo=UTC)
NOVEMBER, DECEMBER = date(2026, 11, 30), date(2026, 12, 31)
FIRST = date(2026, 11, 20)
SUB = product_sub("weilidai")


def check(ends_on, *, closed=None, first_booked=FIRST, today=date(2027, 1, 5)):
    return check_period(ends_on, closed=closed, first_booked=first_booked, today=today)


def test_the_first_period_is_the_month_of_the_first_journal():
    assert check(NOVEMBER)
    for other in (date(2026, 10, 31), DECEMBER):
        with pytest.raises(PeriodOutOfOrder) as refusal:
            check(other)
        assert refusal.value.params["expected"] == "2026-11-30"


def test_each_further_period_is_the_month_after():
    assert check(DECEMBER, closed=NOVEMBER)
    with pytest.raises(PeriodOutOfOrder):
        check(date(2027, 1, 31), closed=NOVEMBER, today=date(2027, 2, 1))
    assert check(date(2028, 2, 29), closed=date(2028, 1, 31), today=date(2028, 3, 1))


def test_a_closed_period_is_closed():
    assert not check(NOVEMBER, closed=DECEMBER)
    assert not check(DECEMBER, closed=DECEMBER)
    with pytest.raises(PeriodOutOfOrder):
        check(date(2026, 10, 31), closed=DECEMBER)  # there never was one


def test_a_period_ends_with_a_month_that_is_over():
    with pytest.raises(PeriodNotAMonth):
        check(date(2028, 2, 28), today=date(2028, 3, 1))
    with pytest.raises(PeriodNotOver):
        check(DECEMBER, closed=NOVEMBER, today=DECEMBER)
    assert check(DECEMBER, closed=NOVEMBER, today=DECEMBER + timedelta(days=1))
    with pytest.raises(NothingBooked):
        check(NOVEMBER, first_booked=None)


@pytest.mark.parametrize(
    ("day", "end"),
    [("2026-11-01", "2026-11-30"), ("2026-12-31", "2026-12-31"), ("2028-02-01", "2028-02-29")],
)
def test_a_months_end(day, end):
    assert month_end(date.fromisoformat(day)) == date.fromisoformat(end)


@pytest.fixture
def owner(databases):
    """The database's owner, who alone can undo a close when the test is over."""
    with psycopg.connect(databases[0], autocommit=True) as connection:
        yield connection
        connection.execute("truncate ledger.closed_periods, ledger.journals, ledger.entries, ledger.balances")


def post(connection, member_id, key, value_on, lines=((PRINCIPAL, SUBS[0], 700), (CLEARING, SUB, -700))):
    accounts, subs, amounts = (list(column) for column in zip(*lines, strict=True))
    return connection.execute(
        "select ledger.post(%s, %s, 'test', %s, %s, %s::text[], %s::uuid[], %s::bigint[])",
        (member_id, key, value_on, NOW, accounts, subs, amounts),
    ).fetchone()[0]


def post_batch(connection, member_id, days):
    count = len(days)
    return connection.execute(
        "select ledger.post_batch(%s::bigint[], %s::text[], %s::text[], %s::date[], %s, %s::int[], %s::text[],"
        " %s::uuid[], %s::bigint[])",
        (
            *([member_id] * count, [f"b{day}" for day in days], ["test"] * count, days, NOW),
            [number for number in range(1, count + 1) for _ in range(2)],
            *([PRINCIPAL, CLEARING] * count, [SUBS[0], SUB] * count, [5, -5] * count),
        ),
    ).fetchone()[0]


def close(connection, ends_on):
    return connection.execute("select ledger.close_period(%s, %s, 'somebody')", (ends_on, NOW)).fetchone()[0]


def test_the_database_closes_a_period_once_and_in_order(book, owner):
    post(book.connection, book.member(), "k", FIRST)
    assert book.value("select ledger.period_open(%s)", NOVEMBER)
    assert close(book.connection, NOVEMBER) is True
    assert close(book.connection, NOVEMBER) is False
    for wrong in (date(2026, 12, 30), date(2027, 1, 31), date(2026, 10, 31), date(2026, 12, 1)):
        with pytest.raises(psycopg.Error) as refusal:
            close(book.connection, wrong)
        assert refusal.value.sqlstate == "GL005"
    for day, is_open in ((FIRST, False), (NOVEMBER, False), (date(2026, 12, 1), True), (date(1999, 1, 1), False)):
        assert book.value("select ledger.period_open(%s)", day) is is_open
    last = book.value("select max(journal_no) from ledger.journals")
    assert book.rows("select ends_on, closed_at, closed_by, through_journal from ledger.closed_periods") == [
        (NOVEMBER, NOW, "somebody", last)
    ]


def test_nothing_is_posted_in_a_closed_period(book, owner):
    member_id = book.member()
    number = post(book.connection, member_id, "before", NOVEMBER)
    close(book.connection, NOVEMBER)
    for day in (NOVEMBER, FIRST, date(2020, 1, 1)):
        with pytest.raises(psycopg.Error) as refusal:
            post(book.connection, member_id, "late", day)
        assert refusal.value.sqlstate == "GL004"
    assert post(book.connection, member_id, "before", NOVEMBER) == number  # it was in the book before
    post(book.connection, member_id, "late", date(2026, 12, 1))
    assert book.balances(member_id) == {(PRINCIPAL, SUBS[0]): 1400}


def test_a_batch_with_one_journal_in_a_closed_period_is_refused_whole(book, owner):
    member_id = book.member()
    before = [FIRST, NOVEMBER]
    assert post_batch(book.connection, member_id, before) == 2
    close(book.connection, NOVEMBER)
    with pytest.raises(psycopg.Error) as refusal:
        post_batch(book.connection, member_id, [date(2026, 12, 1), date(2026, 11, 29)])
    assert refusal.value.sqlstate == "GL004"
    assert book.balances(member_id) == {(PRINCIPAL, SUBS[0]): 10}
    assert post_batch(book.connection, member_id, [*before, date(2026, 12, 1)]) == 1


def test_closing_waits_for_a_posting_under_way_and_lets_none_in_after(book, owner):
    """One journal is posted and not committed when the close begins, another comes while the close is waiting."""
    member_id, waiting = book.member(), "select count(*) from pg_locks where not granted and relation = %s::regclass"
    with ThreadPoolExecutor(2) as pool, book.connect() as closer, book.connect() as poster:
        with book.connect() as first, first.transaction():
            post(first, member_id, "under way", NOVEMBER)
            closed = pool.submit(close, closer, NOVEMBER)
            while book.value(waiting, "ledger.journals") < 1:
                assert not closed.done()
            late = pool.submit(post, poster, member_id, "too late", NOVEMBER)
            while book.value(waiting, "ledger.journals") < 2:
                assert not late.done()
        assert closed.result(10) is True
        assert late.exception(10).sqlstate == "GL004"
    assert [key for (key,) in book.rows("select idempotency_key from ledger.journals")] == ["under way"]


def test_closing_waits_for_whoever_asked_from_when_on_may_be_booked(book, owner):
    """Or what is dated by the answer would be refused, because its period was closed in between."""
    member_id, waiting = book.member(), "select count(*) from pg_locks where not granted and relation = %s::regclass"
    with ThreadPoolExecutor(1) as pool, book.connect() as closer:
        with book.connect() as first, first.transaction():
            assert first.execute("select ledger.hold_periods()").fetchone() == (None,)
            closed = pool.submit(close, closer, NOVEMBER)
            while book.value(waiting, "ledger.journals") < 1:
                assert not closed.done()
            post(first, member_id, "in time", FIRST)
        assert closed.result(10) is True
    assert book.value("select ledger.hold_periods()") == NOVEMBER


def test_a_posting_that_was_open_before_the_close_and_posts_after_it_is_refused(book, owner):
    with book.connect() as early, early.transaction(force_rollback=True):
        early.execute("select 1 from ledger.closed_periods")  # its first look was before
        close(book.connection, NOVEMBER)
        with pytest.raises(psycopg.Error) as refusal:
            post(early, book.member(), "late", NOVEMBER)
    assert refusal.value.sqlstate == "GL004"


def test_with_the_year_income_and_expense_go_to_retained_earnings_by_product(book, owner):
    """Weilidai earned 300.00 and lost 120.00, the other earned 50.00 and lost it again, the next year waits."""
    other = product_sub("jiebei")
    lines = ((CLEARING, SUB, 18_000), (INCOME, SUB, -30_000), ("6702", SUB, 12_000))
    post(book.connection, book.member(), "a", NOVEMBER, lines)
    post(book.connection, book.member(), "b", FIRST, ((INCOME, other, -5_000), ("6711", other, 5_000)))
    post(book.connection, book.member(), "c", date(2027, 1, 1), ((CLEARING, SUB, 900), (INCOME, SUB, -900)))
    close(book.connection, NOVEMBER)
    close(book.connection, DECEMBER)
    rows = book.rows(
        "select sub, account, amount_fen from ledger.entries join ledger.journals j using (member_id, journal_no)"
        " where j.kind = 'year_end' and j.value_on = %s and j.member_id = 0 order by 1, 2",
        DECEMBER,
    )
    assert rows == sorted(
        [
            (SUB, INCOME, 30_000),
            (SUB, "6702", -12_000),
            (SUB, "4104", -18_000),
            (other, INCOME, 5_000),
            (other, "6711", -5_000),
        ]
    )
    assert book.value("select ledger.house_balance('6011', %s)", SUB) == -900
    assert book.value("select count(*) from ledger.journals where kind = 'year_end'") == 2


def test_the_application_cannot_open_a_period_again(book, owner):
    close(book.connection, NOVEMBER)
    for attempt in (
        "delete from ledger.closed_periods",
        "update ledger.closed_periods set ends_on = '2020-01-31'",
        "truncate ledger.closed_periods",
        "insert into ledger.closed_periods values ('2030-12-31', now(), 'x', 0)",
        "create or replace function ledger.period_open(p_day date) returns boolean language sql as 'select true'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            book.connection.execute(attempt)
