"""Loans that fall due on a fixed day or on working days: quoted, signed, paid out, debited, and proved."""

from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from typing import Any, cast

import psycopg
import pytest

from grainline.entry.worker import day_work
from grainline.kit.calendar import add_months, at
from grainline.kit.holidays import holiday_tables
from grainline.products import BusinessDayConvention, Pack
from holiday_years import holiday_table, only
from stage import Stage

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
ENGLISH = {"Accept-Language": "en"}
WISH = {"amount_fen": 1_000_000, "instalments": 5}


@contextmanager
def offered(stage: Stage, version: str, **schedule: Any) -> Iterator[None]:
    """Have the platform's first product set due dates otherwise, under a version of its own, for a block."""
    packs, plain = cast("dict[str, Pack]", stage.platform.packs), stage.platform.pack
    product = plain.product.model_copy(update={"version": version})
    pack = plain.model_copy(update={"product": product, "schedule": plain.schedule.model_copy(update=schedule)})
    with psycopg.connect(stage.owner_url) as connection:
        for shape in pack.schedule.shapes:
            kept = pack.rules_name(shape), pack.rules(shape).model_dump_json()
            connection.execute("insert into loans.rule_sets values (%s, %s)", kept)
    packs[product.code] = pack
    try:
        yield
    finally:
        packs[product.code] = plain


def month_ends(after, count):
    """The last days of the months that follow a date's."""
    firsts = [add_months(after.replace(day=1), number) for number in range(1, count + 1)]
    return [first.replace(day=monthrange(first.year, first.month)[1]) for first in firsts]


async def come_to(stage, day, clock_time):
    stage.clock.advance_to(at(day, clock_time))
    await day_work(stage.platform, stage.clock())
    await stage.work()


def dates(rows):
    return [date.fromisoformat(row["due_on"]) for row in rows]


async def repayments(person, loan_id):
    loan = await person.get(f"/loans/{loan_id}")
    return [(row["state"], row["amount_fen"]) for row in loan["repayments"]]


async def test_a_loan_that_falls_due_at_the_end_of_each_month(stage):
    """Drawn on a 25th with ten days at least: the end of that month is too near, so the next one's is the first."""
    drawn_on = add_months(stage.today().replace(day=25), 1)
    stage.clock.advance_to(at(drawn_on, time(12)))
    due = month_ends(drawn_on, 5)
    with offered(stage, "2097-01-01", due_day=31, first_period_min_days=10):
        person = await stage.borrower()
        quoted = await person.post("/quotes", WISH)
        assert dates(quoted["rows"]) == due
        contract = await person.contract(10_000)
        assert all(day.isoformat() in contract["text"] for day in due)
        draw_id = await person.draw(10_000)
    # paid only on the day after: the due dates stay, the first period is a day shorter
    stage.clock.advance_to(at(drawn_on + DAY, time(12)))
    await stage.work()
    rows = (await person.get(f"/loans/{draw_id}"))["rows"]
    assert dates(rows) == due
    assert [row["days"] for row in rows[1:]] == [row["days"] for row in quoted["rows"][1:]]
    first = (due[0] - drawn_on - DAY).days
    # 10,000 yuan at 0.05 % are 500 fen a day
    assert (rows[0]["days"], rows[0]["interest_fen"], rows[0]["principal_fen"]) == (first, first * 500, 200_000)
    assert quoted["rows"][0]["interest_fen"] == (first + 1) * 500

    await come_to(stage, due[0] - DAY, time(18))
    assert await repayments(person, draw_id) == []
    await come_to(stage, due[0], time(9))
    paid = [("collected", rows[0]["total_fen"])]
    assert await repayments(person, draw_id) == paid
    await come_to(stage, due[1] - DAY, time(18))
    assert await repayments(person, draw_id) == paid
    await come_to(stage, due[1], time(9))
    assert await repayments(person, draw_id) == [*paid, ("collected", rows[1]["total_fen"])]
    assert await stage.proof() == []


async def test_a_loan_moves_to_working_days_and_a_later_table_moves_none_of_them(stage):
    today = stage.today()
    years = range(today.year, today.year + 3)
    nominal = [add_months(today, number) for number in range(1, 6)]
    first_table = holiday_table("test-1", years, nominal[0])

    def moved(day):
        while day.weekday() > 4 or day == nominal[0]:
            day += DAY
        return day

    due = [moved(day) for day in nominal]
    assert due[0] > nominal[0]
    following = {"business_day_convention": BusinessDayConvention.FOLLOWING, "holiday_table": "test-1"}
    with only(first_table):
        with offered(stage, "2097-01-02", **following):
            person = await stage.borrower()
            loan_id = await person.loan(10_000)
        loan = await person.get(f"/loans/{loan_id}")
        assert dates(loan["rows"]) == due
        assert [row["days"] for row in loan["rows"]] == [
            (end - start).days for start, end in zip([today, *due], due, strict=False)
        ]
        assert loan["rows"][0]["interest_fen"] == (due[0] - today).days * 500
    with only(first_table, holiday_table("test-2", years, *due)):
        assert (await person.get(f"/loans/{loan_id}"))["rows"] == loan["rows"]
        await come_to(stage, due[0] - DAY, time(18))
        assert await repayments(person, loan_id) == []
        await come_to(stage, due[0], time(9))
        assert await repayments(person, loan_id) == [("collected", loan["rows"][0]["total_fen"])]
        assert await stage.proof() == []


async def test_a_year_without_a_table_is_refused_and_never_taken_for_one_without_holidays(stage):
    last = max(year for table in holiday_tables() for year in table.years)
    if stage.today() < date(last, 12, 10):
        stage.clock.advance_to(at(date(last, 12, 10), time(12)))
    year = max(last + 1, add_months(stage.today(), 1).year)
    version = holiday_tables()[-1].version
    following = {"business_day_convention": BusinessDayConvention.FOLLOWING, "holiday_table": version}
    person = await stage.borrower()
    with offered(stage, "2097-01-03", **following):
        refused = await person.refused("/quotes", WISH)
        assert (refused["status"], refused["code"], refused["year"]) == (422, "no_holiday_table", year)
        assert refused["detail"] == f"{year} 年的节假日安排尚未公布，还款日不能落在该年，请选择较短的期限"
        english = (await person.call("POST", "/quotes", WISH, **ENGLISH)).json()
        assert english["detail"].startswith(f"The holidays of {year} are not known yet")
        card = (await person.get("/cards"))["items"][0]["card_id"]
        asked = WISH | {"purpose": "travel", "card_id": card}
        assert (await person.refused("/disclosures", asked))["code"] == "no_holiday_table"
        compared = (await stage.api.get("/products/comparison?amount_fen=1000000&instalments=5")).json()
        cannot = {item["product"]: item["cannot"] for item in compared["items"]}
        assert cannot["weilidai"] == {"code": "no_holiday_table", "text": "还款日所在年份的节假日尚未公布"}
        assert cannot["jiebei"]["code"] != "no_holiday_table"
    assert dates((await person.post("/quotes", WISH))["rows"])[-1].year >= year  # nothing moves, so nothing is refused
