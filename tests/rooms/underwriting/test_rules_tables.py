"""A table with a gap, an overlap or a row that nothing reaches is refused, and the message says where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_files import BODIES, PACKS, PROFILE, RULES, cell, changed, rows_of

from grainline.products import RateMethod
from grainline.products.profile import RateAboveCap
from grainline.underwriting.rules import BadRules, Hit, Result, load_rules, misfits
from grainline.underwriting.rules.cells import BadCell, read_cell
from grainline.underwriting.rules.facts import Fact, FactKind
from grainline.underwriting.rules.table import Row, Table, faults, meets, without


def said(body: bytes) -> list[str]:
    with pytest.raises(BadRules) as refused:
        load_rules(body)
    return list(refused.value.problems)


@pytest.mark.parametrize("product", sorted(PACKS))
def test_the_shipped_rules_are_complete_and_keep_pack_and_profile(product):
    rules = load_rules(BODIES[product])
    assert misfits(rules, PACKS[product], PROFILE) == ()
    assert (rules.product, rules.version) == (product, "2026-11-01")
    assert rules == load_rules(bytes(bytearray(BODIES[product])))
    assert rules.to_bytes() == BODIES[product]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (cell("tier", 2, "pd_e6", "(80001..140000]"), "table tier: no row is for pd_e6 80001"),
        (cell("tier", 2, "pd_e6", "(80000..139999)"), "table tier: no row is for pd_e6 139999 … 140000"),
        (cell("tier", 2, "pd_e6", "[80000..140000]"), "table tier: rows 1 and 2 overlap at pd_e6 80000"),
        (lambda d: rows_of(d, "tier").pop(), "table tier: no row is for pd_e6 180001 … 1000000"),
        (lambda d: rows_of(d, "admission").pop(1), "table admission: no row is for invited false"),
        (cell("purpose", 3, "purpose", '"gambling"'), "table purpose: no row is for purpose other"),
        (
            lambda d: rows_of(d, "review").insert(0, rows_of(d, "review").pop()),
            "table review: row 2 is never reached: the rows above it let everything it names through",
        ),
    ],
)
def test_gaps_overlaps_and_dead_rows_are_said_with_their_place(change, problem):
    assert problem in said(changed(change))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (cell("tier", 1, "pd_e6", "<= 8e4"),
         "table tier: row 1: pd_e6: <= 8e4 is no whole number, comparison or range"),
        (cell("tier", 1, "pd_e6", "<= pd_gap_e6"),
         "table tier: row 1: pd_e6: <= pd_gap_e6 is no whole number, comparison or range"),
        (cell("tier", 4, "pd_e6", "> 1000000"), "table tier: row 4: pd_e6: > 1000000 lets no value through"),
        (cell("regulation", 1, "age", "< 200"), "table regulation: row 1: age: < 200 leaves age, which is 0 … 150"),
        (cell("regulation", 2, "student", '"sometimes"'),
         "table regulation: row 2: student: sometimes is none of no, yes, unknown"),
        (cell("admission", 1, "invited", "True"), "table admission: row 1: invited: True is neither true nor false"),
        (cell("tier", 4, "result", '"maybe"'), "table tier: row 4: result: maybe is none of pass, review, decline"),
        (cell("tier", 4, "reason", '"because"'), "table tier: row 4: reason: because has no text"),
        (cell("tier", 4, "reason", ""),
         "table tier: row 4: reason: must be there unless the row passes, and not where it does"),
        (cell("tier", 4, "tier", '"prime"'), "table tier: row 4: tier: who is declined has none"),
        (lambda d: rows_of(d, "tier")[0].update(more="1"), "table tier: row 1: more is no column"),
        (lambda d: d["nodes"][5]["content"]["inputs"][0].update(field="wage"),
         "table tier: column wage: there is no such fact"),
        (lambda d: d["nodes"][5]["content"].update(hitPolicy="collect"),
         "table tier: is run as collect into tier, and meant as unique into tier"),
        (lambda d: d["edges"].pop(0), "edges: facts → admission is missing"),
        (lambda d: d["edges"].append({"id": "x", "sourceId": "tier", "targetId": "review"}),
         "edges: tier → review may not be"),
        (lambda d: d["tables"].pop("tier"), "tables: must name every table of the graph, and nothing else"),
        (lambda d: d.update(more=1), "more: Extra inputs are not permitted"),
        (lambda d: d["facts"][1].update(low=200), "facts.1.low: is above high"),
        (lambda d: d["facts"].append({**d["facts"][1], "name": "wage"}), "facts: no table looks at wage"),
        (lambda d: d["reasons"].update(spare={"zh": "无", "en": "None"}), "reasons: no row gives spare"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_table_and_row(change, problem):
    assert problem in said(changed(change))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"product": NaN}', b'{"product": "a", "product": "b"}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_rules_file_is_refused_as_such(body):
    assert said(body)


@pytest.mark.parametrize(
    ("change", "demand", "example"),
    [
        (cell("regulation", 1, "age", "< 16"), "age 0 … 17 must be declined", "age 16 … 17"),
        (cell("regulation", 2, "result", '"review"'), "student yes must be declined", "student yes"),
        (cell("regulation", 4, "owed_all_fen", ">= 50000001"),
         "owed_all_fen 50000000 … 1000000000000 must be declined", "owed_all_fen 50000000"),
        (lambda d: (rows_of(d, "knock_out").pop(), d["reasons"].pop("bureau_unavailable")),
         "bureau unavailable must never be approved", "bureau unavailable"),
        (lambda d: (rows_of(d, "knock_out").pop(3), d["reasons"].pop("overdue_here")),
         "overdue_here true must never be approved", "overdue_here true"),
        (lambda d: (rows_of(d, "knock_out").pop(0), d["reasons"].pop("identity_not_verified")),
         "identity_verified false must never be approved", "identity_verified false"),
        (lambda d: (rows_of(d, "knock_out").pop(1), d["reasons"].pop("consent_missing")),
         "consent false must never be approved", "consent false"),
        (cell("regulation", 2, "age", "< 30"), "student yes must be declined", "age 30 … 150, student yes"),
    ],
)  # fmt: skip
def test_what_the_profile_and_the_house_demand_is_proved_of_every_value(change, demand, example):
    [problem] = misfits(load_rules(changed(change)), PACKS["weilidai"], PROFILE)
    said_first, _, shown = problem.partition(": ")
    assert said_first == demand
    assert "lets through, for one, " in shown
    assert example in shown


def test_the_tiers_are_the_packs():
    def moved(document):
        rows_of(document, "tier")[0]["tier_pd_e6"] = "<= 70000"
        rows_of(document, "tier")[1]["tier_pd_e6"] = "(70000..140000]"

    assert misfits(load_rules(changed(moved)), PACKS["weilidai"], PROFILE) == (
        "table tier row 1: tier prime at pd_e6 0 … 70000, the pack: pd_e6 0 … 80000",
        "table tier row 2: tier new at pd_e6 70001 … 140000, the pack: pd_e6 80001 … 140000",
    )


def test_the_least_score_is_the_packs():
    def looser(document):
        rows_of(document, "admission")[0]["admission_score_points"] = ">= 590"
        rows_of(document, "admission")[1]["admission_score_points"] = "< 590"

    def stricter(document):
        rows_of(document, "admission")[0]["admission_score_points"] = ">= 610"
        rows_of(document, "admission")[1]["admission_score_points"] = "< 610"

    assert misfits(load_rules(changed(looser, "jiebei")), PACKS["jiebei"], PROFILE) == (
        "score_points 350 … 599 must be declined: table admission lets through, for one, score_points 590 … 599",
    )
    assert misfits(load_rules(changed(stricter, "jiebei")), PACKS["jiebei"], PROFILE) == (
        "table admission row 2: declines from 600 points on, where the pack admits",
    )


def test_rules_of_another_product_or_purposes_that_are_forbidden_do_not_fit():
    found = misfits(RULES["jintiao"], PACKS["weilidai"], PROFILE)
    assert "product: is jintiao, and should be weilidai" in found
    assert "fact purpose: medical is none of its choices" in found
    forbidding = PROFILE.model_copy(update={"forbidden_purposes": ("travel",)})
    assert "purpose travel: the pack allows it and cn-2026 forbids it" in misfits(
        RULES["weilidai"], PACKS["weilidai"], forbidding
    )


def test_a_rate_above_the_cap_is_said_with_both_measures():
    """0.06 % × 365 = 21.9 % simple; (1 + 0.0006 × 365 ÷ 12)¹² − 1 = 24.236 % by IRR, rounded up."""
    pack = PACKS["weilidai"]
    by_irr = PROFILE.model_copy(update={"annual_rate_method": RateMethod.IRR})
    assert (
        "tier risky: its highest rate costs 21.90 % a year simple, 24.24 % by IRR; cn-2026 caps irr at 24.00 %"
        in misfits(RULES["weilidai"], pack, by_irr)
    )
    with pytest.raises(RateAboveCap) as refused:
        PROFILE.check_rate(70_000, pack.schedule.year_basis)
    assert refused.value.params == {
        "profile": "cn-2026", "simple": "25.55", "irr": "28.77", "binds": "simple", "cap": "24.00",
    }  # fmt: skip


AGE = Fact.model_validate_json(
    '{"name": "age", "kind": "integer", "low": 0, "high": 9, "unit": "years", "source": "-",'
    ' "says": {"zh": "a", "en": "a"}}'
)
WORD = Fact.model_validate_json(
    '{"name": "word", "kind": "choice", "choices": ["aa", "bb", "cc"], "unit": "-", "source": "-",'
    ' "says": {"zh": "a", "en": "a"}}'
)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [("", ((0, 9),)), ("3", ((3, 3),)), ("== 3", ((3, 3),)), ("< 3", ((0, 2),)), ("<= 3", ((0, 3),)),
     ("> 3", ((4, 9),)), (">= 3", ((3, 9),)), ("[2..5]", ((2, 5),)), ("(2..5)", ((3, 4),)),
     (" ( 2 .. 5 ] ", ((3, 5),))],
)  # fmt: skip
def test_a_cell_is_the_values_it_lets_through(text, ranges):
    assert read_cell(text, AGE) == ranges
    assert AGE.kind is FactKind.INTEGER


@pytest.mark.parametrize("text", ["x", "1..2", "> 2 and < 4", "3.5", "-1", "[5..2]", "(3..4)", "> 9", "true", "null"])
def test_a_cell_that_cannot_be_proved_is_refused(text):
    with pytest.raises(BadCell):
        read_cell(text, AGE)


ranges = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: (min(pair), max(pair)))
words = st.sets(st.integers(0, 2), min_size=1).map(lambda places: tuple((place, place) for place in sorted(places)))
row = st.tuples(ranges, words)


@given(st.lists(row, min_size=1, max_size=6), st.sampled_from([Hit.FIRST, Hit.UNIQUE]))
def test_faults_are_those_that_trying_every_value_finds(cells, hit):
    """The space has 30 points, so each can be tried: what no row lets through, and what two do."""
    rows = tuple(
        Row(number, ("", ""), ((age,), word), Result.APPROVE, None, None) for number, (age, word) in enumerate(cells, 1)
    )
    hits = {
        (age, word): [r.number for r in rows if all(
            any(low <= value <= high for low, high in cell)
            for value, cell in zip((age, word), r.ranges, strict=True))]
        for age in range(10) for word in range(3)
    }  # fmt: skip
    found = faults(Table("t", hit, (AGE, WORD), rows))
    assert any(fault.startswith("no row is for") for fault in found) == any(not one for one in hits.values())
    dead = {r.number for r in rows} - {one[0] for one in hits.values() if one}
    assert {int(fault.split()[1]) for fault in found if "never reached" in fault} == dead
    overlaps = any(len(one) > 1 for one in hits.values())
    assert any("overlap" in fault for fault in found) == (overlaps and hit is Hit.UNIQUE)


@given(st.tuples(ranges, ranges), st.tuples(ranges, ranges))
def test_a_box_less_another_is_what_is_in_the_one_and_not_in_the_other(box, taken):
    pieces = without(box, [taken])

    def inside(point, one):
        return all(low <= value <= high for value, (low, high) in zip(point, one, strict=True))

    for point in ((x, y) for x in range(10) for y in range(10)):
        assert sum(inside(point, piece) for piece in pieces) == (inside(point, box) and not inside(point, taken))
    assert all(meets(piece, taken) is None for piece in pieces)
