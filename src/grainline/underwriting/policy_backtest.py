"""Hold a new version of rules against the one in force, on people whose facts are known. Pure."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.products import Pack
from grainline.underwriting.backtest import expected_profit_fen
from grainline.underwriting.pricing import Means, price_many
from grainline.underwriting.rules import Result, Rules, run_many

BAD, CAPACITY = "bad", "capacity_fen"
NO_TIER = "none"


@dataclass(frozen=True)
class Side:
    """What one version does: people by result, the bad among the approved (None where nobody knows), expected profit.

    Who is sent to review is counted there and lent nothing. The profit is in fen, as the pack's method prices them.
    """

    version: str
    counts: dict[str, int]
    bad_rate_approved: float | None
    expected_profit_fen: int | None


@dataclass(frozen=True)
class Comparison:
    """Two versions on the same people: what each does, and who moves where.

    `moves` counts results by `old → new`, `tier_moves` tiers likewise, `flips` who changes by the first reason that is
    theirs in the version that is harder on them.
    """

    people: int
    old: Side
    new: Side
    moves: dict[str, int]
    tier_moves: dict[str, int]
    flips: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {**vars(self), "old": vars(self.old), "new": vars(self.new)}


def hold_versions(old: Rules, new: Rules, people: pl.DataFrame, *, pack: Pack) -> Comparison:
    """Run both versions on everybody. `people` has the facts of both; `bad` (truth) and `capacity_fen` may be there.

    Raises RuleInputMissing, RuleInputInvalid.
    """
    profits = _profits(pack, people) if CAPACITY in people.columns else None
    outcomes = [run_many(rules, people).frame for rules in (old, new)]
    both = pl.DataFrame(
        {
            f"{name}_{side}": frame[name]
            for side, frame in zip(("old", "new"), outcomes, strict=True)
            for name in ("result", "tier", "reasons")
        }
    )
    moved = both.filter(pl.col("result_old") != pl.col("result_new"))
    harder = pl.col("result_new").replace_strict(_severities()) > pl.col("result_old").replace_strict(_severities())
    why = pl.when(harder).then(pl.col("reasons_new")).otherwise(pl.col("reasons_old")).list.first()
    both = both.with_columns(pl.col("tier_old", "tier_new").fill_null(NO_TIER))
    return Comparison(
        people=people.height,
        old=_side(old, outcomes[0], people, profits),
        new=_side(new, outcomes[1], people, profits),
        moves=_counted(moved, _arrow("result")),
        tier_moves=_counted(both.filter(pl.col("tier_old") != pl.col("tier_new")), _arrow("tier")),
        flips=_counted(moved, why),
    )


def _severities() -> dict[str, int]:
    return {str(result): result.severity for result in Result}


def _arrow(name: str) -> pl.Expr:
    return pl.format("{} → {}", pl.col(f"{name}_old"), pl.col(f"{name}_new"))


def _counted(frame: pl.DataFrame, what: pl.Expr) -> dict[str, int]:
    counted = frame.select(what=what).group_by("what").len().sort(["len", "what"], descending=[True, False])
    return dict(counted.iter_rows())


def _side(rules: Rules, outcome: pl.DataFrame, people: pl.DataFrame, profits: npt.NDArray[np.int64] | None) -> Side:
    approved = outcome["result"] == str(Result.APPROVE)
    counts = {str(result): int((outcome["result"] == str(result)).sum()) for result in Result}
    bad = people[BAD].filter(approved) if BAD in people.columns else None
    return Side(
        version=rules.version,
        counts=counts,
        bad_rate_approved=None if bad is None or not len(bad) else float(np.asarray(bad, dtype=float).mean()),
        expected_profit_fen=None if profits is None else int(profits[approved.to_numpy()].sum()),
    )


def _profits(pack: Pack, people: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Return what is expected of lending to each person, in fen, rounded down; nought beyond the last tier."""
    last = pack.tier[-1].pd_max_e6
    pds = people["pd_e6"].to_list()
    lent = [place for place, pd_e6 in enumerate(pds) if pd_e6 <= last and pack.admission.admits(pd_e6)]
    capacities = people[CAPACITY].to_list()
    offers = price_many(pack, [pds[place] for place in lent], [Means(capacities[place]) for place in lent])
    found = np.zeros(people.height, dtype=np.int64)
    found[lent] = expected_profit_fen(
        pack,
        line_fen=np.array([offer.line_fen for offer in offers], np.int64),
        rate_e8=np.array([offer.rate_e8 for offer in offers], np.int64),
        pd_e6=np.array([pds[place] for place in lent], np.int64),
    )
    return found
