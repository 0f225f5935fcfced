"""Applicants of the simulated town, what decides on them, and inputs as the app gathers them.

People are the shipped portfolio's, as `grainline up` settles them. They are written in bulk and not walked through the
API, because what is measured begins with the application.
"""

import base64
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg

from grainline.entry.model_keys import models_of, signer_of
from grainline.entry.seed import CHALLENGED_E4, PORTFOLIO
from grainline.entry.settings import Settings
from grainline.entry.wiring import SANDBOX_FILE
from grainline.invitation import MonthlyEvaluation, add_evaluations
from grainline.kit.calendar import business_date
from grainline.kit.db import Pool, transaction
from grainline.kit.sealing import Vault, token_hash
from grainline.members import Consent, Source, age_on, create_members
from grainline.members.consents import terms
from grainline.members.store import add_handles
from grainline.partners.bureau import CreditReport
from grainline.products import Pack
from grainline.products.profile import Profile
from grainline.sandbox.bureau_store import Record
from grainline.sandbox.seeding import ages_in, records_in, seed
from grainline.sandbox.store import Store
from grainline.sandbox.town import Resident, resident
from grainline.scoring import CreditModel, Portfolio, load_portfolio, train_portfolio_models
from grainline.scoring.registry import register, set_role
from grainline.scoring.routing import Role, RoleChange
from grainline.underwriting.deciding import Inputs, Occasion
from grainline.underwriting.gathering import Known, gather
from grainline.underwriting.shelf import Named, Shelf
from grainline.underwriting.snapshots import of_report

LONG = timedelta(hours=12)
PD_E6 = 50_000
BY = "bench"


@dataclass(frozen=True)
class Applicant:
    """What one member sends to apply."""

    token: str
    key: str


def town(first: int, count: int, *, now: datetime) -> list[Resident]:
    """Return residents of the town, from a number on."""
    ages = ages_in(PORTFOLIO)
    numbers = range(first, first + count)
    return [resident(n, age=ages[n - 1], reference=business_date(now)) for n in numbers]


def settle(settings: Settings, people: Sequence[Resident], *, now: datetime) -> None:
    """Let people live in the sandbox, with the records of the portfolio at the bureau."""
    store = Store(settings.data / SANDBOX_FILE)
    try:
        seed(store, people, records=records_in(PORTFOLIO), secret=settings.read_partner_secret(), now=now)
    finally:
        store.close()


def fitted(people: int) -> tuple[CreditModel, CreditModel]:
    """Fit the scorecard and the trees to the first so many people of the portfolio."""
    return train_portfolio_models(Portfolio(load_portfolio(PORTFOLIO).frame.sort("person_id").head(people)))


async def cast(
    settings: Settings, pool: Pool, products: Sequence[str], pair: tuple[CreditModel, CreditModel], *, now: datetime
) -> Shelf:
    """Register both models; the roles and the challenger's share are those of a platform as it is shipped."""
    shelf, signer = Shelf(models_of(settings)), signer_of(settings)
    async with transaction(pool) as tx:
        for model in pair:
            await register(tx, model.to_bytes(), signer=signer, by=BY, now=now)
        for product in products:
            for role, model, share in zip((Role.CHAMPION, Role.CHALLENGER), pair, (0, CHALLENGED_E4), strict=True):
                change = RoleChange(0, product, role, model.sha256, now, share, True, now, BY)
                await set_role(tx, shelf.models, change)
    return shelf


async def applicants(
    owner_url: str, pool: Pool, vault: Vault, pack: Pack, people: Sequence[Resident], *, now: datetime
) -> list[Applicant]:
    """Write people as invited members who are named, carded and consenting, and return what each is to send."""
    chance = random.Random(people[0].number)
    async with transaction(pool) as tx:
        found = await create_members(tx, vault, [one.phone for one in people], now=now)
        ids = [found[one.phone] for one in people]
        handles = [vault.blind_index("national_id", one.national_id) for one in people]
        await add_handles(tx, kind="national_id", rows=list(zip(handles, ids, strict=True)))
        await add_evaluations(tx, [_evaluation(pack, member_id, now) for member_id in ids])
    with psycopg.connect(owner_url) as connection:
        keys = dict(
            connection.execute("select member_id, wrapped_key from members.members where member_id = any(%s)", [ids])
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "update members.members set name_sealed = %s, national_id_sealed = %s, verified_at = %s"
                " where member_id = %s",
                [
                    (*_sealed(vault, one, member_id, keys[member_id]), now, member_id)
                    for one, member_id in zip(people, ids, strict=True)
                ],
            )
        made = [_signed_in(chance, member_id) for member_id in ids]
        version, asked = terms()
        rows: dict[str, list[tuple[object, ...]]] = {
            "members.sessions (member_id, token_hash, created_at, expires_at)": [
                (member_id, token_hash(secret), now, now + LONG)
                for member_id, (_, secret) in zip(ids, made, strict=True)
            ],
            "members.cards (member_id, card_id, agreement_sealed, bank, last4, fingerprint, usual, added_at)": [
                # nobody pays out here, so nobody unseals the agreement
                (member_id, _uuid(chance), chance.randbytes(64), "测试银行", "0001", chance.randbytes(32), True, now)
                for member_id in ids
            ],
            "members.consents (member_id, source, given_at, text_version, retention_days)": [
                (member_id, Source.BUREAU.value, now, version, asked[Source.BUREAU].retention_days) for member_id in ids
            ],
        }
        for table, given in rows.items():
            with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin") as copy:
                for row in given:
                    copy.write_row(row)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return [Applicant(token, str(_uuid(chance))) for token, _ in made]


def inputs_of(
    named: Named, profile: Profile, one: Resident, record: Record, *, occasion: Occasion, now: datetime
) -> Inputs:
    """Return what a decision on a resident rests on, as the app gathers it from the bureau's report."""
    consent = Consent(one.number, Source.BUREAU, now, terms()[0], terms()[1][Source.BUREAU].retention_days)
    told = CreditReport(now, record.card, record.open_loans, record.owed_elsewhere_fen, record.overdue_days)
    known = Known(
        {Source.BUREAU: of_report(told, consent, now=now)},
        {Source.BUREAU: consent},
        {},
        age=age_on(one.born_on, business_date(now)),
        student=False,
        invited=True,
    )
    return gather(named, profile, known, occasion=occasion, now=now)


def _sealed(vault: Vault, one: Resident, member_id: int, key: bytes) -> tuple[bytes, bytes]:
    name = vault.seal(one.name, member_id=member_id, wrapped_key=key)
    return name, vault.seal(one.national_id, member_id=member_id, wrapped_key=key)


def _signed_in(chance: random.Random, member_id: int) -> tuple[str, bytes]:
    secret = chance.randbytes(32)
    return base64.urlsafe_b64encode(member_id.to_bytes(8) + secret).rstrip(b"=").decode(), secret


def _evaluation(pack: Pack, member_id: int, now: datetime) -> MonthlyEvaluation:
    """Return an evaluation that invites; what it would offer, an application does not look at."""
    today, tier = business_date(now), pack.tier[0]
    return MonthlyEvaluation(
        member_id=member_id,
        product=pack.product.code,
        month=today.replace(day=1),
        pd_e6=PD_E6,
        invited=True,
        tier=tier.code,
        line_fen=pack.line.min_fen,
        rate_e8=tier.rate_min_e8,
        reasons=("line_by_capacity",),
        model=BY,
        evaluated_at=now,
        expires_on=today + timedelta(days=pack.admission.valid_days),
    )


def _uuid(chance: random.Random) -> UUID:
    return UUID(bytes=chance.randbytes(16), version=4)
