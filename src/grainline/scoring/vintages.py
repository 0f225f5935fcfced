"""Does a model still rank and say the right level? By vintage: those decided in one month, as outcomes arrive.

Defaults become known before repayments do, so a vintage of which some outcomes are still open looks worse than it
is. It is measured, and not judged, until all are known.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from grainline.scoring.intervals import wilson, z_of
from grainline.scoring.measures import measure
from grainline.scoring.watching import Level, Thresholds

OUTCOME_COLUMNS = ("decided_on", "pd_e6", "bad")


@dataclass(frozen=True)
class Vintage:
    """What came of those decided in a month. Rates, AUC and KS in 10⁻⁶, None where too few outcomes are known.

    `predicted_e6` is the mean probability of those whose outcome is known, `observed_e6` the share of them that went
    bad, `low_e6` … `high_e6` its interval.
    """

    vintage: date
    decided: int
    known: int
    bad: int
    auc_e6: int | None
    ks_e6: int | None
    predicted_e6: int | None
    observed_e6: int | None
    low_e6: int | None
    high_e6: int | None
    level: Level


def vintages_of(
    outcomes: pl.DataFrame, *, month: date, thresholds: Thresholds, auc_expected_e6: int | None = None
) -> tuple[Vintage, ...]:
    """Return the vintages up to a month, the oldest first.

    `outcomes` has one row a decision: `decided_on` (date), `pd_e6` as it was decided by, `bad` (Boolean; null while
    it is not known). Those decided after the month are left out.
    """
    of_month = outcomes.with_columns(vintage=pl.col("decided_on").dt.truncate("1mo")).filter(pl.col("vintage") <= month)
    return tuple(
        _vintage(part["vintage"][0], part, thresholds, auc_expected_e6)
        for part in of_month.sort("vintage").partition_by("vintage", maintain_order=True)
    )


def _vintage(month: date, rows: pl.DataFrame, thresholds: Thresholds, auc_expected_e6: int | None) -> Vintage:
    known = rows.filter(pl.col("bad").is_not_null())
    bad = int(known["bad"].sum())
    auc_e6 = ks_e6 = None
    if min(bad, known.height - bad) >= thresholds.class_least:
        found = measure(known["bad"].to_numpy(), known["pd_e6"].to_numpy() / 1e6)
        auc_e6, ks_e6 = round(found.auc * 1e6), round(found.ks * 1e6)
    level = Level.TOO_FEW
    rates: tuple[int | None, int | None, int | None, int | None] = (None, None, None, None)
    if known.height >= thresholds.rows_least:
        predicted = round(float(known["pd_e6"].sum()) / known.height)
        ends = wilson(bad, known.height, z=z_of(thresholds.calibration_confidence_e6 / 1e6))
        low, high = (round(end * 1e6) for end in ends)
        observed = round(bad / known.height * 1e6)
        rates = (predicted, observed, low, high)
        level = max(
            (_ranks(auc_e6, auc_expected_e6, thresholds), _agrees((predicted, observed), (low, high), thresholds)),
            key=[Level.STABLE, Level.WATCH, Level.ALARM].index,
        )
        if known.height < rows.height:
            level = Level.RIPENING
    return Vintage(month, rows.height, known.height, bad, auc_e6, ks_e6, *rates, level)


def _ranks(auc_e6: int | None, expected_e6: int | None, thresholds: Thresholds) -> Level:
    """Judge how far the AUC fell below the expected one."""
    if auc_e6 is None or expected_e6 is None:
        return Level.STABLE
    fall = expected_e6 - auc_e6
    if fall >= thresholds.auc_fall_alarm_e6:
        return Level.ALARM
    return Level.WATCH if fall >= thresholds.auc_fall_watch_e6 else Level.STABLE


def _agrees(rates_e6: tuple[int, int], interval_e6: tuple[int, int], thresholds: Thresholds) -> Level:
    """Judge whether the predicted rate, the first, could be that of which the observed one is a sample."""
    predicted_e6, observed_e6 = rates_e6
    if interval_e6[0] <= predicted_e6 <= interval_e6[1]:
        return Level.STABLE
    gap_e6 = abs(observed_e6 - predicted_e6) * 1_000_000 // predicted_e6
    return Level.ALARM if gap_e6 >= thresholds.calibration_alarm_e6 else Level.WATCH
