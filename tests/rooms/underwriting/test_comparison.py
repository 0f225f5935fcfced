"""Products side by side: what each says of itself, and what one loan costs with each, from the packs alone."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.entry.wiring import read_packs
from grainline.guard.limits import DrawAboveMaximum, DrawBelowMinimum, DrawNotAMultiple
from grainline.kit.holidays import NoHolidayTable
from grainline.loans.quote import UnknownTerm, quote
from grainline.products import Shape
from grainline.underwriting.comparison import compare
from grainline.underwriting.words import CANNOT, PREPAYMENTS, SHAPES

PACKS = read_packs()
ENGLISH = {"Accept-Language": "en"}
COLUMNS = [
    ("weilidai", "equal_principal"),
    ("jiebei", "equal_principal"),
    ("jintiao", "equal_principal"),
    ("jintiao", "equal_instalment"),
    ("jintiao", "interest_first"),
]


async def asked(stage, amount_fen, instalments, **headers):
    path = f"/products/comparison?amount_fen={amount_fen}&instalments={instalments}"
    answer = await stage.api.get(path, headers=headers)
    return answer.status_code, answer.json()


@pytest.mark.anyio
async def test_anybody_may_read_every_product_with_its_terms(stage):
    answer = (await stage.api.get("/products", headers=ENGLISH)).json()
    assert [(item["code"], item["name"]) for item in answer["items"]] == [
        ("weilidai", "Weilidai"),
        ("jiebei", "Jiebei"),
        ("jintiao", "Jintiao"),
    ]
    weilidai, jiebei, jintiao = answer["items"]
    assert weilidai["admission"] == {"kind": "invitation", "score": None}
    assert jiebei["admission"]["score"] == {
        "name": "Zhima-like score (our own)",
        "low": 350,
        "high": 950,
        "min": 600,
        "points": None,
    }
    assert jiebei["rate"] == {
        "daily_min_percent": "0.015",
        "daily_max_percent": "0.06",
        "annual_min_percent": "5.48",
        "annual_max_percent": "21.90",
    }
    assert [shape["code"] for shape in jintiao["shapes"]] == ["equal_principal", "equal_instalment", "interest_first"]
    assert (jintiao["draw"]["funded_within_minutes"], jintiao["line_max_fen"]) == (15, 20_000_000)
    assert answer["instalments"] == [1, 3, 5, 6, 10, 12, 20]
    assert answer["amounts"] == {"min_fen": 10_000, "max_fen": 4_000_000, "step_fen": 10_000}


@pytest.mark.anyio
async def test_the_same_loan_costs_what_each_product_would_quote(stage):
    """10,000 yuan for six months: Jiebei and Jintiao have the term, and Weilidai is shown for its nearest."""
    status, answer = await asked(stage, 1_000_000, 6, **ENGLISH)
    assert status == 200
    assert [(item["product"], item["shape"]) for item in answer["items"]] == COLUMNS
    assert [item["possible"] for item in answer["items"]] == [False, True, True, True, True]
    weilidai, jiebei = answer["items"][:2]
    assert weilidai["cannot"] == {"code": "unknown_term", "text": "Not one of its terms"}
    assert (weilidai["instalments"], len(weilidai["highest"]["instalments_fen"])) == (5, 5)
    assert (jiebei["cannot"], jiebei["instalments"]) == (None, 6)
    assert jiebei["lowest"]["annual_rate_percent"] == "5.48"
    for item in answer["items"]:
        pack = PACKS[item["product"]]
        for cost, rate_e8 in ((item["lowest"], pack.rate.min_e8), (item["highest"], pack.rate.max_e8)):
            quoted = quote(
                pack,
                amount_fen=1_000_000,
                instalments=item["instalments"],
                rate_e8=rate_e8,
                starts_on=stage.today(),
                shape=Shape(item["shape"]),
            )
            assert cost["interest_fen"] == quoted.interest_fen == cost["total_fen"] - 1_000_000
            assert cost["instalments_fen"] == [row.total_fen for row in quoted.rows]
            assert (cost["annual_rate_percent"], cost["annual_rate_irr_percent"]) == (
                quoted.annual_simple_percent,
                quoted.annual_irr_percent,
            )


def test_interest_by_hand():
    """10,000 yuan from 1 November for three months at 0.06 % a day, in Jintiao's three shapes: 30, 31 and 31 days."""
    compared = compare([PACKS["jintiao"]], amount_fen=1_000_000, instalments=3, starts_on=date(2026, 11, 1))
    parts, even, end = (one.quotes[1] for one in compared)
    # 10,000.00 × 30 + 6,666.67 × 31 + 3,333.34 × 31, at 0.0006: 180.00 + 124.00 + 62.00
    assert parts.interest_fen == 18_000 + 12_400 + 6_200
    # 10,000.00 × (30 + 31 + 31) × 0.0006
    assert end.interest_fen == 18_000 + 18_600 + 18_600
    assert [row.total_fen for row in end.rows] == [18_000, 18_600, 1_018_600]
    first, second, last = (row.total_fen for row in even.rows)
    assert first == second
    assert abs(last - first) <= 3
    assert parts.interest_fen < even.interest_fen < end.interest_fen


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("amount_fen", "code", "able"),
    [
        (40_000, "draw_below_minimum", {"weilidai", "jiebei"}),
        (4_010_000, "draw_above_maximum", set()),
        (1_000_001, "draw_not_a_multiple", set()),
    ],
)
async def test_an_amount_a_product_does_not_lend_has_a_reason_and_no_cost(stage, amount_fen, code, able):
    _, answer = await asked(stage, amount_fen, 3, **ENGLISH)
    for item in answer["items"]:
        if item["product"] in able:
            assert item["lowest"]
        else:
            assert (item["possible"], item["cannot"]["code"]) == (False, code)
            assert (item["lowest"], item["highest"], item["instalments"]) == (None, None, None)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "query",
    [
        "amount_fen=0&instalments=3",
        "amount_fen=-100&instalments=3",
        "amount_fen=1000.5&instalments=3",
        "amount_fen=10000000000000000&instalments=3",
        "amount_fen=10000&instalments=0",
        "amount_fen=10000&instalments=361",
        "amount_fen=x&instalments=3",
        "amount_fen=10000",
        "",
    ],
)
async def test_what_is_no_amount_or_term_is_refused(stage, query):
    answer = await stage.api.get(f"/products/comparison?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@given(st.integers(1, 500).map(lambda hundreds: hundreds * 10_000), st.integers(1, 40))
def test_a_product_can_do_it_exactly_if_it_quotes_it(amount_fen, instalments):
    for one in compare(PACKS.values(), amount_fen=amount_fen, instalments=instalments, starts_on=date(2026, 1, 31)):
        rule = one.pack.draw
        lends = rule.min_fen <= amount_fen <= rule.max_fen
        assert (one.quotes is not None) is lends
        assert (one.cannot is None) is (lends and instalments in one.pack.schedule.instalments)
        if one.quotes:
            lowest, highest = one.quotes
            assert lowest.interest_fen <= highest.interest_fen
            terms = one.pack.schedule.instalments
            assert abs(lowest.terms.instalments - instalments) == min(abs(term - instalments) for term in terms)


def test_everything_a_pack_says_in_codes_has_a_name_in_both_languages():
    refusals = (DrawBelowMinimum, DrawAboveMaximum, DrawNotAMultiple, UnknownTerm, NoHolidayTable)
    assert {refusal.code for refusal in refusals} == set(CANNOT)
    for names in (SHAPES, PREPAYMENTS, CANNOT):
        assert all(set(name) == {"zh", "en"} and all(name.values()) for name in names.values())
    for pack in PACKS.values():
        assert set(pack.schedule.shapes) <= set(SHAPES)
        assert pack.repayment.prepayment in PREPAYMENTS
