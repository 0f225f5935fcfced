"""Past decisions taken again: `grainline decision replay --all` on many recorded ones of several products.

The decisions are on the shipped portfolio's people, each as often as it takes, by the models and rules in force and
recorded as the app records them; people and products differ, and so do what is owed elsewhere and the occasion. Every
bit of every outcome is held against the record: one difference fails the benchmark.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from uuid import UUID

import uvloop
from _applicants import cast, fitted, inputs_of, town
from _stage import Figures, Stage, options, print_figures, stage, tell, telling
from draw import _settings

from grainline.entry.model_keys import models_of
from grainline.entry.seed import PORTFOLIO
from grainline.entry.settings import Settings
from grainline.entry.wiring import make_clock, read_packs, read_profiles
from grainline.kit.db import Tx, make_pool, transaction
from grainline.sandbox.seeding import records_in
from grainline.sandbox.town import RESIDENTS_MAX
from grainline.underwriting.deciding import Inputs, Occasion, decide_on
from grainline.underwriting.decisions_store import Decision, add_decision
from grainline.underwriting.shelf import Shelf

AT_ONCE = 1_000
PROCESSES = os.cpu_count() or 1


def main() -> int:
    """Record, take again, print, and fail where anything differs."""
    parser = options(__doc__ or "", seconds=0.0, rounds=1)
    parser.add_argument("--decisions", type=int, default=100_000, help="how many (%(default)s)")
    parser.add_argument("--people", type=int, default=6_000, help="people that the models are fitted to (%(default)s)")
    given = parser.parse_args()
    with stage(scale=1) as on, telling(4) as progress:
        settings = _settings(on)
        now = make_clock(settings)()
        tell(progress, "fitting the models")
        uvloop.run(_cast(on, settings, given.people, now=now))
        tell(progress, "recording decisions")
        slices = [range(start, given.decisions, PROCESSES) for start in range(PROCESSES)]
        with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
            for done in [pool.submit(record_slice, settings, on.server.app_url, now, one) for one in slices]:
                done.result()
        tell(progress, "taking them again")
        figures = _replay()
    print_figures({**figures, "people": given.people}, as_json=given.json)
    return 0 if figures["differences"] == 0 and figures["decisions"] == given.decisions else 1


async def _cast(on: Stage, settings: Settings, people: int, *, now: datetime) -> None:
    async with make_pool(on.server.app_url, size_max=1) as pool:
        await cast(settings, pool, list(read_packs()), fitted(people), now=now)


def record_slice(settings: Settings, url: str, now: datetime, numbers: Sequence[int]) -> None:
    """Take and record the decisions of these numbers; a process of its own."""
    uvloop.run(_record(settings, url, now, numbers))


async def _record(settings: Settings, url: str, now: datetime, numbers: Sequence[int]) -> None:
    packs, profiles, shelf = list(read_packs().values()), read_profiles(), Shelf(models_of(settings))
    people, records = town(1, RESIDENTS_MAX, now=now), records_in(PORTFOLIO)
    async with make_pool(url, size_max=2) as pool:
        for start in range(0, len(numbers), AT_ONCE):
            async with transaction(pool) as tx:
                made = []
                for number in numbers[start : start + AT_ONCE]:
                    one, turn = people[number % RESIDENTS_MAX], number // RESIDENTS_MAX
                    pack, record = packs[turn % len(packs)], records[one.number]
                    record = replace(record, owed_elsewhere_fen=record.owed_elsewhere_fen * (1 + number % 3))
                    named = await shelf.in_force(tx, pack, member_id=one.number, now=now)
                    occasion = Occasion.REVIEW if number % 5 == 0 else Occasion.APPLICATION
                    inputs = inputs_of(
                        named, profiles[pack.regulation.profile], one, record, occasion=occasion, now=now
                    )
                    outcome = decide_on(named.artefacts, inputs)
                    made.append(_decision(number, one.number, inputs, outcome.text(), now))
                await _add(tx, made)


def _decision(number: int, member_id: int, inputs: Inputs, outcome: str, now: datetime) -> Decision:
    return Decision(
        member_id=member_id,
        decision_id=UUID(int=number),
        product=inputs.product,
        occasion=inputs.occasion,
        key=f"bench-{number}",
        inputs=inputs.text(),
        outcome=outcome,
        overrides=None,
        decided_by=None,
        decided_at=now + timedelta(milliseconds=number),
        latency_us=0,
    )


async def _add(tx: Tx, made: Sequence[Decision]) -> None:
    async with tx.pipeline():
        for one in made:
            await add_decision(tx, one)


def _replay() -> Figures:
    """Run the command as an operator does."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = [sys.executable, "-m", "grainline.entry.cli", "decision", "replay", "--all", "--json"]
    ran = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    told = json.loads(ran.stdout)
    for one in told["different"]:
        print(json.dumps(one, ensure_ascii=False), file=sys.stderr)
    return {
        "decisions": told["decisions"],
        "differences": told["differences"],
        "seconds": round(wall_s, 2),
        "per_s": round(told["decisions"] / wall_s, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "processes": PROCESSES,
    }


if __name__ == "__main__":
    raise SystemExit(main())
