"""What is wired to what: the one place where settings become partners, keys, a pool and a clock."""

import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx

from grainline.entry.model_keys import models_of
from grainline.entry.parties import Parties
from grainline.entry.party_asking import AskedParties
from grainline.entry.settings import PROJECT_ROOT, Settings
from grainline.federated.identity import Identity
from grainline.guard import LenderKeys
from grainline.kit.calendar import Clock
from grainline.kit.db import Pool, make_pool
from grainline.kit.sealing import Vault
from grainline.partners.bureau import Bureau, HttpBureau
from grainline.partners.card_network import CardNetwork, HttpCardNetwork
from grainline.partners.identity_authority import HttpIdentityAuthority, IdentityAuthority
from grainline.partners.rail import HttpRail, Rail
from grainline.partners.sms import HttpSms, Sms
from grainline.partners.transport import Link
from grainline.products import BadPack, Pack, load_pack, load_packs
from grainline.products.profile import Profile, load_profile
from grainline.sandbox.clock import FILE_NAME, SandboxClock
from grainline.underwriting.applying import Underwriter
from grainline.underwriting.shelf import Shelf

PACKS = PROJECT_ROOT / "packs"
PRODUCT = "weilidai"
SANDBOX_FILE = "sandbox.sqlite"
PARTIES = "parties"
LENDER = "lender-identity"  # the lender's party folder, in the data folder


@dataclass(frozen=True)
class Platform:
    """Everything the app, the worker and the command line work with; `pack` is the one meant where none is named."""

    pool: Pool
    clock: Clock
    vault: Vault
    lender_keys: LenderKeys
    pack: Pack
    packs: Mapping[str, Pack]
    rail: Rail
    card_network: CardNetwork
    identity_authority: IdentityAuthority
    sms: Sms
    bureau: Bureau
    underwriter: Underwriter
    parties: Parties
    inbox_url: str | None

    def new_id(self) -> UUID:
        """Return a random id (version 4)."""
        return uuid4()

    def random_bytes(self, count: int) -> bytes:
        """Return random bytes good for keys and codes."""
        return secrets.token_bytes(count)


def ticks() -> int:
    """Return nanoseconds of which only differences mean anything."""
    return time.perf_counter_ns()


def machine_now() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


def make_clock(settings: Settings) -> Clock:
    """Return the machine's clock, or in the sandbox the one that can be moved."""
    return SandboxClock(settings.data / FILE_NAME, machine_now) if settings.sandbox else machine_now


def parties_of(settings: Settings) -> Parties:
    """Return where the data parties' files lie on this machine, whether there are any or not."""
    return Parties(settings.parties or settings.data / PARTIES)


def asked_parties(settings: Settings) -> AskedParties:
    """Return how the data parties of the federated model are asked; whether there are any is found when one is."""
    identity = Identity(settings.data / LENDER)
    return AskedParties(identity, settings.read_party_addresses, clock=machine_now, random_bytes=secrets.token_bytes)


def read_pack() -> Pack:
    """Read the pack that is meant where no product is named; raise BadPack."""
    return load_pack(PACKS / f"{PRODUCT}.toml")


def read_packs() -> dict[str, Pack]:
    """Read the packs of all products that are offered, by code, the default one first; raise BadPack."""
    packs = load_packs(PACKS)
    if PRODUCT not in packs:
        raise BadPack(f"{PACKS / PRODUCT}.toml: there is no such pack")
    return {PRODUCT: packs.pop(PRODUCT), **packs}


def read_profiles() -> dict[str, Profile]:
    """Read the regulatory profiles, by name; raise BadPack."""
    return {path.stem: load_profile(path) for path in sorted((PACKS / "profiles").glob("*.toml"))}


def links(client: httpx.AsyncClient, address: str, secret: bytes, clock: Clock) -> Callable[[str], Link]:
    """Return what makes the link to a partner by its name, where all of them are at one address."""

    def link(partner: str) -> Link:
        base = f"{address}/{partner.replace('_', '-')}"
        return Link(client, partner=partner, base_url=base, secret=secret, clock=clock)

    return link


@asynccontextmanager
async def wire(settings: Settings, database_url: str, *, pool_size: int = 4) -> AsyncIterator[Platform]:
    """Open everything for the length of a block. Raises BadSettings, BadPack."""
    clock = make_clock(settings)
    secret = settings.read_partner_secret()
    packs = read_packs()
    pool = make_pool(database_url, size_max=pool_size)
    async with httpx.AsyncClient(trust_env=False) as client, pool:
        link = links(client, settings.partners_address, secret, clock)
        vault, bureau = Vault(settings.read_master_key(), os.urandom), HttpBureau(link("bureau"))
        shelf = Shelf(models_of(settings))
        with closing(asked_parties(settings)) as asked:
            yield Platform(
                pool=pool,
                clock=clock,
                vault=vault,
                lender_keys=LenderKeys(settings.read_lender_keys()),
                pack=packs[PRODUCT],
                packs=packs,
                rail=HttpRail(link("rail")),
                card_network=HttpCardNetwork(link("card_network")),
                identity_authority=HttpIdentityAuthority(link("identity_authority")),
                sms=HttpSms(link("sms")),
                bureau=bureau,
                underwriter=Underwriter(pool, vault, bureau, shelf, read_profiles(), uuid4, ticks, asked),
                parties=parties_of(settings),
                inbox_url=f"{settings.sandbox_url}/inbox" if settings.sandbox else None,
            )
