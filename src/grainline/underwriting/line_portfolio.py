"""A whole portfolio of lines reviewed at once, purely: to see what a policy, a model or rules would do to everybody.

The same parts as for one line, each on columns: models, then rules, then prices, then the policy's bounds. What comes
out for one of many is what `decide_on` and `terms_after` say of them alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from grainline.lines import Line
from grainline.scoring import Loaded, score_many
from grainline.underwriting.decide import Offer
from grainline.underwriting.deciding import VERDICTS, Artefacts, Outcome, Verdict
from grainline.underwriting.line_review import Conduct, LineTerms, ReviewPolicy, terms_after
from grainline.underwriting.pricing import Means, price_many
from grainline.underwriting.rules import Result, run_many


@dataclass(frozen=True)
class Reviewed:
    """What a review makes of one line: the verdict, why, and its terms where it was approved."""

    verdict: Verdict
    reasons: tuple[str, ...]
    terms: LineTerms | None


def review_many(
    artefacts: Artefacts,
    policy: ReviewPolicy,
    features: pl.DataFrame,
    facts: pl.DataFrame,
    means: Sequence[Means],
    lines: Sequence[Line],
    conducts: Sequence[Conduct],
    *,
    day: date,
) -> list[Reviewed]:
    """Review lines, one a row of each argument; `facts` are without what the models say.

    Raises what scoring and rules refuse of anybody, and ValueError for a model that asks data parties.
    """
    model, second = artefacts.model, artefacts.second
    if not isinstance(model, Loaded) or not (second is None or isinstance(second, Loaded)):
        raise ValueError("a model that asks data parties is asked of one person at a time")
    scored = score_many(model, features)
    other = score_many(second, features, explain=False).pd_e6 if second is not None else scored.pd_e6
    told = facts.with_columns(pl.Series("pd_e6", scored.pd_e6), pl.Series("pd_gap_e6", np.abs(scored.pd_e6 - other)))
    if (scale := artefacts.pack.admission.score) is not None:
        told = told.with_columns(pl.Series("score_points", [scale.points_of(int(pd)) for pd in scored.pd_e6]))
    ruled = run_many(artefacts.rules, told).frame
    verdicts = [VERDICTS[Result(word)] for word in ruled["result"]]
    least, why = artefacts.pack.line.min_fen, ruled["reasons"].to_list()
    for place, one in enumerate(means):
        if verdicts[place] is Verdict.APPROVED and one.room_fen is not None and one.room_fen < least:
            verdicts[place], why[place] = Verdict.DECLINED, ["line_above_cap"]
    offers = _offers(artefacts, verdicts, scored.pd_e6.tolist(), means)
    found = []
    for place, verdict in enumerate(verdicts):
        of_risk = verdict is not Verdict.DECLINED or {"risk_above_limit", "score_below_minimum"} & {*why[place]}
        reasons = tuple(dict.fromkeys((*why[place], *(scored.reasons(place) if of_risk else ()))))
        terms, offer = None, offers.get(place)
        if offer is not None:
            outcome = _approved(offer, reasons)
            terms = terms_after(policy, artefacts.pack, lines[place], outcome, conducts[place], day=day)
        found.append(Reviewed(verdict, reasons, terms))
    return found


def _offers(
    artefacts: Artefacts, verdicts: Sequence[Verdict], pds_e6: Sequence[int], means: Sequence[Means]
) -> dict[int, Offer]:
    approved = [place for place, verdict in enumerate(verdicts) if verdict is Verdict.APPROVED]
    offers = price_many(artefacts.pack, [pds_e6[one] for one in approved], [means[one] for one in approved])
    return dict(zip(approved, offers, strict=True))


def _approved(offer: Offer, reasons: tuple[str, ...]) -> Outcome:
    return Outcome(
        result=Verdict.APPROVED,
        tier=offer.tier,
        line_fen=offer.line_fen,
        rate_e8=offer.rate_e8,
        pd_e6=None,
        points=None,
        sub_scores={},
        reasons=reasons,
        offer_reasons=offer.reasons,
        lost={},
        second_pd_e6=None,
        shadow_pds_e6={},
    )
