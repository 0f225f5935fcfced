"""What decisions did to groups of people: by age band, sex and region, which are opened for this and not kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.sealing import Vault
from grainline.members import age_on, traits_of
from grainline.scoring.fairness import AttributeReport, age_bands, fairness_of
from grainline.scoring.monitoring import known_thresholds
from grainline.underwriting.deciding import Verdict
from grainline.underwriting.model_watch_outcomes import outcomes_of
from grainline.underwriting.model_watch_store import last_applications, next_applications


@dataclass(frozen=True)
class DecidedFairness:
    """Figures by group of those who were approved or declined; who waits for an officer is only counted."""

    people: int
    waiting: int
    outcomes: int
    attributes: tuple[AttributeReport, ...]


async def fairness_of_decisions(
    tx: Tx, vault: Vault, *, product: str, since: datetime, until: datetime
) -> DecidedFairness:
    """Count the last application of each member in a span, the end exclusive, by group.

    Approved is the decision's result, or the officer's who answered. Outcomes are those of the approved whose time is
    over or who defaulted, so the two rates by group that need the outcome of the declined are left out. The national
    ids are opened one after another, and what they tell is forgotten with the frame it is counted in.
    """
    told = await last_applications(tx, product=product, since=since, until=until)
    decided = [one for one in told if one.result != Verdict.REVIEW]
    traits = await traits_of(tx, vault, [one.member_id for one in decided])
    decided = [one for one in decided if one.member_id in traits]
    came = await outcomes_of(
        tx,
        [(one.member_id, one.decided_at) for one in decided],
        await next_applications(tx, product=product, since=since),
        product=product,
        as_of=business_date(until) - timedelta(days=1),
        months=known_thresholds().outcome_months,
    )
    of = [traits[one.member_id] for one in decided]
    ages = [age_on(one.born_on, business_date(by.decided_at)) for one, by in zip(of, decided, strict=True)]
    groups = pl.DataFrame(
        [
            age_bands(pl.Series("age", ages, dtype=pl.Int64)),
            pl.Series("sex", [one.sex for one in of], dtype=pl.String),
            pl.Series("region", [one.region for one in of], dtype=pl.String),
        ]
    )
    bad = [None if one is None else one.is_bad for one in came]
    known = np.asarray(
        [one is not None and by.pd_e6 is not None for one, by in zip(bad, decided, strict=True)], dtype=np.bool_
    )
    attributes = fairness_of(
        groups,
        pd_e6=np.asarray([one.pd_e6 or 0 for one in decided], dtype=np.int64),
        bad=np.asarray([bool(one) for one in bad], dtype=np.bool_),
        approved=np.asarray([one.result == Verdict.APPROVED for one in decided], dtype=np.bool_),
        known=known,
    )
    return DecidedFairness(len(decided), len(told) - len(decided), int(known.sum()), attributes)
