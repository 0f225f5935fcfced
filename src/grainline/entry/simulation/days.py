"""A simulated day, moment by moment: what goes wrong, what people do, the worker's work, and a worker killed at it."""

import asyncio
import json
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from grainline.desk.periods import close_period
from grainline.entry.sandbox_days import SETTLED
from grainline.entry.simulation import books, lives
from grainline.entry.simulation.acting import Acting
from grainline.entry.simulation.lives import Spell
from grainline.entry.simulation.people import ON_CARD_FEN, Person
from grainline.entry.simulation.weather import Weather
from grainline.entry.simulation.wiring import Place, SeededPlatform
from grainline.entry.worker import day_work, drain
from grainline.kit.calendar import at
from grainline.kit.db import transaction
from grainline.kit.errors import Refusal
from grainline.ledger import closed_through
from grainline.sandbox.client import SandboxClient
from grainline.sandbox.clock import SandboxClock
from grainline.sandbox.fault_rules import Mode, Name, Partner

MORNING, NOON, AFTER_NOON, NIGHT = time(0, 5), time(12, 0), time(12, 30), time(23, 30)
LAST_WORDS = 2_000
PERIOD_CLOSED_BY_DAY = 10  # of the month after it, or as soon after as it can be


class Broken(Exception):
    """Something ended that should not have; the message says what."""


@dataclass
class Days:
    """The days of a place. Everything is settled at the end of a moment, but for a rail that is down all day."""

    place: Place
    platform: SeededPlatform
    clock: SandboxClock
    hands: SandboxClient
    people: list[Person]
    first_day: date
    spells: dict[Person, tuple[Spell, date]] = field(default_factory=dict)
    kills: int = 0
    down_days: int = 0
    acting: Acting = field(init=False)
    _down: bool = False

    def __post_init__(self) -> None:
        self.acting = Acting(self.platform, self.clock)
        slots = {slot for pack in self.platform.packs.values() for slot in pack.debit.times}
        self.moments = sorted({MORNING, AFTER_NOON, NIGHT, *slots})

    @property
    def refused(self) -> Counter[str]:
        """What the product refused so far, by code."""
        return self.acting.refused

    async def live(self, weather: Weather) -> None:
        """Live through a day."""
        killed_at = None if weather.kill_at is None else self.moments[int(weather.kill_at * len(self.moments))]
        for moment in self.moments:
            if moment == MORNING:
                self.clock.advance_to(at(weather.day, moment))
                self._set_rail(down=weather.down)
                await self._turn_cards(weather.day)
            if moment == AFTER_NOON:
                self.clock.advance_to(at(weather.day, NOON))
                await self._act(weather.day)
            self.clock.advance_to(max(at(weather.day, moment), self.clock()))
            await self._work(weather, kill=moment == killed_at)

    async def _work(self, weather: Weather, *, kill: bool) -> None:
        for name, probability in weather.passing.items():
            options = {"asks": 1} if name is Name.STAYS_PROCESSING else {}
            self.hands.set_fault(Partner.RAIL, name, mode=Mode.PROBABILITY, probability=probability, **options)
        if kill:
            await self._kill_a_worker(weather.kill_after)
        await day_work(self.platform, self.clock())
        await drain(self.platform)
        if weather.passing:
            self.hands.clear_faults()
        if weather.passing or kill:
            self.clock.advance_to(self.clock() + SETTLED)
            await drain(self.platform)

    async def _act(self, day: date) -> None:
        await self._close_period(day)
        packs = [pack for _, pack in sorted(self.platform.packs.items())]
        able = [person for person in self.people if self.spells.get(person, (None,))[0] is not Spell.EMPTY]
        async with transaction(self.platform.pool) as tx:
            loans = await books.loans_seen(tx)
        seed = self.place.seed
        ids = lives.lots(seed, day, "ids")
        await self.acting.record(lives.events(seed, day, loans), ids)
        await self.acting.pay_by_hand(lives.by_hand(seed, day, loans), ids)
        await self.acting.draw(lives.draws(seed, day, able, packs, first_day=self.first_day), ids)

    async def _close_period(self, day: date) -> None:
        ends_on = day.replace(day=1) - timedelta(days=1)
        if day.day < PERIOD_CLOSED_BY_DAY or ends_on < self.first_day:
            return
        async with transaction(self.platform.pool) as tx:
            if await closed_through(tx) == ends_on:
                return
        try:
            async with transaction(self.platform.pool) as tx:
                await close_period(tx, ends_on=ends_on, now=self.clock(), closed_by="simulation")
        except Refusal as refusal:  # a draw is under way, say: tomorrow again
            self.refused[refusal.code] += 1

    def _set_rail(self, *, down: bool) -> None:
        if down != self._down:
            mode, options = (Mode.PROBABILITY, {"probability": 1.0}) if down else (Mode.OFF, {})
            self.hands.set_fault(Partner.RAIL, Name.DOWN, mode=mode, **options)
        self._down = down
        self.down_days += down

    async def _turn_cards(self, day: date) -> None:
        """End spells and begin new ones; not where a payout is still to come, which would fill an empty card."""
        for person, (spell, until) in list(self.spells.items()):
            if until <= day:
                self._set_card(person, spell, over=True)
                del self.spells[person]
        async with transaction(self.platform.pool) as tx:
            waiting = await books.waiting(tx)
        for person, (spell, until) in lives.spells(self.place.seed, day, self.people).items():
            if person not in self.spells and person.member_id not in waiting:
                self._set_card(person, spell, over=False)
                self.spells[person] = (spell, until)

    def _set_card(self, person: Person, spell: Spell, *, over: bool) -> None:
        match spell:
            case Spell.EMPTY:
                self.hands.set_balance(person.agreement, ON_CARD_FEN if over else 0)
            case Spell.FROZEN:
                self.hands.set_frozen(person.agreement, not over)

    async def _kill_a_worker(self, after: int) -> None:
        """Let a worker of its own do the moment's work, and kill it -9 after so many signs of it."""
        words = (sys.executable, "-m", "grainline.entry.simulation.worker_process", json.dumps(self.place.told()))
        log = self.place.folder / "worker.log"
        with log.open("ab") as words_of_it:
            process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, stderr=words_of_it)
        if process.stdout is None:
            raise Broken("a worker has no output")
        signs = 0
        async for _ in process.stdout:
            signs += 1
            if signs == after and process.returncode is None:
                process.kill()
        code = await process.wait()
        if code not in (0, -signal.SIGKILL):
            raise Broken(f"a worker ended with {code}: {log.read_text('utf-8', 'replace')[-LAST_WORDS:]}")
        self.kills += code == -signal.SIGKILL
