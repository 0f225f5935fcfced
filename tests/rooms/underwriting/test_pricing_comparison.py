"""Optimised against flat: the flat table is the real one, both sides lend as much, and the interval is what it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.entry.backtest_command import SHIPPED
from grainline.products import load_packs
from grainline.scoring import LABEL, Portfolio, Scores
from grainline.scoring.portfolio import checked
from grainline.underwriting import capacity_fen, decide
from grainline.underwriting.backtest import loan_profit_fen
from grainline.underwriting.pricing import FAR, Means, choose, optimise_many
from grainline.underwriting.pricing_comparison import cases_of, compare
from grainline.underwriting.pricing_tuning import Bench, Budget, Case, FlatTable, People, Tuned, flat_offers

PACKS = load_packs(Path(__file__).parents[3] / "packs")
WEILIDAI = PACKS["weilidai"]
SAME = Case(6_000, 10_000, 6_000, 10_000)


def _people(rows: int) -> tuple[Portfolio, Scores]:
    """Return people of the shipped portfolio with made-up scores: a truth that is known, seen through noise."""
    people = checked(pl.read_parquet(SHIPPED).sample(rows, seed=5))
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.05, rows)
    probability = np.clip(np.where(people.frame[LABEL].to_numpy(), 0.16, 0.11) + noise, 0.005, 0.9)
    pd_e6 = tuple(int(one * 1e6) for one in probability)
    return people, Scores(probability, probability, pd_e6, ((),) * rows, "made up")


PEOPLE = _people(3_000)


@given(
    st.sampled_from(sorted(PACKS)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 40_000_000)), min_size=1, max_size=8),
)
def test_the_flat_table_before_tuning_is_the_one_that_decides(product: str, people: list[tuple[int, int]]) -> None:
    pack = PACKS[product]
    admitted = [(min(pd, 80_000) if pack.admission.score else min(pd, 180_000), capacity) for pd, capacity in people]
    pds, capacities = (np.array(column, np.int64) for column in zip(*admitted, strict=True))
    lines, rates = flat_offers(pack, FlatTable(), pds, capacities)
    offers = [decide(pack, pd_e6=pd, capacity_fen=capacity) for pd, capacity in admitted]
    assert lines.tolist() == [offer.line_fen for offer in offers]
    assert rates.tolist() == [offer.rate_e8 for offer in offers]


@given(
    st.lists(st.tuples(st.integers(1, 180_000), st.integers(0, FAR)), min_size=1, max_size=8),
    st.sampled_from([(0, 0), (10_000, 5_000), (20_000, 0)]),
)
def test_arrays_are_offered_what_people_are(people: list[tuple[int, int]], assumed: tuple[int, int]) -> None:
    pricing = WEILIDAI.pricing.model_copy(update={"elasticity_e4": assumed[0], "pressure_e4": assumed[1]})
    pack = WEILIDAI.model_copy(update={"pricing": pricing})
    pds, capacities = (np.array(column, np.int64) for column in zip(*people, strict=True))
    found = choose(pack, pds, bound_fen=capacities, capacity_fen=capacities)
    one_by_one = [optimise_many(pack, [pd], [Means(capacity)])[0] for pd, capacity in people]
    assert found.line_fen.tolist() == [one.offer.line_fen for one in one_by_one]
    assert found.rate_e8.tolist() == [one.offer.rate_e8 for one in one_by_one]
    assert found.expected_profit_fen.tolist() == [one.expected_profit_fen for one in one_by_one]
    assert (found.line_fen > 0).all()  # so approval is the same as the flat table's


def test_as_shipped_the_figures_are_those_of_the_two_methods_on_the_test_half() -> None:
    people, scores = PEOPLE
    [row] = compare(WEILIDAI, people, scores, splits=1, cases=[replace(SAME, tuned=Tuned.NOTHING)])
    test = np.random.default_rng(0).permutation(people.rows)[: people.rows // 2]
    profits = {"flat": 0, "optimised": 0}
    approved = [n for n in test.tolist() if scores.pd_e6[n] <= WEILIDAI.tier[-1].pd_max_e6]
    for n in approved:
        person = people.frame.row(n, named=True)
        capacity = capacity_fen(100 * person["card_limit"], [100 * person[f"paid_{month}"] for month in range(1, 7)])
        flat = decide(WEILIDAI, pd_e6=scores.pd_e6[n], capacity_fen=capacity)
        optimised = optimise_many(WEILIDAI, [scores.pd_e6[n]], [Means(capacity)])[0].offer
        for side, offer in (("flat", flat), ("optimised", optimised)):
            profits[side] += int(
                loan_profit_fen(WEILIDAI, line_fen=offer.line_fen, rate_e8=offer.rate_e8, defaulted=bool(person[LABEL]))
            )
    assert row.approval_rate == pytest.approx(len(approved) / len(test))
    assert row.profit_flat_fen == round(profits["flat"] / len(approved) * 1_000)
    assert row.profit_optimised_fen == round(profits["optimised"] / len(approved) * 1_000)
    assert row.difference_mean_fen == pytest.approx(row.profit_optimised_fen - row.profit_flat_fen, abs=1)


def test_exposure_is_held_equal_and_the_interval_is_around_the_mean() -> None:
    people, scores = PEOPLE
    cases = [replace(SAME, budget=budget, tuned=tuned) for budget in Budget for tuned in (Tuned.ALL, Tuned.LOSS_PRICE)]
    rows = compare(WEILIDAI, people, scores, splits=4, cases=cases)
    for row in rows:
        assert row.exposure_ratio == pytest.approx(1, abs=0.02)
        assert abs(row.exposure_ratio_worst - 1) >= abs(row.exposure_ratio - 1)
        assert row.difference_ci_fen[0] <= row.difference_mean_fen <= row.difference_ci_fen[1]
        assert row.above_share <= row.positive_share <= 1 - row.below_share
    assert rows == compare(WEILIDAI, people, scores, splits=4, cases=cases)
    free, shipped = rows[0], rows[2]
    assert free.profit_flat_fen > shipped.profit_flat_fen  # an exposure of one's choice is worth something


def test_on_the_seen_half_both_sides_draw_the_same_to_the_yuan() -> None:
    rng = np.random.default_rng(3)
    people = People(rng.integers(1_000, 180_000, 500), rng.integers(0, 400, 500) * 100_000, rng.random(500) < 0.1)
    seen = (rng.random((500, 1)) < 0.5).astype(np.float64)
    bench = Bench(WEILIDAI, replace(SAME, budget=Budget.SHIPPED), people, seen)
    flat, optimised = bench.choices(0)
    shipped = bench.flat(FlatTable())
    for side in (flat, optimised):
        assert side.drawn_seen[0] == pytest.approx(shipped.drawn_seen[0], abs=100)
    assert flat.profit_seen[0] >= shipped.profit_seen[0]


def test_the_test_half_has_no_part_in_tuning() -> None:
    """Whoever is tested may default or not: what is offered to them stays, and so does what is drawn."""
    people, scores = PEOPLE
    test = np.zeros(people.rows, np.bool_)
    test[np.random.default_rng(0).permutation(people.rows)[: people.rows // 2]] = True
    turned = people.frame.with_columns(pl.Series(LABEL, people.frame[LABEL].to_numpy() ^ test))
    rows = [compare(WEILIDAI, one, scores, splits=1, cases=[SAME])[0] for one in (people, checked(turned))]
    assert rows[0].profit_flat_fen != rows[1].profit_flat_fen
    for same in ("exposure_ratio", "line_ratio", "approval_rate"):
        assert getattr(rows[0], same) == getattr(rows[1], same)


def test_a_bootstrap_covers_what_a_normal_interval_does() -> None:
    people, scores = PEOPLE
    [row] = compare(WEILIDAI, people, scores, splits=1, cases=[replace(SAME, tuned=Tuned.NOTHING)])
    [many] = compare(WEILIDAI, people, scores, splits=8, cases=[replace(SAME, tuned=Tuned.NOTHING)])
    one_half, all_people = (end - start for start, end in (row.difference_ci_fen, many.difference_ci_fen))
    assert all_people == pytest.approx(one_half / 2**0.5, rel=0.2)  # twice the people, each counted once


def test_the_cases_sweep_losses_and_demand_under_both_budgets() -> None:
    cases = cases_of(WEILIDAI)
    for budget in Budget:
        swept = [case for case in cases if case.budget is budget and case.tuned is Tuned.ALL and not case.pressure_e4]
        true = {(case.lgd_e4, case.elasticity_e4) for case in swept}
        assert true == {(lgd, elasticity) for lgd in (4_500, 6_000, 7_500) for elasticity in (0, 10_000, 20_000)}
    assert len(set(cases)) == len(cases)


def test_too_few_people_are_said_to_be_too_few() -> None:
    people = checked(pl.read_parquet(SHIPPED).head(600))
    high = np.linspace(0.5, 0.9, 600)
    scores = Scores(high, high, tuple(int(p * 1e6) for p in high), ((),) * 600, "made up")
    with pytest.raises(ValueError, match="too few"):
        compare(WEILIDAI, people, scores, splits=2, cases=[SAME])
