"""Who may be offered a line: who has the product's points, if it asks for any, and whom a tier of it admits.

Pure. A probability is an integer of 10⁻⁶ here, so that the same person is invited on every machine.
"""

from dataclasses import dataclass

from grainline.products import Pack, Tier

RISK_ABOVE_LIMIT = "risk_above_limit"
SCORE_BELOW_MINIMUM = "score_below_minimum"


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of one person: the tier that admits them, or None, and the reasons, weightiest first."""

    pd_e6: int
    invited: bool
    tier: str | None
    reasons: tuple[str, ...]


def tier_for(pack: Pack, pd_e6: int) -> Tier | None:
    """Return the first tier whose `pd_max_e6` is not exceeded, or None, also where the score is not enough.

    Raises ValueError outside 0 … 10⁶.
    """
    if not 0 <= pd_e6 <= 1_000_000:
        raise ValueError(f"a probability in 10⁻⁶ cannot be {pd_e6}")
    if not pack.admission.admits(pd_e6):
        return None
    return next((tier for tier in pack.tier if pd_e6 <= tier.pd_max_e6), None)


def evaluate(pack: Pack, *, pd_e6: int, reasons: tuple[str, ...] = ()) -> Evaluation:
    """Return whether a person is invited to this product, with the model's reason codes.

    Who is not invited is always told something: that the score is not enough, and where there is none and the model
    gives no reason, that the risk as a whole is above what the product accepts.
    """
    tier = tier_for(pack, pd_e6)
    if tier is None and not pack.admission.admits(pd_e6):
        return Evaluation(pd_e6, False, None, (SCORE_BELOW_MINIMUM, *reasons))
    if tier is None:
        return Evaluation(pd_e6, False, None, reasons or (RISK_ABOVE_LIMIT,))
    return Evaluation(pd_e6, True, tier.code, reasons)
