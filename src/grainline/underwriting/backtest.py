"""Hold the decisions on a portfolio against what really happened to its people. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from grainline.invitation.rule import evaluate
from grainline.kit.money import E8, Fen
from grainline.products import Pack
from grainline.scoring import LABEL, Measures, Portfolio, Scores, measure
from grainline.underwriting.assumptions import Assumptions
from grainline.underwriting.decide import capacity_fen, decide


@dataclass(frozen=True)
class Decision:
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
    assumptions: Assumptions


def decide_portfolio(
    pack: Pack, portfolio: Portfolio, scores: Scores, *, assumptions: Assumptions | None = None
) -> tuple[Decision, ...]:
    """Return the decision on every person, in the portfolio's order, as the lender would take it.

    Of the assumptions only the reading of the currency matters here.
    """
    unit = (assumptions or Assumptions()).fen_per_unit
    frame = portfolio.frame
    payments = zip(*(frame[f"paid_{month}"].to_list() for month in range(1, 7)), strict=True)
    capacities = [
        capacity_fen(limit * unit, [paid * unit for paid in paid_months])
        for limit, paid_months in zip(frame["card_limit"].to_list(), payments, strict=True)
    ]
    people = zip(frame["person_id"], scores.pd_e6, scores.reasons, capacities, frame[LABEL], strict=True)
    return tuple(_decision(pack, *person) for person in people)


def _decision(
    pack: Pack, person_id: int, pd_e6: int, reasons: tuple[str, ...], capacity: int, defaulted: bool
) -> Decision:
    evaluation = evaluate(pack, pd_e6=pd_e6, reasons=reasons)
    if not evaluation.invited:
        return Decision(person_id, pd_e6, False, None, 0, 0, evaluation.reasons, (), defaulted)
    offer = decide(pack, pd_e6=pd_e6, capacity_fen=capacity)
    return Decision(
        person_id=person_id,
        pd_e6=pd_e6,
        invited=True,
        tier=offer.tier,
        line_fen=offer.line_fen,
        rate_e8=offer.rate_e8,
        reasons=evaluation.reasons,
        offer_reasons=offer.reasons,
        defaulted=defaulted,
    )


def loan_profit_fen(assumptions: Assumptions, *, line_fen: int, rate_e8: int, defaulted: bool) -> Fen:
    """Return the profit of one loan on a line, in fen, each part rounded down; may be negative.

    With principal P over n equal instalments, m of them paid, the principal stands at P·(n−k)/n in month
    k+1, so interest is earned on P/n · Σ_{k<m}(n−k) month-sums, and what is open at a default is P·(n−m)/n.
    Funding is carried for the whole term either way.
    """
    a = assumptions
    n = a.instalments
    paid = a.paid_before_default if defaulted else n
    principal = line_fen * a.used_e4 // 10_000
    interest = principal * rate_e8 * 365 * _month_sums(n, paid) // (12 * n * E8)
    funding = principal * a.funding_e4 * _month_sums(n, n) // (12 * n * 10_000)
    loss = principal * (n - paid) * a.loss_given_default_e4 // (n * 10_000)
    return Fen(interest - funding - loss - a.operating_fen)


def _month_sums(n: int, paid: int) -> int:
    return sum(n - k for k in range(paid))


def backtest(pack: Pack, portfolio: Portfolio, scores: Scores, *, assumptions: Assumptions) -> BacktestResult:
    """Decide on everyone and hold it against what happened."""
    decisions = decide_portfolio(pack, portfolio, scores, assumptions=assumptions)
    label = portfolio.frame[LABEL].to_numpy()
    invited = [decision for decision in decisions if decision.invited]
    tiers = (_group(tier.code, [d for d in invited if d.tier == tier.code], assumptions) for tier in pack.tier)
    return BacktestResult(
        rows=portfolio.rows,
        bad=int(np.count_nonzero(label)),
        boosted=measure(label, scores.boosted),
        scorecard=measure(label, scores.scorecard),
        tiers=tuple(tiers),
        invited=_group("invited", invited, assumptions),
        not_invited=_group("not_invited", [d for d in decisions if not d.invited], assumptions),
        model_hash=scores.model_hash,
        assumptions=assumptions,
    )


def _group(code: str, people: Sequence[Decision], assumptions: Assumptions) -> Group:
    count, bad = len(people), sum(person.defaulted for person in people)
    predicted_e6 = sum(person.pd_e6 for person in people)
    return Group(
        code=code,
        people=count,
        bad=bad,
        predicted_bad_rate=predicted_e6 / count / 1e6 if count else None,
        real_bad_rate=bad / count if count else None,
        mean_line_fen=_mean(person.line_fen for person in people),
        mean_rate_e8=_mean(person.rate_e8 for person in people),
        expected_profit_fen=sum(_profit(person, assumptions)[0] for person in people),
        real_profit_fen=sum(_profit(person, assumptions)[1] for person in people),
    )


def _profit(person: Decision, assumptions: Assumptions) -> tuple[int, int]:
    """Return what was to be expected of a person and what came; nothing is lent to who is not invited."""
    if not person.invited:
        return 0, 0
    if_good, if_bad = (
        loan_profit_fen(assumptions, line_fen=person.line_fen, rate_e8=person.rate_e8, defaulted=defaulted)
        for defaulted in (False, True)
    )
    expected = (if_good * (1_000_000 - person.pd_e6) + if_bad * person.pd_e6) // 1_000_000
    return expected, if_bad if person.defaulted else if_good


def _mean(values: Iterable[int]) -> int:
    listed = list(values)
    return sum(listed) // len(listed) if listed else 0
