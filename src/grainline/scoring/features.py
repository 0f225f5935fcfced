"""What the models see of a person: figures derived from the six months of an existing card.

Sex, marriage and age are never read here. Each feature is defined once, as one expression over the
portfolio's columns, and has one meaning. Month 1 is the latest, so a rise towards month 1 is a rise in
time.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.scoring.portfolio import MONTHS, Portfolio

Matrix = npt.NDArray[np.float64]

_LIMIT = pl.col("card_limit")


def _each(stem: str, months: Iterable[int] = MONTHS) -> list[pl.Expr]:
    return [pl.col(f"{stem}_{month}") for month in months]


def _used(month: int) -> pl.Expr:
    return pl.col(f"bill_{month}") / _LIMIT


def _share_paid(month: int) -> pl.Expr:
    """Return what was paid in a month of the bill before it, 0 … 2; a bill of nothing counts as one unit."""
    return (pl.col(f"paid_{month}") / pl.col(f"bill_{month + 1}").clip(1)).clip(0, 2)


_LATE = [status.clip(0) for status in _each("status")]
_SHARES = [_share_paid(month) for month in range(1, 6)]

# A bill can be under what was paid, so used shares can be negative; they are left so.
DERIVED: dict[str, pl.Expr] = {
    **{f"used_{month}": _used(month) for month in MONTHS},  # bill by limit
    **{f"share_paid_{n}": share for n, share in enumerate(_SHARES, 1)},
    "used_mean": pl.mean_horizontal(_used(month) for month in MONTHS),
    "used_most": pl.max_horizontal(_used(month) for month in MONTHS),
    "used_rise": _used(1) - _used(6),  # over the half-year
    "used_rise_recent": _used(1) - _used(4),  # over the last three months
    "headroom": _LIMIT - pl.col("bill_1"),  # what is left of the limit
    "delay_now": _LATE[0],  # months late in the latest month
    "delay_before": pl.max_horizontal(_LATE[3:]),  # the longest in the older three months
    "delay_longest": pl.max_horizontal(_LATE),
    "delay_total": pl.sum_horizontal(_LATE),
    "delay_months": pl.sum_horizontal((late > 0).cast(pl.Int64) for late in _LATE),
    "delay_months_2": pl.sum_horizontal((late > 1).cast(pl.Int64) for late in _LATE),
    "delay_rise": _LATE[0] - _LATE[2],
    "share_paid_mean": pl.mean_horizontal(_SHARES),
    "share_paid_least": pl.min_horizontal(_SHARES),
    "paid_mean": pl.mean_horizontal(_each("paid")),
    "paid_least": pl.min_horizontal(_each("paid")),
    "paid_median": pl.concat_list(_each("paid")).list.median(),
    "paid_by_limit": pl.mean_horizontal(_each("paid")) / _LIMIT,
    "paid_nothing": pl.sum_horizontal((paid == 0).cast(pl.Int64) for paid in _each("paid")),
    "paid_little": pl.sum_horizontal((paid < 1_000).cast(pl.Int64) for paid in _each("paid")),
}
AS_THEY_ARE: tuple[str, ...] = (
    "card_limit",
    "education",
    *(f"{stem}_{month}" for stem in ("status", "bill", "paid") for month in MONTHS),
)
FEATURES: tuple[str, ...] = (*AS_THEY_ARE, *DERIVED)


def features_of(portfolio: Portfolio) -> pl.DataFrame:
    """Return one row a person and one Float64 column for each of `FEATURES`, in that order, without nulls."""
    derived = [expression.alias(name) for name, expression in DERIVED.items()]
    return portfolio.frame.select(*AS_THEY_ARE, *derived).cast(pl.Float64)


def matrix(frame: pl.DataFrame, names: Iterable[str]) -> Matrix:
    """Return the named columns as a C-ordered float64 array of shape (rows, names)."""
    return np.ascontiguousarray(frame.select(list(names)).to_numpy(), dtype=np.float64)
