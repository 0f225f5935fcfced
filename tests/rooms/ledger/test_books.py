"""Reports and exports from a handful of journals whose sums can be done in the head."""

import tracemalloc
from datetime import UTC, date, datetime
from uuid import UUID

import anyio
import psycopg
import pytest
from ledger_book import SUBS

from grainline.kit.db import make_pool, transaction
from grainline.ledger import Account, product_sub
from grainline.ledger.books import Income, Movement, income_statement, names_of, totals
from grainline.ledger.books_store import Entry, booked_dates, entries, movements
from grainline.ledger.export import account_names, beancount, comma_separated

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 12, 5, 4, 0, tzinfo=UTC)
LOAN, WEILIDAI, JIEBEI = SUBS[0], product_sub("weilidai"), product_sub("jiebei")
PRODUCTS = ("weilidai", "jiebei")
JOURNALS = (
    ("paid", "draw_paid", "2026-11-20", (("1301", LOAN, 1_000_00), ("1002", WEILIDAI, -1_000_00))),
    ("accrual", "accrual", "2026-11-30", (("1305", WEILIDAI, 5_50), ("6011", WEILIDAI, -5_50))),
    ("fee", "fee", "2026-12-01", (("1302", LOAN, 20_00), ("6021", WEILIDAI, -20_00))),
    ("gift", "waiver", "2026-12-02", (("6711", WEILIDAI, 4_00), ("1302", LOAN, -4_00))),
    ("other", "accrual", "2026-12-02", (("1305", JIEBEI, 7), ("6011", JIEBEI, -7))),
    ('odd "key" \\', "year_end", "2026-12-31", (("6011", WEILIDAI, 5_50), ("4104", WEILIDAI, -5_50))),
)


@pytest.fixture(scope="module")
async def pool(databases):
    with psycopg.connect(databases[1], autocommit=True) as connection:
        for key, kind, value_on, lines in JOURNALS:
            accounts, subs, amounts = (list(column) for column in zip(*lines, strict=True))
            connection.execute(
                "select ledger.post(7, %s, %s, %s, %s, %s::text[], %s::uuid[], %s::bigint[])",
                (key, kind, value_on, NOW, accounts, subs, amounts),
            )
    async with make_pool(databases[1], size_max=1) as opened:
        yield opened


async def balance(pool, since, through, **more):
    async with transaction(pool) as tx:
        return await movements(tx, since=date.fromisoformat(since), through=date.fromisoformat(through), **more)


async def written(pool, since, through, form):
    since, through = date.fromisoformat(since), date.fromisoformat(through)
    async with transaction(pool) as tx:
        opening = await movements(tx, since=since, through=through)
        found = entries(tx, since=since, through=through)
        if form == "csv":
            return "".join([piece async for piece in comma_separated(opening, found, products=PRODUCTS)])
        given = {"since": since, "through": through, "products": PRODUCTS}
        return "".join([piece async for piece in beancount(opening, found, **given)])


async def test_a_trial_balance_brings_forward_and_moves(pool):
    rows = await balance(pool, "2026-12-01", "2026-12-30")
    shown = [(r.account.value, r.sub, r.opening_fen, r.debits_fen, r.credits_fen, r.closing_fen) for r in rows]
    assert sorted(shown, key=str) == sorted(
        [
            ("1002", WEILIDAI, -1_000_00, 0, 0, -1_000_00),
            ("1301", None, 1_000_00, 0, 0, 1_000_00),
            ("1302", None, 0, 20_00, 4_00, 16_00),
            ("1305", JIEBEI, 0, 7, 0, 7),
            ("1305", WEILIDAI, 5_50, 0, 0, 5_50),
            ("6011", JIEBEI, 0, 0, 7, -7),
            ("6011", WEILIDAI, -5_50, 0, 0, -5_50),
            ("6021", WEILIDAI, 0, 0, 20_00, -20_00),
            ("6711", WEILIDAI, 0, 4_00, 0, 4_00),
        ],
        key=str,
    )
    assert [r.account for r in rows] == sorted(r.account for r in rows)
    total = totals(rows)
    assert (total.opening_debit_fen, total.debits_fen, total.closing_debit_fen) == (1_005_50, 24_07, 1_025_57)
    assert total.prove


async def test_a_trial_balance_of_one_day_and_of_none(pool):
    [first, second] = await balance(pool, "2026-11-20", "2026-11-20")
    assert (first.credits_fen, second.debits_fen) == (1_000_00, 1_000_00)
    assert await balance(pool, "2026-11-01", "2026-11-19") == []
    assert totals([]).prove


@pytest.mark.parametrize("column", ["opening_fen", "debits_fen"])
async def test_totals_that_differ_prove_nothing(column):
    row = {"opening_fen": 0, "debits_fen": 0, "credits_fen": 0} | {column: 1}
    assert not totals([Movement(Account.LOAN_PRINCIPAL, "甲", "A", "asset", None, **row)]).prove


async def test_income_by_product_is_not_undone_by_the_end_of_the_year(pool):
    rows = await balance(pool, "2026-01-01", "2026-12-31", year_end=False)
    statement = income_statement(rows, PRODUCTS)
    assert statement == [
        Income("jiebei", interest_fen=7),
        Income("weilidai", interest_fen=5_50, fees_fen=20_00, waivers_fen=-4_00),
    ]
    assert [row.result_fen for row in statement] == [7, 21_50]
    december = income_statement(await balance(pool, "2026-12-01", "2026-12-31", year_end=False), PRODUCTS)
    assert [row.interest_fen for row in december] == [7, 0]


