"""What scoring one applicant costs: one lender, three hosts, real processes, mutual TLS on loopback, consents checked.

The shipped portfolio, split: the lender has the limit, the age and the education, one host the bills, one the payments,
one the repayment status. The model is the plaintext twin's, which the federated training equals to the last bit; each
host gets its own part. Applicants are scored one after the other over sessions that stay open, as a lender has them,
each with a consent of their own for each host: `p50_ms` and `p99_ms` are from asking to the score, `cpu_ms` is of all
four processes, `bytes` of frames both ways. `per_s` is with several applicants under way at once. Every score is
compared with the twin's. Exit code 1: a score differs, or p99 is above the bar.
"""

import argparse
import asyncio
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from _stage import print_figures

from grainline.entry.federated_parties import Counted, Party, channel_to, running
from grainline.entry.federated_tables import GuestTable, read_guest_table, read_table
from grainline.federated.channel import PartyChannel
from grainline.federated.consent import UNDERWRITING, Consent, sign
from grainline.federated.identity import Identity, Role, consent_signer
from grainline.federated.inference import Floats, score, score_together
from grainline.federated.model import GuestPart, HostPart
from grainline.federated.party_model import PARTS
from grainline.federated.signed_parts import keep_part
from grainline.federated.training import Rows, Settings, train_twin
from grainline.federated.trees import Rules
from grainline.scoring import portfolio

