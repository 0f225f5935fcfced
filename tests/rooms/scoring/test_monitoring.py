"""A population that moved is found, one that did not is left alone, and a window too small says so."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from math import log

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import card_of_two

from grainline.kit.db import Pool, make_pool, transaction
from grainline.scoring import Loaded
from grainline.scoring.intervals import chi_square
from grainline.scoring.monitoring import (
    Bins,
    Drift,
    Report,
    Subject,
    chance,
    drift,
    known_thresholds,
    monthly_report,
    psi,
)
from grainline.scoring.monitoring_store import keep_report, report_of
from grainline.scoring.registry import register
from grainline.scoring.signing import Signer
from grainline.scoring.vintages import vintages_of
from grainline.scoring.watching import Level

MONTH = date(2026, 11, 1)
BY = known_thresholds()
MODEL = Loaded(card_of_two("watched"))


def people(count: int, *, seed: int, shift: float = 0.0, missing: float = 0.05, rent: float = 0.5) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    used = pl.Series("used", draw.normal(0.5 + shift, 0.3, count).clip(-9, 9))
    return pl.DataFrame(
        [used.set(pl.Series(draw.random(count) < missing), None), pl.Series("home", _homes(draw.random(count) < rent))]
    )


def _homes(rents: np.typing.NDArray[np.bool_]) -> list[str]:
    return ["rent" if rent else "own" for rent in rents]


def levels(report: Report) -> dict[str, Level]:
    return {one.name: one.level for one in report.drifts}


def month(current: pl.DataFrame, *, reference: int = 5_000) -> Report:
    windows = people(reference, seed=1), current
    return monthly_report(MODEL, product="weilidai", month=MONTH, windows=windows)


def test_people_who_did_not_move_raise_no_alarm() -> None:
    for seed in range(2, 12):
        assert set(levels(month(people(3_000, seed=seed))).values()) == {Level.STABLE}


def test_a_feature_that_moved_alarms_and_takes_the_score_along() -> None:
    report = month(people(3_000, seed=2, shift=0.4))
    assert levels(report) == {"used": Level.ALARM, "pd_e6": Level.ALARM, "home": Level.STABLE}
    assert report.level is Level.ALARM
    assert [one.kind for one in report.drifts] == [Subject.SCORE, Subject.FEATURE, Subject.FEATURE]


def test_a_little_is_watched() -> None:
    assert levels(month(people(3_000, seed=2, shift=0.11)))["used"] is Level.WATCH


def test_missing_values_and_new_categories_are_moves() -> None:
    gone = month(people(3_000, seed=2, missing=0.4))
    assert levels(gone)["used"] is Level.ALARM
    strange = people(3_000, seed=2).with_columns(
        home=pl.when(pl.int_range(pl.len()) % 4 == 0).then(pl.lit("boat")).otherwise("home")
    )
    assert levels(month(strange))["home"] is Level.ALARM


def test_small_windows_do_not_alarm_by_chance_and_say_so() -> None:
    found = [levels(month(people(60, seed=seed)))["used"] for seed in range(2, 42)]
    assert set(found) == {Level.TOO_FEW}
    # ... though by the usual threshold alone they would have
    small = [drift(Subject.FEATURE, people(5_000, seed=1)["used"], people(60, seed=n)["used"], thresholds=BY)
             for n in range(2, 42)]  # fmt: skip
    assert any((one.psi_e6 or 0) > BY.psi_alarm_e6 for one in small)
    assert levels(month(people(60, seed=2, shift=2.0)))["used"] is Level.ALARM
    assert month(people(29, seed=2)).drifts[0] == Drift(Subject.SCORE, "pd_e6", None, None, 5_000, 29, Level.TOO_FEW)


def test_the_index_is_the_sum_it_says() -> None:
    # shares after half a person each: 80.5, 20.5 of 101 and 50.5, 50.5 of 101
    old, new = (80.5 / 101, 20.5 / 101), (0.5, 0.5)
    expected = (new[0] - old[0]) * log(new[0] / old[0]) + (new[1] - old[1]) * log(new[1] / old[1])
    assert psi(np.array([80, 20, 0]), np.array([50, 50, 0])) == pytest.approx(expected)


counts = st.lists(st.integers(0, 500), min_size=4, max_size=4).filter(any).map(np.array)


@given(counts, counts)
def test_the_index_is_symmetric_and_never_negative(one: np.ndarray, other: np.ndarray) -> None:
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, other) >= 0
    assert psi(one, one) == 0


def test_chance_is_as_yurdakul_found_it() -> None:
    """Draw windows that did not move: 99.9 % of their indices lie below the bound, and most near its middle."""
    draw = np.random.default_rng(3)
    shares, sizes = np.full(10, 0.1), (4_000, 1_000)
    pairs = [tuple(draw.multinomial(size, shares) for size in sizes) for _ in range(4_000)]
    found = np.array([psi(*pair) for pair in pairs])
    assert 0 <= (found > chance(*pairs[0], probability=0.999)).sum() <= 14  # 4 expected, five deviations more
    assert (found > chance(*pairs[0], probability=0.9)).mean() == pytest.approx(0.1, abs=0.025)


def test_quantiles_of_chi_square_are_those_of_the_tables() -> None:
    for probability, degrees, told in ((0.999, 9, 27.88), (0.999, 1, 10.83), (0.95, 4, 9.488), (0.9, 10, 15.99)):
        assert chi_square(probability, degrees) == pytest.approx(told, rel=0.035)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
def test_every_value_lies_in_one_bin(values: list[float | None]) -> None:
    series = pl.Series("x", values, dtype=pl.Float64)
    found = Bins.of(series, bins=10).counts(series)
    assert found.sum() == len(values)
    assert found[-1] == series.null_count()
    assert found.size <= 11


def outcomes(bad_rate: float, *, open_ones: int = 0, ranks: bool = True) -> pl.DataFrame:
    """Return 2,000 decisions of September at a predicted 5 … 35 % and what came of them."""
    draw = np.random.default_rng(5)
    pd = np.linspace(0.05, 0.35, 2_000)
    chances = pd if ranks else np.full(2_000, 0.2)
    bad = draw.random(2_000) < chances / chances.mean() * bad_rate
    return pl.DataFrame(
        {
            "decided_on": [date(2026, 9, 1 + n % 30) for n in range(2_000)],
            "pd_e6": (pd * 1e6).astype(np.int64),
            "bad": pl.Series(bad).set(pl.int_range(2_000, eager=True) < open_ones, None),
        }
    )


def test_a_vintage_that_came_as_predicted_is_stable() -> None:
    [vintage] = vintages_of(outcomes(0.2), month=MONTH, thresholds=BY, auc_expected_e6=640_000)
    assert (vintage.vintage, vintage.decided, vintage.known, vintage.level) == (
        date(2026, 9, 1),
        2_000,
        2_000,
        "stable",
    )
    assert vintage.predicted_e6 == pytest.approx(200_000, abs=1)
    assert vintage.auc_e6 is not None and 600_000 < vintage.auc_e6 < 680_000


@pytest.mark.parametrize(
    ("rows", "promised", "level"),
    [
        (outcomes(0.30), None, Level.ALARM),  # half as many again as predicted
        (outcomes(0.16), None, Level.WATCH),
        (outcomes(0.2, ranks=False), 640_000, Level.ALARM),  # nobody can be told apart any more
        (outcomes(0.2, ranks=False), None, Level.STABLE),  # nobody said they could
        (outcomes(0.30, open_ones=1), None, Level.RIPENING),
        (outcomes(0.30, open_ones=1_980), None, Level.TOO_FEW),
    ],
)
def test_a_vintage_that_did_not_is_told(rows: pl.DataFrame, promised: int | None, level: Level) -> None:
    [vintage] = vintages_of(rows, month=MONTH, thresholds=BY, auc_expected_e6=promised)
    assert vintage.level is level


def test_decisions_after_the_month_are_left_out() -> None:
    assert vintages_of(outcomes(0.2), month=date(2026, 8, 1), thresholds=BY) == ()


@pytest.fixture
async def pool(databases: tuple[str, str]) -> AsyncIterator[Pool]:
    async with make_pool(databases[1], size_max=1) as opened:
        yield opened


@pytest.mark.anyio
async def test_a_report_is_kept_and_worked_out_again(pool: Pool) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    windows = people(900, seed=1), people(20, seed=2)
    first = monthly_report(MODEL, product="weilidai", month=MONTH, windows=windows, outcomes=outcomes(0.2))
    again = month(people(3_000, seed=2, shift=0.4))
    async with transaction(pool) as tx:
        await register(tx, MODEL.model.to_bytes(), signer=Signer.of(b"\1" * 32), by="ann", now=now)
        for report in (first, again):
            await keep_report(tx, report, now=now)
            kept = await report_of(tx, month=MONTH, product="weilidai", sha256=MODEL.model.sha256)
            assert kept.drifts == report.drifts
        assert kept.vintages == first.vintages != ()
        assert (await report_of(tx, month=MONTH, product="other", sha256=MODEL.model.sha256)).drifts == ()
