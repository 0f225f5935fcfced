"""What the models see of a person: figures derived from the six months of an existing card.

Sex, marriage and age are never read here. Each feature is one expression over the portfolio's columns and has
one meaning; `features_of_card` says the same of one person, to the bit. Month 1 is the latest, so a rise
towards month 1 is a rise in time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import polars as pl

from grainline.scoring.feature_spec import FeatureMissing, FeatureOutOfRange
from grainline.scoring.portfolio import MONTHS, Portfolio

_LIMIT = pl.col("card_limit")
_LITTLE = 1_000
Term = TypeVar("Term", float, pl.Expr)


def _each(stem: str, months: Iterable[int] = MONTHS) -> list[pl.Expr]:
    return [pl.col(f"{stem}_{month}") for month in months]


def _used(month: int) -> pl.Expr:
    return pl.col(f"bill_{month}") / _LIMIT


def _share_paid(month: int) -> pl.Expr:
    """Return what was paid in a month of the bill before it, 0 … 2; a bill of nothing counts as one unit."""
    return (pl.col(f"paid_{month}") / pl.col(f"bill_{month + 1}").clip(1)).clip(0, 2)


def _sum(terms: Sequence[Term]) -> Term:
    """Add up by halves. Polars' own sums across columns go in an order that depends on the number of its threads."""
    half = len(terms) // 2
    return _sum(terms[:half]) + _sum(terms[half:]) if half else terms[0]


def _mean(terms: Sequence[Term]) -> Term:
    """Return the mean, by the reciprocal: so Polars divides a column by a number, but not a single row."""
    return _sum(terms) * (1 / len(terms))


_LATE = [status.clip(0) for status in _each("status")]
_SHARES = [_share_paid(month) for month in range(1, 6)]

# A bill can be under what was paid, so used shares can be negative; they are left so.
DERIVED: dict[str, pl.Expr] = {
    **{f"used_{month}": _used(month) for month in MONTHS},  # bill by limit
    **{f"share_paid_{n}": share for n, share in enumerate(_SHARES, 1)},
    "used_mean": _mean([_used(month) for month in MONTHS]),
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
    "share_paid_mean": _mean(_SHARES),
    "share_paid_least": pl.min_horizontal(_SHARES),
    "paid_mean": pl.mean_horizontal(_each("paid")),
    "paid_least": pl.min_horizontal(_each("paid")),
    "paid_median": pl.concat_list(_each("paid")).list.median(),
    "paid_by_limit": pl.mean_horizontal(_each("paid")) / _LIMIT,
    "paid_nothing": pl.sum_horizontal((paid == 0).cast(pl.Int64) for paid in _each("paid")),
    "paid_little": pl.sum_horizontal((paid < _LITTLE).cast(pl.Int64) for paid in _each("paid")),
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


def features_of_card(card: Mapping[str, int]) -> dict[str, float]:
    """Return one person's features of the six months of an existing card, by name: the same bits as in a portfolio.

    Raises FeatureMissing where a month or the limit is not there, FeatureOutOfRange for a limit under 1.
    """
    for name in AS_THEY_ARE:
        if name not in card:
            raise FeatureMissing(feature=name)
    limit = card["card_limit"]
    if limit < 1:
        raise FeatureOutOfRange(feature="card_limit", low="1", high="…")
    late, bills, paid = ([card[f"{stem}_{month}"] for month in MONTHS] for stem in ("status", "bill", "paid"))
    derived = _derived(limit, [max(0, status) for status in late], bills, paid)
    return {name: float(value) for name, value in ({name: card[name] for name in AS_THEY_ARE} | derived).items()}


def _derived(limit: int, late: list[int], bills: list[int], paid: list[int]) -> dict[str, float]:
    """Return `DERIVED` of one person; to ask Polars for one row takes a hundred times as long."""
    used = [bill / limit for bill in bills]
    shares = [min(of / max(bill, 1), 2.0) for of, bill in zip(paid, bills[1:], strict=False)]
    paid_mean, in_order = sum(paid) / len(paid), sorted(paid)
    return {
        **{f"used_{month}": one for month, one in zip(MONTHS, used, strict=True)},
        **{f"share_paid_{month}": one for month, one in enumerate(shares, 1)},
        "used_mean": _mean(used),
        "used_most": max(used),
        "used_rise": used[0] - used[5],
        "used_rise_recent": used[0] - used[3],
        "headroom": limit - bills[0],
        "delay_now": late[0],
        "delay_before": max(late[3:]),
        "delay_longest": max(late),
        "delay_total": sum(late),
        "delay_months": sum(months > 0 for months in late),
        "delay_months_2": sum(months > 1 for months in late),
        "delay_rise": late[0] - late[2],
        "share_paid_mean": _mean(shares),
        "share_paid_least": min(shares),
        "paid_mean": paid_mean,
        "paid_least": in_order[0],
        "paid_median": (in_order[2] + in_order[3]) / 2,
        "paid_by_limit": paid_mean / limit,
        "paid_nothing": sum(one == 0 for one in paid),
        "paid_little": sum(one < _LITTLE for one in paid),
    }