PORTFOLIO = Path(__file__).resolve().parents[1] / "data" / "credit_card_default.parquet"
LENDER = ("card_limit", "age", "education")
ROLES = (Role.SOCIAL, Role.PAYMENT, Role.BUREAU)
STEMS = {Role.SOCIAL: "bill", Role.PAYMENT: "paid", Role.BUREAU: "status"}
BAR_MS = 30.0
WARM = 20


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    parser.add_argument("--rows", type=int, default=30_000, help="rows, at most 30,000 (%(default)s)")
    parser.add_argument("--trees", type=int, default=20, help="trees (%(default)s)")
    parser.add_argument("--depth", type=int, default=5, help="depth (%(default)s)")
    parser.add_argument("--applicants", type=int, default=1_000, help="questions (%(default)s)")
    parser.add_argument("--together", type=int, default=4, help="applicants at once for per_s (%(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        guest, hosts = written(folder, given.rows)
        own = read_guest_table(guest, portfolio.LABEL)
        settings = Settings(trees=given.trees, rules=Rules(depth=given.depth))
        part, parts, expected = modelled(own, hosts, settings)
        with running(folder, hosts, ROLES) as (lender, parties):
            for party, hosts_part in zip(parties, parts, strict=True):
                keep_part(Identity(folder / party.name), PARTS, hosts_part.sha256, hosts_part.dump())
            asking = Asking(lender, parties, own, part, expected)
            figures = asyncio.run(measured(asking, given.applicants, given.together))
    told = {"trees": given.trees, "depth": given.depth, "hosts": len(ROLES), "splits": sum(part.splits_by_party[1:])}
    print_figures({**told, **figures}, as_json=given.json)
    return 0 if figures["equals_twin"] and figures["p99_ms"] <= BAR_MS else 1


def written(folder: Path, rows: int) -> tuple[Path, list[Path]]:
    """Write the four parties' files; return where."""
    frame = pl.read_parquet(PORTFOLIO).head(rows).rename({"person_id": "id"})
    frame = frame.with_columns(pl.col(portfolio.LABEL).cast(pl.Int8))
    guest = folder / "guest.parquet"
    frame.select("id", portfolio.LABEL, *LENDER).write_parquet(guest)
    hosts = []
    for role in ROLES:
        hosts.append(folder / f"{role}.parquet")
        frame.select("id", *(f"{STEMS[role]}_{month}" for month in portfolio.MONTHS)).write_parquet(hosts[-1])
    return guest, hosts


def modelled(own: GuestTable, hosts: list[Path], settings: Settings) -> tuple[GuestPart, list[HostPart], Floats]:
    """Train the twin; return the lender's part, the hosts' parts, and the score of every row."""
    frames = []
    for path in hosts:
        table = read_table(path)
        place_by_id = {one: place for place, one in enumerate(table.ids)}
        frames.append(table.frame[[place_by_id[one] for one in own.ids]])
    trained, twin = asyncio.run(train_twin(Rows(own.frame, own.label), frames, settings, model=os.urandom(16)))
    return trained.part, list(twin.parts), score_together(trained.part, twin.parts, [own.frame, *frames])


class Asking:
    """The lender: scores applicants by their places in its table, and holds the scores to the twin's."""

    def __init__(
        self, lender: Identity, parties: list[Party], own: GuestTable, part: GuestPart, expected: Floats
    ) -> None:
        self.lender, self.parties, self.own, self.part, self.expected = lender, parties, own, part, expected
        self.counted, self.differing = Counted(), 0
        self._signer = consent_signer(lender)

    def channels(self) -> list[PartyChannel]:
        """Return a session with each host."""
        return [channel_to(self.lender, party, self.counted) for party in self.parties]

    def consents(self, place: int) -> list[list[bytes]]:
        """Return what an applicant signs for, by host."""
        now = datetime.now(UTC).replace(microsecond=0)
        until = now + timedelta(hours=1)
        member = self.own.ids[place]
        told = (Consent(member, role, UNDERWRITING, now, until, os.urandom(16)) for role in ROLES)
        return [[sign(one, self._signer)] for one in told]

    async def one(self, place: int, channels: list[PartyChannel], consents: list[list[bytes]]) -> float:
        """Score an applicant; return the milliseconds it took."""
        started = time.perf_counter()
        found = await score(self.part, self.own.frame[place : place + 1], [self.own.ids[place]], channels, consents)
        took = time.perf_counter() - started
        self.differing += bool(found[0] != self.expected[place])
        return 1000 * took

    def cpu_s(self) -> float:
        """Return the processor seconds of all four processes."""
        return time.process_time() + sum(party.spent().process_s for party in self.parties)


async def measured(asking: Asking, applicants: int, together: int) -> dict[str, float | int | bool]:
    """Score one after the other, then several at once."""
    channels = asking.channels()
    places = [place % len(asking.own.ids) for place in range(WARM + applicants)]
    for place in places[:WARM]:
        await asking.one(place, channels, asking.consents(place))
    consents = [asking.consents(place) for place in places[WARM:]]
    counted, cpu = (asking.counted.to_hosts, asking.counted.back), asking.cpu_s()
    asked = zip(places[WARM:], consents, strict=True)
    took = [await asking.one(place, channels, given) for place, given in asked]
    cpu = asking.cpu_s() - cpu
    there, back = asking.counted.to_hosts - counted[0], asking.counted.back - counted[1]
    sets = [asking.channels() for _ in range(together)]
    given = [[(place, asking.consents(place)) for place in places[WARM + one :: together]] for one in range(together)]

    async def queue(number: int) -> None:
        for place, consent in given[number]:
            await asking.one(place, sets[number], consent)

    wall = time.perf_counter()
    await asyncio.gather(*(queue(number) for number in range(together)))
    wall = time.perf_counter() - wall
    for channel in (*channels, *(one for some in sets for one in some)):
        channel.drop()
    return {
        "applicants": applicants,
        "p50_ms": round(float(np.percentile(took, 50)), 2),
        "p99_ms": round(float(np.percentile(took, 99)), 2),
        "per_s": round(applicants / wall, 1),
        "together": together,
        "cpu_ms": round(1000 * cpu / applicants, 2),
        "bytes": (there + back) // applicants,
        "bytes_to_hosts": there // applicants,
        "bytes_back": back // applicants,
        "equals_twin": asking.differing == 0,
    }


if __name__ == "__main__":
    raise SystemExit(main())
