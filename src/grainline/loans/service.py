"""From a quote to a signed draw: each step shows what the next one signs."""

from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from grainline.guard import DayLimitReached, DrawAboveMaximum, DrawBelowMinimum, DrawNotAMultiple
from grainline.kit.calendar import business_date
from grainline.kit.db import Pool, Tx, single
from grainline.kit.errors import Refusal
from grainline.kit.sealing import RandomBytes, Vault
from grainline.kit.web import KeyReused, Language
from grainline.lines import Line, LineExceeded, LineNotOpen, NoLine
from grainline.lines import line as read_line
from grainline.loans import draws_store, papers_store
from grainline.loans.contract import write_contract
from grainline.loans.disclosure import disclose
from grainline.loans.draws_store import DrawCall
from grainline.loans.model import (
    CardNotFound,
    Contract,
    ContractAltered,
    ContractNotFound,
    ContractSigned,
    Disclosure,
    DisclosureAltered,
    DisclosureNotFound,
    DisclosureNotRead,
    DisclosureStale,
    Draw,
    DrawNotFound,
)
from grainline.loans.quote import Quote, UnknownPurpose, quote
from grainline.members import Card, CodeSent, NotSignedIn, Purpose, card_of, masked_name, member_of, request_code
from grainline.members.codes import CODE_REFUSALS
from grainline.products import Audience, Campaign, Pack, Shape

# what loans.draw may answer, by its words
REFUSALS: tuple[type[Refusal], ...] = (
    NotSignedIn,
    KeyReused,
    ContractNotFound,
    ContractAltered,
    ContractSigned,
    DisclosureStale,
    DrawBelowMinimum,
    DrawNotAMultiple,
    DrawAboveMaximum,
    DayLimitReached,
    NoLine,
    LineNotOpen,
    LineExceeded,
    *CODE_REFUSALS.values(),
)
DRAW_REFUSALS = {refusal.code: refusal for refusal in REFUSALS}


async def quote_draw(
    tx: Tx, pack: Pack, *, member_id: int, amount_fen: int, instalments: int, shape: Shape | None, now: datetime
) -> Quote:
    """Quote a draw at the member's rate, beginning today in Shanghai, with the campaign the member would have.

    Raises NoLine, LineNotOpen, LineExceeded, UnknownTerm, UnknownShape, or the guard's refusal of the amount.
    """
    line, today = await _line(tx, pack, member_id), business_date(now)
    result = quote(
        pack,
        amount_fen=amount_fen,
        instalments=instalments,
        rate_e8=line.rate_e8,
        starts_on=today,
        shape=shape,
        campaigns=await _campaigns(tx, pack, member_id=member_id, amount_fen=amount_fen, today=today),
    )
    if amount_fen > line.available_fen:
        raise LineExceeded(available_fen=line.available_fen)
    return result


async def show_disclosure(
    tx: Tx,
    pack: Pack,
    *,
    member_id: int,
    disclosure_id: UUID,
    amount_fen: int,
    instalments: int,
    shape: Shape | None,
    purpose: str,
    card_id: UUID,
    language: Language,
    now: datetime,
) -> tuple[Disclosure, Quote]:
    """Show the cost of a draw and store what was shown: the reading time begins now.

    Raises UnknownPurpose, CardNotFound, and what `quote_draw` raises.
    """
    if pack.purpose_named(purpose) is None:
        raise UnknownPurpose(allowed=", ".join(known.code for known in pack.draw.purpose))
    quoted = await quote_draw(
        tx, pack, member_id=member_id, amount_fen=amount_fen, instalments=instalments, shape=shape, now=now
    )
    disclosure = disclose(
        pack,
        quoted,
        disclosure_id=disclosure_id,
        purpose=purpose,
        card_id=card_id,
        card=_shown(await _card(tx, member_id, card_id)),
        language=language,
        now=now,
    )
    await papers_store.add_disclosure(tx, member_id, disclosure)
    return disclosure, quoted


async def make_contract(
    tx: Tx,
    vault: Vault,
    packs: Mapping[str, Pack],
    *,
    member_id: int,
    contract_id: UUID,
    disclosure_id: UUID,
    disclosure_hash: bytes,
    language: Language,
    now: datetime,
    random_bytes: RandomBytes,
) -> tuple[Contract, CodeSent]:
    """Write the contract for a disclosure that has been read, and send the code that signs it.

    Raises DisclosureNotFound, DisclosureAltered, DisclosureNotRead, DisclosureStale, CodeTooSoon, CodesUsedUp.
    """
    disclosure = await papers_store.disclosure(tx, member_id=member_id, disclosure_id=disclosure_id)
    if disclosure is None:
        raise DisclosureNotFound
    if disclosure.content_hash != disclosure_hash:
        raise DisclosureAltered
    if now < disclosure.may_sign_at:
        raise DisclosureNotRead(may_sign_at=disclosure.may_sign_at.isoformat())
    if now >= disclosure.expires_at or disclosure.terms.started_on != business_date(now):
        raise DisclosureStale
    contract = write_contract(
        packs[disclosure.product],
        disclosure,
        contract_id=contract_id,
        borrower=await masked_name(tx, vault, member_id) or "",
        card=_shown(await _card(tx, member_id, disclosure.card_id)),
        language=language,
    )
    await papers_store.add_contract(tx, member_id, contract, made_at=now)
    sent = await _send_code(tx, vault, member_id, contract_id, disclosure, now=now, random_bytes=random_bytes)
    return contract, sent


