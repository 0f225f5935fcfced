"""Hold the decisions on a portfolio against what really happened to its people. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grainline.invitation.rule import evaluate
from grainline.kit.money import E8
from grainline.products import Pack
from grainline.scoring import LABEL, Measures, Portfolio, Scores, measure
from grainline.underwriting.assumptions import FEN_PER_UNIT
from grainline.underwriting.decide import capacity_fen
from grainline.underwriting.pricing import Ints, Means, price_many

E4, E6 = 10_000, 1_000_000
EITHER = np.array([[False], [True]])  # each outcome, of shape (2, 1)


@dataclass(frozen=True)
class PortfolioDecision:
    """What was decided on one person of the portfolio; line and rate are 0 and the tier None if not invited.

    `reasons` are the model's codes (`scoring.REASONS`), `offer_reasons` those of line and rate.
    """

    person_id: int
    pd_e6: int
    invited: bool
    tier: str | None
    line_fen: int
    rate_e8: int
    reasons: tuple[str, ...]
    offer_reasons: tuple[str, ...]
    defaulted: bool


@dataclass(frozen=True)
class Group:
    """Sums and means over the people of a tier, of all invited, or of all who are not.

    Means are rounded down to the fen and to 10⁻⁸; bad rates are shares and None where there is nobody.
    """

    code: str
    people: int
    bad: int
    predicted_bad_rate: float | None
    real_bad_rate: float | None
    mean_line_fen: int
    mean_rate_e8: int
    expected_profit_fen: int
    real_profit_fen: int


@dataclass(frozen=True)
class BacktestResult:
    """What a backtest says: both models' measures, the tiers in the pack's order, invited and not."""

    rows: int
    bad: int
    boosted: Measures
    scorecard: Measures
    tiers: tuple[Group, ...]
    invited: Group
    not_invited: Group
    model_hash: str


def decide_portfolio(pack: Pack, portfolio: Portfolio, scores: Scores) -> tuple[PortfolioDecision, ...]:
    """Return the decision on every person, in the portfolio's order, as the lender would take it."""
    evaluations = [
        evaluate(pack, pd_e6=pd_e6, reasons=reasons)
        for pd_e6, reasons in zip(scores.pd_e6, scores.reasons, strict=True)
    ]
    capacities = capacities_fen(portfolio)
    invited = [place for place, evaluation in enumerate(evaluations) if evaluation.invited]
    offers = dict(
        zip(
            invited,
            price_many(pack, [scores.pd_e6[n] for n in invited], [Means(capacities[n]) for n in invited]),
            strict=True,
        )
    )
    people = zip(portfolio.frame["person_id"], evaluations, portfolio.frame[LABEL], strict=True)
    return tuple(
        PortfolioDecision(
            person_id=person_id,
            pd_e6=evaluation.pd_e6,
            invited=evaluation.invited,
            tier=offer.tier if offer else None,
            line_fen=offer.line_fen if offer else 0,
            rate_e8=offer.rate_e8 if offer else 0,
            reasons=evaluation.reasons,
            offer_reasons=offer.reasons if offer else (),
            defaulted=defaulted,
        )
        for place, (person_id, evaluation, defaulted) in enumerate(people)
        for offer in [offers.get(place)]
    )


def capacities_fen(portfolio: Portfolio) -> list[int]:
    """Return what each person of a portfolio can carry, in fen, as `decide.capacity_fen` says."""
    columns = portfolio.frame.select("card_limit", *(f"paid_{month}" for month in range(1, 7)))
    return [
        capacity_fen(limit * FEN_PER_UNIT, [paid * FEN_PER_UNIT for paid in months])
        for limit, *months in columns.iter_rows()
    ]


