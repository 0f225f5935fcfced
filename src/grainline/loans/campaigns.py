"""What a campaign does to a loan: its event, its plan, what it saves, which of several a draw has, and its words. Pure.

A draw has the campaign of the business day its disclosure is made on. Where two would do (one for everyone, one for
renewals), it is the one that saves more interest if every instalment is paid when due; of equals, the pack's first.
What was disclosed is kept with the draw and holds, whenever the money is paid and whatever the pack says by then.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from grainline.kit.money import Fen, yuan
from grainline.kit.web import Language
from grainline.loans.apr import irr_percent
from grainline.loans.events import Event, EventKind
from grainline.loans.fold import forecast
from grainline.loans.schedule import PlannedInstalment
from grainline.loans.terms import Terms
from grainline.products import Campaign

WORDS: dict[Language, tuple[str, str]] = {
    "zh": ("放款日起 {days} 天内利息减免 {share}%", "减免最先产生的利息，最多 ¥{coupon}"),
    "en": (
        "{share}% of the interest of the first {days} days from the payout is given back",
        "the first interest is given back, up to ¥{coupon}",
    ),
}


@dataclass(frozen=True)
class Saving:
    """A campaign on a loan: the plan with it, the interest it saves by that plan, the annual rate by IRR with it."""

    campaign: Campaign
    rows: tuple[PlannedInstalment, ...]
    saved_fen: Fen
    annual_irr_percent: str


def promised_event(campaign: Campaign, started_on: date) -> Event:
    """Return the first event of a loan that has a campaign: it counts from the loan's first day."""
    if campaign.discount_e4 is not None and campaign.days is not None:
        until = started_on + timedelta(days=campaign.days)
        return Event(EventKind.DISCOUNT, started_on, 1, share_e4=campaign.discount_e4, until=until)
    return Event(EventKind.COUPON, started_on, 1, Fen(campaign.coupon_fen or 0))


def plan_with(
    terms: Terms, rows: tuple[PlannedInstalment, ...], campaign: Campaign
) -> tuple[tuple[PlannedInstalment, ...], Fen]:
    """Return a plan as it is with a campaign, and the interest that this saves, rounded as the loan rounds."""
    event = promised_event(campaign, terms.started_on)
    left, planned = int(terms.amount_fen), []
    for row, ahead in zip(rows, forecast(terms, (event,), terms.started_on).instalments, strict=True):
        left -= ahead.principal_fen
        planned.append(
            replace(
                row,
                principal_fen=ahead.principal_fen,
                interest_fen=ahead.interest_fen,
                principal_after_fen=Fen(left),
            )
        )
    return tuple(planned), Fen(_interest(rows) - _interest(planned))


def best_saving(terms: Terms, rows: tuple[PlannedInstalment, ...], campaigns: Iterable[Campaign]) -> Saving | None:
    """Return the campaign that saves most on a loan with this plan; None where none saves anything."""
    savings = []
    for campaign in campaigns:
        planned, saved_fen = plan_with(terms, rows, campaign)
        savings.append(Saving(campaign, planned, saved_fen, irr_percent(terms, planned)))
    best = max(savings, key=lambda saving: saving.saved_fen, default=None)
    return best if best is not None and best.saved_fen > 0 else None


def campaign_words(campaign: Campaign, language: Language) -> str:
    """Say what a campaign gives back."""
    share, coupon = WORDS[language]
    if campaign.discount_e4 is None:
        return coupon.format(coupon=yuan(campaign.coupon_fen or 0))
    percent = f"{Decimal(campaign.discount_e4) / 100:f}"
    return share.format(days=campaign.days, share=percent.rstrip("0").rstrip(".") if "." in percent else percent)


@lru_cache(maxsize=1000)
def campaign_of(content: str) -> Campaign:
    """Read a campaign as it is kept."""
    return Campaign.model_validate_json(content)


def _interest(rows: Iterable[PlannedInstalment]) -> int:
    return sum(row.interest_fen for row in rows)