async def send_contract_code(
    tx: Tx, vault: Vault, *, member_id: int, contract_id: UUID, now: datetime, random_bytes: RandomBytes
) -> CodeSent:
    """Send another code for a contract that is not signed; raise ContractNotFound, ContractSigned, CodeTooSoon."""
    contract = await papers_store.contract(tx, member_id=member_id, contract_id=contract_id)
    if contract is None:
        raise ContractNotFound
    if contract.signed_at is not None:
        raise ContractSigned
    disclosure = await papers_store.disclosure(tx, member_id=member_id, disclosure_id=contract.disclosure_id)
    if disclosure is None:
        raise RuntimeError(f"contract {contract_id} has lost its disclosure")
    return await _send_code(tx, vault, member_id, contract_id, disclosure, now=now, random_bytes=random_bytes)


async def draw(
    pool: Pool,
    vault: Vault,
    *,
    member_id: int,
    token_hash: bytes,
    draw_id: UUID,
    idempotency_key: str,
    contract_id: UUID,
    contract_hash: bytes,
    code: str,
    now: datetime,
) -> tuple[Draw, str]:
    """Sign a contract by its code and draw on it, in one statement; return the draw and its card's last four digits.

    The same key with the same contract and hash returns the draw it made; the code is not part of what the key
    stands for, because a retry may carry a newer one. Raises what DRAW_REFUSALS names.
    """
    subject = str(contract_id)
    call = DrawCall(
        member_id=member_id,
        token_hash=token_hash,
        draw_id=draw_id,
        idempotency_key=idempotency_key,
        input_hash=sha256(contract_id.bytes + contract_hash).digest(),
        contract_id=contract_id,
        contract_hash=contract_hash,
        code_hash=vault.code_hash(code, member_id=member_id, purpose=Purpose.SIGN_CONTRACT, subject=subject),
    )
    async with single(pool) as tx:
        made, card_last4 = await draws_store.draw(
            tx,
            call,
            now=now,
            drawn_on=business_date(now),
        )
    if isinstance(made, str):
        raise DRAW_REFUSALS[made]
    return made, card_last4 or ""


async def find_draw(tx: Tx, *, member_id: int, draw_id: UUID) -> Draw:
    """Read one draw of a member; raise DrawNotFound."""
    found = await draws_store.draw_of(tx, member_id=member_id, draw_id=draw_id)
    if found is None:
        raise DrawNotFound
    return found


async def _send_code(
    tx: Tx,
    vault: Vault,
    member_id: int,
    contract_id: UUID,
    disclosure: Disclosure,
    *,
    now: datetime,
    random_bytes: RandomBytes,
) -> CodeSent:
    return await request_code(
        tx,
        vault,
        member=await member_of(tx, member_id),
        purpose=Purpose.SIGN_CONTRACT,
        subject=str(contract_id),
        now=now,
        random_bytes=random_bytes,
        about={"amount_fen": disclosure.terms.amount_fen, "product": disclosure.product},
    )


async def _line(tx: Tx, pack: Pack, member_id: int) -> Line:
    line = await read_line(tx, member_id=member_id, product=pack.product.code)
    if line is None:
        raise NoLine
    if line.state != "open":
        raise LineNotOpen
    return line


async def _campaigns(tx: Tx, pack: Pack, *, member_id: int, amount_fen: int, today: date) -> list[Campaign]:
    """Return the campaigns that run today and for which the member and the amount qualify."""
    running = [campaign for campaign in pack.campaigns_on(today) if campaign.reaches(amount_fen)]
    if all(campaign.audience is Audience.EVERYONE for campaign in running):
        return running
    renewal = await draws_store.paid_before(tx, member_id=member_id, product=pack.product.code)
    return [campaign for campaign in running if renewal or campaign.audience is Audience.EVERYONE]


async def _card(tx: Tx, member_id: int, card_id: UUID) -> Card:
    card = await card_of(tx, member_id=member_id, card_id=card_id)
    if card is None:
        raise CardNotFound
    return card


def _shown(card: Card) -> str:
    return f"{card.bank} ({card.last4})"
