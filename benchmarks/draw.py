"""How many draws a second go through HTTP to the commit, held against TPC-B on the same server in the same minutes.

32 members at a time, each on a keep-alive connection, sign a contract with a one-time code: POST /api/v1/draws to the
app as it is shipped (`grainline serve`, its settings, fsync on). Client, app and database share the machine. A member
draws once; members, lines, contracts and codes are written beforehand. Every answer but 202 is an error. No worker
runs: payouts come after the commit.
"""

import os
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from statistics import median, quantiles
from threading import Event
from urllib.error import URLError

import uvloop
from _borrowers import Signature, borrowers
from _connections import Answers, send_all
from _stage import Figures, Stage, findings_of, options, print_figures, ratio, stage, tell, telling, tpcb

from grainline.entry.processes import Processes, Program
from grainline.entry.settings import PREFIX, Settings
from grainline.entry.wiring import make_clock, read_pack
from grainline.kit.db import make_pool
from grainline.kit.sealing import Vault

CONNECTIONS = 32
WARM_UP = 400  # statements prepared, caches filled
START_SECONDS_MAX = 60.0


def main() -> int:
    """Measure, print, and fail where an answer was wrong or the books do not balance afterwards."""
    parser = options(__doc__ or "", seconds=10.0)
    parser.add_argument("--stock", type=int, default=2_000, help="members prepared per second (%(default)s)")
    given = parser.parse_args()
    with stage(scale=given.scale) as on, telling(4 * given.rounds + 3) as progress:
        settings = _settings(on)
        clock = make_clock(settings)
        vault = Vault(settings.read_master_key(), os.urandom)
        tps: dict[str, list[float]] = {"simple": [], "prepared": [], "draw": []}
        rounds: list[Answers] = []

        def draw(seed: int, *, count: int, seconds: float) -> Answers:
            tell(progress, "preparing members")
            made = uvloop.run(_borrowers(on, vault, count=count, seed=seed, now=clock()))
            tell(progress, "drawing")
            requests = (_request(signature, settings.port) for signature in made)
            return uvloop.run(send_all(settings.port, iter(list(requests)), connections=CONNECTIONS, seconds=seconds))

        with _serving(settings):
            warm = draw(0, count=WARM_UP, seconds=START_SECONDS_MAX)
            for number in range(1, given.rounds + 1):
                for name in ("simple", "prepared"):
                    tell(progress, f"TPC-B, {name}")
                    tps[name].append(tpcb(on.server, name, seconds=given.seconds))
                answers = draw(number, count=int(given.stock * given.seconds), seconds=given.seconds)
                tps["draw"].append(answers.statuses["202"] / (answers.ended - answers.began))
                rounds.append(answers)
        tell(progress, "verifying")
        findings = findings_of(on)
    errors = sum(answers.errors("202") for answers in (warm, *rounds))
    for finding in findings:
        print(finding, file=sys.stderr)
    for answers in (warm, *rounds):
        for status, body in answers.samples.items():
            if status != "202":
                print(f"{answers.statuses[status]} answers {status}, the first: {body.decode()}", file=sys.stderr)
    figures = _figures(tps, rounds, workers=settings.workers, seconds=given.seconds)
    print_figures({**figures, "errors": errors, "verified": not findings}, as_json=given.json)
    return 1 if findings or errors else 0


def _settings(on: Stage) -> Settings:
    """Return the shipped settings with the stage's data folder and free ports; what the user has set stays out."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ[f"{PREFIX}DATA"] = str(on.data)
    for name in ("PORT", "SANDBOX_PORT"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            os.environ[PREFIX + name] = str(probe.getsockname()[1])
    return Settings()


@contextmanager
def _serving(settings: Settings) -> Iterator[None]:
    """Run the app as `grainline up` runs it, for the length of a block."""
    program = Program("the app", (sys.executable, "-m", "grainline.entry.cli", "serve"))
    app = Processes([program], say=lambda text: print(text, file=sys.stderr))
    try:
        app.start()
        app.wait_until(lambda: _answers(settings), stop=Event(), seconds=START_SECONDS_MAX)
        yield
    finally:
        app.stop(Event())


def _answers(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{settings.url}/healthz", timeout=5) as answer:  # noqa: S310  (ours)
            return bool(answer.status == 200)
    except URLError:
        return False


async def _borrowers(on: Stage, vault: Vault, *, count: int, seed: int, now: datetime) -> list[Signature]:
    async with make_pool(on.server.app_url, size_max=1) as pool:
        return await borrowers(on.server.owner_url, pool, vault, read_pack(), count=count, seed=seed, now=now)


def _request(signature: Signature, port: int) -> bytes:
    head = (
        "POST /api/v1/draws HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {signature.token}",
        f"Idempotency-Key: {signature.key}",
        "Content-Type: application/json",
        "Accept-Language: zh-CN",
        f"Content-Length: {len(signature.body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + signature.body


def _figures(tps: dict[str, list[float]], rounds: list[Answers], *, workers: int, seconds: float) -> Figures:
    percentiles = [quantiles(answers.seconds, n=100, method="inclusive") for answers in rounds]
    return {
        "draw_tps": round(median(tps["draw"]), 1),
        "tpcb_tps": round(median(tps["simple"]), 1),
        "draw_ratio": ratio(tps["draw"], tps["simple"]),
        "draw_ratio_prepared": ratio(tps["draw"], tps["prepared"]),
        "p50_ms": round(1000 * median(found[49] for found in percentiles), 2),
        "p99_ms": round(1000 * median(found[98] for found in percentiles), 2),
        "tpcb_prepared_tps": round(median(tps["prepared"]), 1),
        "draws": sum(answers.statuses["202"] for answers in rounds),
        "connections": CONNECTIONS,
        "workers": workers,
        "rounds": len(rounds),
        "seconds": seconds,
    }


if __name__ == "__main__":
    raise SystemExit(main())
