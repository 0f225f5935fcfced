"""What goes with the beginning of a loan, in the transaction in which its draw is decided as paid."""

from datetime import datetime

from grainline.kit.db import Tx
from grainline.loans import loans_store, servicing
from grainline.loans.campaigns import promised_event
from grainline.loans.loans_store import NewEvent
from grainline.loans.model import Draw
from grainline.products import Campaign


async def keep_promise(tx: Tx, draw: Draw, campaign: Campaign, *, now: datetime) -> None:
    """Record what a draw's campaign promised as the first event of the loan that has just begun."""
    loan = await loans_store.loan(tx, member_id=draw.member_id, loan_id=draw.draw_id, lock=True)
    if loan is None:
        raise RuntimeError(f"draw {draw.draw_id} was paid and is no loan")
    event = promised_event(campaign, loan.terms.started_on)
    key = f"campaign/{loan.loan_id}"
    new = NewEvent(*loan.key, event, f"campaign/{campaign.code}", key, reason=campaign.name.zh)
    step = servicing.step(loan, (), [new], through=event.value_on, key=key, kind=event.kind, value_on=event.value_on)
    await servicing.take(tx, [step], now=now)
