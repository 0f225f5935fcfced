"""One person's facts through the tables: exactly one outcome, never from a fact that is missing or of another kind."""

import json
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_files import BODIES, GOOD, PACKS, RULES, facts_of

from grainline.invitation.rule import tier_for
from grainline.underwriting.rules import FactKind, Hit, Result, RuleInputInvalid, RuleInputMissing, run, run_many
from grainline.underwriting.rules.run import EngineDisagrees, _hits

WEILIDAI = RULES["weilidai"]


def test_who_passes_every_table_is_approved_with_their_tier_and_the_rows_that_said_so():
    outcome = run(WEILIDAI, GOOD)
    assert (outcome.result, outcome.tier, outcome.reasons) == (Result.APPROVE, "prime", ())
    assert [(hit.table, hit.row) for hit in outcome.trace.hits] == [
        ("admission", 1), ("purpose", 1), ("tier", 1), ("review", 3),
    ]  # fmt: skip
    assert dict(outcome.trace.facts) == GOOD
    assert outcome.trace.sha256 == WEILIDAI.sha256


@pytest.mark.parametrize(
    ("facts", "result", "reasons"),
    [
        ({"invited": False}, "decline", ("not_invited",)),
        ({"age": 17}, "decline", ("minor",)),
        ({"age": 18}, "approve", ()),
        ({"student": "yes"}, "decline", ("student",)),
        ({"student": "unknown"}, "review", ("student_unknown",)),
        ({"identity_verified": False}, "decline", ("identity_not_verified",)),
        ({"consent": False}, "decline", ("consent_missing",)),
        ({"negative_list": True}, "decline", ("negative_list",)),
        ({"overdue_here": True}, "decline", ("overdue_here",)),
        ({"overdue_elsewhere": "yes"}, "decline", ("overdue_elsewhere",)),
        ({"overdue_elsewhere": "unknown", "bureau": "unavailable"}, "review",
         ("overdue_unknown", "bureau_unavailable")),
        ({"owed_all_fen": 50_000_000}, "decline", ("owed_above_cap",)),
        ({"owed_all_fen": 49_999_999}, "approve", ()),
        ({"pd_e6": 170_000}, "approve", ()),
        ({"pd_e6": 170_001}, "review", ("pd_near_limit",)),
        ({"pd_e6": 180_001}, "decline", ("risk_above_limit",)),
        ({"pd_gap_e6": 100_001}, "review", ("models_disagree",)),
        ({"purpose": "unstated"}, "approve", ()),
        ({"purpose": "gambling"}, "decline", ("purpose_forbidden",)),
        ({"purpose": "other"}, "decline", ("purpose_not_offered",)),
        ({"student": "yes", "age": 16, "pd_gap_e6": 500_000, "consent": False}, "decline",
         ("minor", "student", "consent_missing")),
    ],
)  # fmt: skip
def test_the_severest_row_counts_and_its_reasons_are_given_in_the_order_of_the_tables(facts, result, reasons):
    outcome = run(WEILIDAI, {**GOOD, **facts})
    assert (str(outcome.result), outcome.reasons) == (result, reasons)
    assert (outcome.tier is None) is (result == "decline")
    for reason in reasons:
        assert WEILIDAI.reasons[reason].zh
        assert WEILIDAI.reasons[reason].en


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_fact_refuses_and_falls_into_no_row(name):
    without = {key: value for key, value in GOOD.items() if key != name}
    for given_ in (without, {**GOOD, name: None}):
        with pytest.raises(RuleInputMissing) as refused:
            run(WEILIDAI, given_)
        assert refused.value.params == {"fact": name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pd_e6", float("nan")), ("pd_e6", float("inf")), ("pd_e6", 30_000.0), ("pd_e6", "30000"), ("pd_e6", True),
        ("pd_e6", -1), ("pd_e6", 1_000_001), ("age", 151), ("owed_all_fen", 10**30),
        ("invited", 1), ("invited", "true"),
        ("student", "No"), ("student", "no "), ("student", False), ("bureau", ""), ("purpose", "x" * 10_000),
        ("purpose", ["daily"]), ("purpose", {"zen": 1}),
    ],
)  # fmt: skip
def test_a_fact_of_another_kind_or_outside_its_range_refuses(name, value):
    with pytest.raises(RuleInputInvalid) as refused:
        run(WEILIDAI, {**GOOD, name: value})
    assert refused.value.params["fact"] == name
    assert len(str(refused.value.params["value"])) <= 40


