"""The platform of a simulation: wired like any other, but chance comes from the seed and the clock stands still."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import httpx

from grainline.entry.parties import Parties
from grainline.entry.wiring import PARTIES, PRODUCT, Platform, links, read_packs, read_profiles
from grainline.guard import LenderKeys
from grainline.kit.db import make_pool
from grainline.kit.sealing import Vault
from grainline.partners.bureau import HttpBureau
from grainline.partners.card_network import HttpCardNetwork
from grainline.partners.identity_authority import HttpIdentityAuthority
from grainline.partners.rail import HttpRail
from grainline.partners.sms import HttpSms
from grainline.sandbox.clock import FILE_NAME, SandboxClock
from grainline.scoring.registry import Models
from grainline.scoring.signing import Signer
from grainline.underwriting.applying import Underwriter
from grainline.underwriting.shelf import Shelf

POOL = 12


@dataclass(frozen=True)
class SeededPlatform(Platform):
    """A platform whose ids and random bytes come from a generator with a seed."""

    lots: random.Random

    def new_id(self) -> UUID:
        """Return the next id (version 4)."""
        return new_id(self.lots)

    def random_bytes(self, count: int) -> bytes:
        """Return the next bytes."""
        return self.lots.randbytes(count)


@dataclass(frozen=True)
class Place:
    """Where a simulation lives, for whoever joins it: data folder, database, partners, seed and first instant."""

    folder: Path
    database_url: str
    partners_url: str
    seed: int
    start: datetime

    def told(self) -> dict[str, str]:
        """Return it as what `read` takes."""
        return {name: str(value) for name, value in vars(self).items()}

    @classmethod
    def read(cls, told: dict[str, str]) -> "Place":
        """Read what `told` returned."""
        return cls(
            Path(told["folder"]),
            told["database_url"],
            told["partners_url"],
            int(told["seed"]),
            datetime.fromisoformat(told["start"]),
        )

    def secret(self, name: str) -> bytes:
        """Return the 32 bytes of a secret of this name."""
        return sha256(f"{self.seed}/{name}".encode()).digest()


def standing_clock(folder: Path, start: datetime) -> SandboxClock:
    """Return a clock that shows a start until it is moved, the same in every process of a folder."""
    return SandboxClock(folder / FILE_NAME, lambda: start)


def new_id(lots: random.Random) -> UUID:
    """Draw an id (version 4)."""
    return UUID(bytes=lots.randbytes(16), version=4)


@asynccontextmanager
async def wire(place: Place, *, name: str) -> AsyncIterator[SeededPlatform]:
    """Open everything for the length of a block; who wires under another name draws other ids."""
    clock = standing_clock(place.folder, place.start)
    packs = read_packs()
    lots = random.Random(f"{place.seed}/{name}/{clock().isoformat()}")  # noqa: S311  (ids of a simulation, no secrets)
    pool = make_pool(place.database_url, size_max=POOL)
    async with httpx.AsyncClient(trust_env=False) as client, pool:
        link = links(client, place.partners_url, place.secret("partners"), clock)
        vault, bureau = Vault(place.secret("master key"), lots.randbytes), HttpBureau(link("bureau"))
        shelf = Shelf(Models({Signer.of(place.secret("model key")).public_key}))
        profiles = read_profiles()
        yield SeededPlatform(
            pool=pool,
            clock=clock,
            vault=vault,
            lender_keys=LenderKeys([place.secret("lender key")]),
            pack=packs[PRODUCT],
            packs=packs,
            rail=HttpRail(link("rail")),
            card_network=HttpCardNetwork(link("card_network")),
            identity_authority=HttpIdentityAuthority(link("identity_authority")),
            sms=HttpSms(link("sms")),
            bureau=bureau,
            # Nothing that takes real time may differ from run to run, a latency neither.
            underwriter=Underwriter(pool, vault, bureau, shelf, profiles, lambda: new_id(lots), lambda: 0),
            parties=Parties(place.folder / PARTIES),
            inbox_url=None,
            lots=lots,
        )
