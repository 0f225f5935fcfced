"""Members who stand before their signature: signed in, card, line, disclosure, contract and code, all in the database.

They are written in bulk and not walked through the API, because what is measured begins with the signature. The texts
are those the product makes. Each member draws once: a new code would be the next thing they need.
"""

import base64
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from grainline.kit.calendar import business_date
from grainline.kit.db import Pool, transaction
from grainline.kit.sealing import Vault, token_hash
from grainline.loans.contract import write_contract
from grainline.loans.disclosure import disclose
from grainline.loans.model import Contract, Disclosure
from grainline.loans.quote import quote
from grainline.members import Purpose, create_members
from grainline.products import Pack

RATE_E8 = 35_000
LINE_FEN = 5_000_000
FIRST_PHONE = 10_000_000_000
LONG = timedelta(hours=12)
CODE = "271828"


@dataclass(frozen=True)
class Signature:
    """What one member sends to draw."""

    token: str
    key: str
    body: bytes


async def borrowers(
    owner_url: str, pool: Pool, vault: Vault, pack: Pack, *, count: int, seed: int, now: datetime
) -> list[Signature]:
    """Write `count` new members before their signature, and return what each is to send."""
    chance = random.Random(seed)
    phones = [f"{FIRST_PHONE + seed * 1_000_000 + number}" for number in range(count)]
    async with transaction(pool) as tx:
        found = await create_members(tx, vault, phones, now=now)
    signatures, tables = [], _Tables()
    for member_id in found.values():
        signatures.append(_prepare(tables, member_id, vault, pack, chance, now))
    with psycopg.connect(owner_url) as connection:
        for table, rows in tables.rows.items():
            _copy(connection, table, rows)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return signatures


class _Tables:
    """Rows to be copied, by table and columns; what is referred to comes first."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[object, ...]]] = {
            "members.sessions (member_id, token_hash, created_at, expires_at)": [],
            "members.cards (member_id, card_id, agreement_sealed, bank, last4, fingerprint, usual, added_at)": [],
            "lines.lines (member_id, product, state, tier, limit_fen, rate_e8, reasons, opened_at, changes)": [],
            "lines.changes (member_id, product, change_no, key, kind, to_fen, to_rate_e8, to_tier, state, reasons,"
            " made_by, made_at)": [],
            "loans.disclosures (member_id, disclosure_id, product, amount_fen, instalments, rate_e8, purpose, card_id,"
            " starts_on, content, content_hash, shown_at, may_sign_at, expires_at, rules, funded_within)": [],
            "loans.contracts (member_id, contract_id, disclosure_id, content, content_hash, made_at)": [],
            "members.one_time_codes (member_id, purpose, subject, code_hash, sent_at, expires_at, tries_left, sent_on,"
            " sent_count)": [],
        }

    def add(self, table: str, *row: object) -> None:
        """Add a row to the table of this name."""
        next(rows for name, rows in self.rows.items() if name.startswith(table + " ")).append(row)


def _prepare(
    tables: _Tables, member_id: int, vault: Vault, pack: Pack, chance: random.Random, now: datetime
) -> Signature:
    secret = chance.randbytes(32)
    tables.add("members.sessions", member_id, token_hash(secret), now, now + LONG)
    card_id, product = _uuid(chance), pack.product.code
    sealed = chance.randbytes(64)  # nobody pays out here, so nobody unseals it
    tables.add("members.cards", member_id, card_id, sealed, "测试银行", "0001", chance.randbytes(32), True, now)
    reasons = Jsonb(["line_by_capacity"])
    tables.add("lines.lines", member_id, product, "open", "prime", LINE_FEN, RATE_E8, reasons, now, 1)
    opened = (1, "opened", "opened", LINE_FEN, RATE_E8, "prime", "open")
    tables.add("lines.changes", member_id, product, *opened, reasons, "platform", now)
    disclosure, contract = _papers(pack, chance, card_id, now)
    terms = disclosure.terms
    tables.add(
        "loans.disclosures",
        *(member_id, disclosure.disclosure_id, product, terms.amount_fen, terms.instalments, terms.rate_e8),
        *(disclosure.purpose, card_id, terms.started_on, Jsonb(disclosure.content), disclosure.content_hash),
        *(now, disclosure.may_sign_at, now + LONG, disclosure.rules, disclosure.funded_within),
    )
    contract_id = contract.contract_id
    tables.add(
        "loans.contracts",
        *(member_id, contract_id, disclosure.disclosure_id, contract.content, contract.content_hash, now),
    )
    code = vault.code_hash(CODE, member_id=member_id, purpose=Purpose.SIGN_CONTRACT, subject=str(contract_id))
    tables.add(
        "members.one_time_codes",
        *(member_id, Purpose.SIGN_CONTRACT.value, str(contract_id), code, now, now + LONG, 5, business_date(now), 1),
    )
    body = {"contract_id": str(contract_id), "contract_hash": contract.content_hash.hex(), "code": CODE}
    token = base64.urlsafe_b64encode(member_id.to_bytes(8) + secret).rstrip(b"=").decode()
    return Signature(token, str(_uuid(chance)), json.dumps(body).encode())


def _papers(pack: Pack, chance: random.Random, card_id: UUID, now: datetime) -> tuple[Disclosure, Contract]:
    quoted = quote(
        pack,
        amount_fen=pack.draw.step_fen * chance.randint(1, 300),
        instalments=chance.choice((5, 10, 20)),
        rate_e8=RATE_E8,
        starts_on=business_date(now),
    )
    disclosure = disclose(
        pack,
        quoted,
        disclosure_id=_uuid(chance),
        purpose=pack.draw.purpose[0].code,
        card_id=card_id,
        card="测试银行 0001",
        language="zh",
        now=now,
    )
    contract = write_contract(
        pack, disclosure, contract_id=_uuid(chance), borrower="测*", card="测试银行 0001", language="zh"
    )
    return disclosure, contract


def _uuid(chance: random.Random) -> UUID:
    return UUID(bytes=chance.randbytes(16), version=4)


def _copy(connection: psycopg.Connection[tuple[object, ...]], table: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin") as copy:
        for row in rows:
            copy.write_row(row)