def drawn_fen(pack: Pack, *, line_fen: int | Ints, rate_e8: int | Ints) -> tuple[Ints, Ints]:
    """Return what is drawn of each line at its rate, in fen, rounded down, and that rate a year in 10⁻⁸."""
    rates, place = np.unique(np.asarray(rate_e8, np.int64), return_inverse=True)
    yearly = np.array([pack.yearly_e8(int(rate)) for rate in rates], np.int64)[place]
    used_e4 = np.array([pack.pricing.used_at_e4(int(rate)) for rate in rates], np.int64)[place]
    return np.asarray(line_fen * used_e4 // E4), yearly


def loan_profit_fen(
    pack: Pack, *, line_fen: int | Ints, rate_e8: int | Ints, defaulted: bool | npt.NDArray[np.bool_]
) -> Ints:
    """Return the profit of one loan on each line, in fen, each part rounded down; may be negative.

    The principal P is what the pack's pricing says is drawn at the rate. Over n equal instalments, m of them paid, it
    stands at P·(n−k)/n in month k+1, so interest is earned on P/n · Σ_{k<m}(n−k) month-sums, and what is open at a
    default is P·(n−m)/n. Funding is carried for the whole term either way. Shapes broadcast.
    """
    at = pack.pricing
    n, m = at.instalments, at.paid_before_default
    principal, yearly = drawn_fen(pack, line_fen=line_fen, rate_e8=rate_e8)
    interest = principal * yearly * np.where(defaulted, _month_sums(n, m), _month_sums(n, n)) // (12 * n * E8)
    funding = principal * at.funding_e4 * _month_sums(n, n) // (12 * n * E4)
    loss = np.where(defaulted, principal * (n - m) * at.loss_given_default_e4 // (n * E4), 0)
    return np.asarray(interest - funding - loss - at.operating_fen)


def expected_profit_fen(pack: Pack, *, line_fen: Ints, rate_e8: Ints, pd_e6: Ints) -> Ints:
    """Return what is to be expected of lending to each person at their probability, in fen, rounded down."""
    good, bad = loan_profit_fen(pack, line_fen=line_fen, rate_e8=rate_e8, defaulted=EITHER)
    return np.asarray((good * (E6 - pd_e6) + bad * pd_e6) // E6)


def _month_sums(n: int, paid: int) -> int:
    return sum(n - k for k in range(paid))


def backtest(pack: Pack, portfolio: Portfolio, scores: Scores) -> BacktestResult:
    """Decide on everyone and hold it against what happened."""
    decisions = decide_portfolio(pack, portfolio, scores)
    label = portfolio.frame[LABEL].to_numpy()
    invited = [decision for decision in decisions if decision.invited]
    tiers = (_group(pack, tier.code, [d for d in invited if d.tier == tier.code]) for tier in pack.tier)
    return BacktestResult(
        rows=portfolio.rows,
        bad=int(np.count_nonzero(label)),
        boosted=measure(label, scores.boosted),
        scorecard=measure(label, scores.scorecard),
        tiers=tuple(tiers),
        invited=_group(pack, "invited", invited),
        not_invited=_group(pack, "not_invited", [d for d in decisions if not d.invited]),
        model_hash=scores.model_hash,
    )


def _group(pack: Pack, code: str, people: Sequence[PortfolioDecision]) -> Group:
    count, bad = len(people), sum(person.defaulted for person in people)
    lent = [person for person in people if person.invited]  # nothing is lent to who is not
    line, rate, pd = (
        np.array([getattr(one, key) for one in lent], np.int64) for key in ("line_fen", "rate_e8", "pd_e6")
    )
    defaulted = np.array([one.defaulted for one in lent], np.bool_)
    return Group(
        code=code,
        people=count,
        bad=bad,
        predicted_bad_rate=sum(person.pd_e6 for person in people) / count / 1e6 if count else None,
        real_bad_rate=bad / count if count else None,
        mean_line_fen=_mean(person.line_fen for person in people),
        mean_rate_e8=_mean(person.rate_e8 for person in people),
        expected_profit_fen=int(expected_profit_fen(pack, line_fen=line, rate_e8=rate, pd_e6=pd).sum()),
        real_profit_fen=int(loan_profit_fen(pack, line_fen=line, rate_e8=rate, defaulted=defaulted).sum()),
    )


def _mean(values: Iterable[int]) -> int:
    listed = list(values)
    return sum(listed) // len(listed) if listed else 0
