"""A portfolio's people as facts for rules. What a portfolio does not show is assumed to let everybody through."""

import numpy as np
import polars as pl

from grainline.products import Pack
from grainline.scoring import LABEL, Portfolio, Scores
from grainline.underwriting.assumptions import FEN_PER_UNIT
from grainline.underwriting.backtest import capacities_fen

CERTAIN_E6 = 1_000_000
# Of nobody in a portfolio is any of this known, so a back-test on one says nothing of the rows that look at it.
ASSUMED: dict[str, bool | str] = {
    "invited": True,
    "student": "no",
    "identity_verified": True,
    "consent": True,
    "bureau": "answered",
    "negative_list": False,
    "overdue_here": False,
    "purpose": "unstated",
}


def facts_of_portfolio(pack: Pack, portfolio: Portfolio, scores: Scores) -> pl.DataFrame:
    """Return a row of facts for each person, with `bad` and `capacity_fen` (fen) for a back-test.

    Age is the portfolio's; who was late in the latest month is overdue elsewhere; what is owed to all is the latest
    bill, in fen, at least nought; models differ by the distance of their calibrated probabilities. The rest is assumed.
    """
    frame = portfolio.frame
    gap = np.abs(np.rint((np.asarray(scores.boosted) - np.asarray(scores.scorecard)) * CERTAIN_E6)).astype(np.int64)
    score = pack.admission.score
    points = [score.points_of(pd_e6) for pd_e6 in scores.pd_e6] if score else [0] * portfolio.rows
    return frame.select(
        age=pl.col("age"),
        overdue_elsewhere=pl.when(pl.col("status_1") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")),
        owed_all_fen=pl.max_horizontal(pl.col("bill_1"), 0) * FEN_PER_UNIT,
        bad=pl.col(LABEL),
        **{name: pl.lit(value) for name, value in ASSUMED.items()},
    ).with_columns(
        pl.Series("pd_e6", scores.pd_e6, dtype=pl.Int64),
        pl.Series("pd_gap_e6", gap, dtype=pl.Int64),
        pl.Series("score_points", points, dtype=pl.Int64),
        pl.Series("capacity_fen", capacities_fen(portfolio), dtype=pl.Int64),
    )
