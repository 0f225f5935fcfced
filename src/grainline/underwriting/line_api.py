"""Routes of a line's life: its history, told with reasons, and closing one's own."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import BaseModel

from grainline.kit.db import Tx
from grainline.kit.web import Lang, Language, Now, Transaction
from grainline.lines import Change, ChangeKind, LineState, NoLine, changes_of, close
from grainline.members import SignedIn
from grainline.products import ChosenPack, Pack
from grainline.underwriting.applications_api import TheUnderwriter, reason_texts
from grainline.underwriting.decisions_store import decision_of
from grainline.underwriting.line_following import TEXTS
from grainline.underwriting.shelf import Shelf

router = APIRouter(tags=["line"])


class ChangeReasonOut(BaseModel):
    code: str
    text: str


class ChangeOut(BaseModel):
    """One change: the whole limit in fen and the daily rate of new draws before and after it, and why.

    `until_on` is the first day without a temporary raise; `decision_id` names the decision it follows from.
    """

    change_no: int
    kind: ChangeKind
    changed_at: datetime
    from_limit_fen: int | None
    limit_fen: int
    from_daily_rate_percent: str | None
    daily_rate_percent: str
    state: LineState
    frozen_for: str | None
    until_on: date | None
    by: str
    decision_id: UUID | None
    reasons: list[ChangeReasonOut]


class HistoryOut(BaseModel):
    items: list[ChangeOut]


@router.get("/line/history")
async def line_history(
    member_id: SignedIn, tx: Transaction, pack: ChosenPack, by: TheUnderwriter, language: Lang
) -> HistoryOut:
    """List every change of the member's line, the newest first, each with its reasons."""
    changes = await changes_of(tx, member_id=member_id, product=pack.product.code)
    if not changes:
        raise NoLine
    return HistoryOut(items=[await _shown(tx, by.shelf, pack, one, language) for one in changes])


@router.delete("/line", status_code=status.HTTP_204_NO_CONTENT)
async def close_line(member_id: SignedIn, tx: Transaction, pack: ChosenPack, now: Now) -> None:
    """Close one's own line for good, where nothing is drawn on it."""
    product = pack.product.code
    await close(tx, member_id=member_id, product=product, reasons=("member",), by="member", now=now, unused=True)


async def _shown(tx: Tx, shelf: Shelf, pack: Pack, one: Change, language: Language) -> ChangeOut:
    texts = TEXTS
    if one.decision_id is not None:
        decision = await decision_of(tx, member_id=one.member_id, decision_id=one.decision_id)
        ruled = await shelf.rules_named(tx, decision.read_inputs().rules)
        texts = {**reason_texts(ruled), **TEXTS}
    return ChangeOut(
        change_no=one.change_no,
        kind=one.kind,
        changed_at=one.made_at,
        from_limit_fen=one.from_fen,
        limit_fen=one.to_fen,
        from_daily_rate_percent=None if one.from_rate_e8 is None else pack.daily_percent(one.from_rate_e8),
        daily_rate_percent=pack.daily_percent(one.to_rate_e8),
        state=one.state,
        frozen_for=one.frozen_for,
        until_on=one.until_on,
        by="member" if one.made_by == "member" else "platform" if one.made_by == "platform" else "officer",
        decision_id=one.decision_id,
        reasons=[ChangeReasonOut(code=code, text=texts[code][language]) for code in one.reasons],
    )