@pytest.mark.parametrize("product", sorted(RULES))
def test_for_any_facts_one_outcome_the_same_one_by_one_and_all_at_once(product):
    """The engine takes the rows one by one, Polars all people at once: two readings of the same cells."""
    rules = RULES[product]

    @settings(max_examples=60, deadline=None)
    @given(st.lists(facts_of(rules), min_size=1, max_size=20))
    def holds(people):
        outcomes = [run(rules, facts) for facts in people]
        many = run_many(rules, pl.DataFrame(people)).frame
        assert [(str(one.result), one.tier, list(one.reasons)) for one in outcomes] == list(many.iter_rows())
        for one in outcomes:
            assert one.result in set(Result)
            assert bool(one.reasons) is (one.result is not Result.APPROVE)
            once = [table.name for table in rules.tables if table.hit is not Hit.COLLECT]
            assert [hit.table for hit in one.trace.hits if hit.table in once] == once

    holds()


@given(st.sampled_from(sorted(RULES)), st.integers(0, 1_000_000))
@settings(max_examples=100, deadline=None)
def test_the_tier_is_the_one_that_the_pack_gives(product, pd_e6):
    pack = PACKS[product]
    score = pack.admission.score
    facts = {**GOOD, "pd_e6": pd_e6, "score_points": score.points_of(pd_e6) if score else 0}
    outcome, tier = run(RULES[product], facts), tier_for(pack, pd_e6)
    assert outcome.tier == (tier.code if tier else None)
    assert (outcome.result is Result.DECLINE) is (tier is None)


def test_all_at_once_refuses_what_does_not_fit_one_of_them():
    people = pl.DataFrame([GOOD, GOOD])
    with pytest.raises(RuleInputMissing):
        run_many(WEILIDAI, people.drop("age"))
    with pytest.raises(RuleInputMissing):
        run_many(WEILIDAI, people.with_columns(age=pl.Series([30, None])))
    wrong = {"pd_e6": [30_000.0, float("nan")], "age": [30, 151], "student": ["no", "perhaps"], "consent": [1, 1]}
    for name, values in wrong.items():
        with pytest.raises(RuleInputInvalid) as refused:
            run_many(WEILIDAI, people.with_columns(pl.Series(name, values)))
        assert refused.value.params["fact"] == name
    narrow = people.with_columns(pl.col("owed_all_fen").cast(pl.Int32), pl.col("age").cast(pl.Int8))
    assert run_many(WEILIDAI, narrow).counts()["approve"] == people.height
    assert run_many(WEILIDAI, people.clear()).counts() == {"approve": 0, "review": 0, "decline": 0}


def test_what_the_engine_hits_is_held_against_our_reading_of_the_row():
    table = WEILIDAI.table("tier")
    with pytest.raises(EngineDisagrees, match="row 1 was hit by what it does not let through"):
        list(_hits(table, {"pd_e6": 80_001}, {"traceData": {"index": 0}}))
    with pytest.raises(EngineDisagrees, match="0 rows hit"):
        list(_hits(table, {"pd_e6": 80_001}, {"traceData": None}))


def test_another_process_gives_the_same_bytes():
    facts = {**GOOD, "bureau": "unavailable"}
    code = (
        "import json, sys\n"
        "from grainline.underwriting.rules import load_rules, run\n"
        "body, facts = sys.stdin.buffer.read().split(b'\\0')\n"
        "sys.stdout.buffer.write(run(load_rules(body), json.loads(facts)).to_bytes())\n"
    )
    asked = BODIES["weilidai"] + b"\0" + json.dumps(dict(reversed(facts.items()))).encode()
    there = subprocess.run([sys.executable, "-c", code], input=asked, capture_output=True, check=True).stdout
    assert there == run(WEILIDAI, facts).to_bytes()
    told = json.loads(there)
    assert told["reasons"] == ["bureau_unavailable"]
    assert told["rules"] == WEILIDAI.sha256


def test_every_fact_says_what_it_is_and_where_it_comes_from():
    for rules in RULES.values():
        for fact in rules.facts:
            assert fact.source
            assert fact.says.zh
            assert fact.kind in set(FactKind)