async def test_a_product_without_a_pack_keeps_its_number(pool):
    rows = await balance(pool, "2026-01-01", "2026-12-30")
    assert {row.product for row in income_statement(rows, ["weilidai"])} == {"weilidai", str(JIEBEI)}
    assert f"Assets:1305-Accrued-interest:Product-{JIEBEI}" in account_names(rows, names_of(["weilidai"])).values()


async def test_an_export_begins_with_what_was_brought_forward(pool):
    text = await written(pool, "2026-12-01", "2026-12-01", "beancount")
    assert text == (
        'option "title" "Grainline"\n'
        'option "operating_currency" "CNY"\n'
        "\n"
        '2026-12-01 open Assets:1002-Rail-clearing:Weilidai CNY\n  code: "1002"\n  name: "存放清算款"\n'
        '2026-12-01 open Assets:1301-Loan-principal CNY\n  code: "1301"\n  name: "贷款本金"\n'
        '2026-12-01 open Assets:1302-Interest-receivable CNY\n  code: "1302"\n  name: "应收利息"\n'
        '2026-12-01 open Assets:1305-Accrued-interest:Weilidai CNY\n  code: "1305"\n  name: "应计利息"\n'
        '2026-12-01 open Income:6011-Interest-income:Weilidai CNY\n  code: "6011"\n  name: "利息收入"\n'
        '2026-12-01 open Income:6021-Fee-income:Weilidai CNY\n  code: "6021"\n  name: "手续费收入"\n'
        "\n"
        '2026-12-01 * "opening"\n'
        "  Assets:1002-Rail-clearing:Weilidai  -1000.00 CNY\n"
        "  Assets:1301-Loan-principal  1000.00 CNY\n"
        "  Assets:1305-Accrued-interest:Weilidai  5.50 CNY\n"
        "  Income:6011-Interest-income:Weilidai  -5.50 CNY\n"
        "\n"
        '2026-12-01 * "fee"\n  key: "fee"\n  kind: "fee"\n  journal: "3"\n  member: "7"\n'
        '  booked: "2026-12-05T04:00:00.000000Z"\n'
        f'  Assets:1302-Interest-receivable  20.00 CNY\n    sub: "{LOAN}"\n'
        "  Income:6021-Fee-income:Weilidai  -20.00 CNY\n"
        "\n"
        "2026-12-02 balance Assets:1002-Rail-clearing:Weilidai  -1000.00 ~ 0 CNY\n"
        "2026-12-02 balance Assets:1301-Loan-principal  1000.00 ~ 0 CNY\n"
        "2026-12-02 balance Assets:1302-Interest-receivable  20.00 ~ 0 CNY\n"
        "2026-12-02 balance Assets:1305-Accrued-interest:Weilidai  5.50 ~ 0 CNY\n"
        "2026-12-02 balance Income:6011-Interest-income:Weilidai  -5.50 ~ 0 CNY\n"
        "2026-12-02 balance Income:6021-Fee-income:Weilidai  -20.00 ~ 0 CNY\n"
    )


async def test_csv_is_quoted_and_has_yuan(pool):
    lines = (await written(pool, "2026-12-31", "2026-12-31", "csv")).splitlines()
    assert lines[1].startswith('2026-12-31,6,7,year_end,"odd ""key"" \\",2026-12-05T04:00:00.000000Z,4104,未分配利润,')
    assert lines[1].endswith(f"weilidai,{WEILIDAI},,5.50")
    assert lines[2].endswith(f"weilidai,{WEILIDAI},5.50,")
    assert '  key: "odd \\"key\\" \\\\"\n' in await written(pool, "2026-12-31", "2026-12-31", "beancount")


async def test_the_first_and_last_day_of_the_book(pool):
    async with transaction(pool) as tx:
        assert await booked_dates(tx) == (date(2026, 11, 20), date(2026, 12, 31))


async def test_an_export_holds_no_more_in_memory_when_the_book_is_longer():
    """Ten times the journals, the same peak: they go through one by one."""

    async def journals(count):
        for number in range(count):
            for account, sub, fen in (("1301", LOAN, 100), ("1002", WEILIDAI, -100)):
                yield Entry(date(2026, 11, 20), 7, number, "k", "test", NOW, Account(account), sub, fen)

    async def peak(count):
        accounts = [
            Movement(Account.LOAN_PRINCIPAL, "甲", "A", "asset", None, 0, 0, 0),
            Movement(Account.RAIL_CLEARING, "乙", "B", "asset", WEILIDAI, 0, 0, 0),
        ]
        given = {"since": date(2026, 11, 1), "through": date(2026, 11, 30), "products": PRODUCTS}
        tracemalloc.start()
        async for _ in beancount(accounts, journals(count), **given):
            pass
        await anyio.lowlevel.checkpoint()
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await peak(10)  # what is imported and cached once
    assert await peak(5_000) < 2 * await peak(500)


async def test_entries_are_fetched_as_they_are_read(pool):
    async with transaction(pool) as tx:
        found = entries(tx, since=date(2026, 1, 1), through=date(2026, 12, 31))
        first = await anext(found)
        [(name,)] = await (await tx.execute("select name from pg_cursors")).fetchall()
        await found.aclose()
    assert (first.key, first.sub, name) == ("paid", WEILIDAI, "entries")
    assert isinstance(first.sub, UUID)
