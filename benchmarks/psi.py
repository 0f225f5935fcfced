"""What it costs the lender and a party to find whom they both know: two processes, mutual TLS over loopback.

`cpu_s` is of both processes, from the moment the party listens until both have the common table: reading the party's
file and starting Python is left out, hashing, multiplying, checking, sending and writing down is not.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from _stage import print_figures

from grainline.federated.channel import PartyChannel
from grainline.federated.identity import Identity, Role, make_identity, trust
from grainline.federated.ids import IdKind, row_ids
from grainline.federated.party_files import read_alignment
from grainline.federated.psi import intersect
from grainline.federated.transport import Connect, Link, connector

TICKS_S = os.sysconf("SC_CLK_TCK")
PHONES = 13_800_000_000


def main() -> int:
    """Measure, hold the result against Python's own intersection, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    parser.add_argument("--n", type=int, default=100_000, help="ids on each side, half of them in common (%(default)s)")
    given = parser.parse_args()
    if given.n < 2:
        parser.error("--n must be 2 at least")
    with tempfile.TemporaryDirectory() as folder:
        figures = run(Path(folder), given.n)
    print_figures(figures, as_json=given.json)
    return 0 if figures["right"] else 1


def run(folder: Path, count: int) -> dict[str, object]:
    """Compare `count` phone numbers with `count`, and return the figures."""
    lender, party = (make(folder / role, role) for role in (Role.LENDER, Role.PAYMENT))
    trust(lender, "payment", party.certificate.read_bytes())
    trust(party, "lender", lender.certificate.read_bytes())
    ours = [str(PHONES + number) for number in range(count)]
    theirs = [str(PHONES + count // 2 + number) for number in range(count)]
    table = folder / "theirs.csv"
    table.write_text("\n".join(["id", *theirs]) + "\n")
    ids = row_ids(IdKind.PHONE, ours)
    expected = sorted(set(ids) & set(row_ids(IdKind.PHONE, theirs)))

    words = ["party", "serve", "--role", "payment", "--data", str(party.folder), "--listen", "127.0.0.1:0"]
    words += ["--table", str(table), "--id-kind", "phone", "--ids-min", "1"]
    command = [sys.executable, "-c", "from grainline.entry.cli import app; app()", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101
            address = json.loads(process.stdout.readline())["listening"]
            way, session = Counting(connector(lender, "payment", address)), os.urandom(16)
            before, started, own_before = cpu_s(process.pid), time.perf_counter(), time.process_time()
            common = asyncio.run(compare(PartyChannel("payment", way, session), ids))
            wall, own, other = (
                time.perf_counter() - started,
                time.process_time() - own_before,
                cpu_s(process.pid) - before,
            )
            right = common == expected == read_alignment(party.folder, session)
        finally:
            process.terminate()
    return {
        "cpu_s": round(own + other, 2),
        "lender_cpu_s": round(own, 2),
        "party_cpu_s": round(other, 2),
        "wall_s": round(wall, 2),
        "bytes": way.sent + way.received,
        "bytes_to_party": way.sent,
        "bytes_back": way.received,
        "n": count,
        "in_common": len(common),
        "right": right,
    }


async def compare(channel: PartyChannel, ids: list[bytes]) -> list[bytes]:
    """Find the common ids."""
    common = await intersect([channel], ids, os.urandom)
    await channel.close()
    return common


def make(folder: Path, role: Role) -> Identity:
    """Make a party's folder."""
    return make_identity(folder, role, now=datetime.now(UTC), random_bytes=os.urandom)


def cpu_s(pid: int) -> float:
    """Return the processor time of a process so far, user and system, in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


class Counting:
    """A way to connect that counts the bytes of the frames, without those that TLS adds."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self.sent = self.received = 0

    async def __call__(self) -> Link:
        """Connect."""
        self._link = await self._connect()
        return self

    async def send(self, frame: bytes) -> None:
        """Send and count."""
        self.sent += 4 + len(frame)
        await self._link.send(frame)

    async def receive(self) -> bytes:
        """Receive and count."""
        frame = await self._link.receive()
        self.received += 4 + len(frame)
        return frame

    def close(self) -> None:
        """Let go."""
        self._link.close()


if __name__ == "__main__":
    sys.exit(main())
