"""Routes that explain a decision: what would change it, and the notice of it."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from grainline.kit.calendar import add_months, business_date
from grainline.kit.db import Tx, transaction
from grainline.kit.money import Fen, RateE8
from grainline.kit.web import Lang, Language, Transaction
from grainline.loans.apr import simple_percent
from grainline.members import SignedIn
from grainline.products import Pack
from grainline.underwriting.adverse_notice import notice_of
from grainline.underwriting.applications_api import TheUnderwriter, reason_texts
from grainline.underwriting.deciding import Verdict
from grainline.underwriting.decisions_store import Decision, decision_of
from grainline.underwriting.way_up import Way
from grainline.underwriting.way_up_changes import Step
from grainline.underwriting.way_up_reading import start_of, ways_from
from grainline.underwriting.way_up_texts import NOTE, told_change, told_way

router = APIRouter(tags=["applications"])


class ChangeOut(BaseModel):
    """One step: for how many months, with what amount in fen; null where it has none."""

    step: Step
    months: int | None
    amount_fen: Fen | None
    text: str


class WayOut(BaseModel):
    """Changes to be made together, by when they are done at the earliest, and what the decision would then be."""

    changes: list[ChangeOut]
    done_on: date
    result: Verdict
    limit_fen: Fen
    rate_e8: RateE8
    annual_rate_percent: str
    daily_rate_percent: str
    text: str


class WaysOut(BaseModel):
    items: list[WayOut]
    note: str


class NoticeOut(BaseModel):
    """The notice of a decision, in the language of the request."""

    version: str
    title: str
    decision: str
    decided_by: str
    reasons: list[str]
    sources: list[str]
    rights: list[str]


@router.get("/applications/{decision_id}/ways")
async def list_ways(decision_id: UUID, member_id: SignedIn, by: TheUnderwriter, language: Lang) -> WaysOut:
    """List up to three changes in the member's reach that would have changed the decision for the better."""
    async with transaction(by.pool) as tx:
        decision = await decision_of(tx, member_id=member_id, decision_id=decision_id)
        pack = await by.shelf.pack_named(tx, decision.read_inputs().pack)
        start = await start_of(tx, by, decision)
    # Not within the transaction: nobody else waits for a connection while this is computed.
    found = await ways_from(start)
    return WaysOut(items=[_way(one, decision, pack, language) for one in found], note=NOTE[language])


@router.get("/applications/{decision_id}/notice")
async def get_notice(
    decision_id: UUID, member_id: SignedIn, by: TheUnderwriter, tx: Transaction, language: Lang
) -> NoticeOut:
    """Show the notice: reasons, sources consulted, the member's rights."""
    decision = await decision_of(tx, member_id=member_id, decision_id=decision_id)
    return NoticeOut.model_validate(await _notice(tx, by, decision, language))


async def _notice(tx: Tx, by: TheUnderwriter, decision: Decision, language: Language) -> dict[str, object]:
    inputs = decision.read_inputs()
    pack = await by.shelf.pack_named(tx, inputs.pack)
    texts = reason_texts(await by.shelf.rules_named(tx, inputs.rules))
    found = notice_of(
        inputs,
        decision.read_outcome(),
        product=getattr(pack.product.name, language),
        decided_at=decision.decided_at,
        reasons={code: text[language] for code, text in texts.items()},
        language=language,
    )
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(found).items()}


def _way(way: Way, decision: Decision, pack: Pack, language: Language) -> WayOut:
    return WayOut(
        changes=[
            ChangeOut(
                step=change.step,
                months=change.months or None,
                amount_fen=Fen(change.amount_fen) if change.months or change.amount_fen else None,
                text=told_change(change, language),
            )
            for change in way.changes
        ],
        done_on=add_months(business_date(decision.decided_at), way.months),
        result=way.result,
        limit_fen=Fen(way.line_fen),
        rate_e8=RateE8(way.rate_e8),
        annual_rate_percent=simple_percent(way.rate_e8, pack.schedule.year_basis),
        daily_rate_percent=pack.daily_percent(way.rate_e8),
        text=told_way(way, decision.read_outcome(), pack, language),
    )
