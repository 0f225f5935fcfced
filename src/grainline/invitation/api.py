"""Routes of the whitelist: what it found of a member, and the supplements they hand in."""

from fastapi import APIRouter, status

from grainline.invitation.invitation_shapes import SupplementIn, SupplementOut, WhitelistOut
from grainline.invitation.standing import in_force
from grainline.invitation.supplementing import submit_supplement
from grainline.invitation.supplements_store import supplements_of
from grainline.invitation.whitelist_store import outcomes_of
from grainline.kit.calendar import business_date
from grainline.kit.web import Lang, Now, TheVault, Transaction
from grainline.members import SignedIn

router = APIRouter(tags=["invitation"])


@router.get("/invitation")
async def get_invitation(member_id: SignedIn, tx: Transaction, now: Now, language: Lang) -> WhitelistOut:
    """Show what the whitelist that counts found, dimension by dimension, what would help, and what can be handed in."""
    found = in_force(await outcomes_of(tx, member_id=member_id), business_date(now))
    held = await supplements_of(tx, member_id=member_id)
    return WhitelistOut.of(found, held, now=now, language=language)


@router.post("/invitation/supplements", status_code=status.HTTP_201_CREATED)
async def hand_in_supplement(
    body: SupplementIn, member_id: SignedIn, tx: Transaction, vault: TheVault, now: Now, language: Lang
) -> SupplementOut:
    """Hand in a proof: one of each kind, again after a refusal."""
    held = await submit_supplement(tx, vault, member_id=member_id, kind=body.kind, statement=body.statement, now=now)
    return SupplementOut.of(body.kind, held, today=business_date(now), language=language)
