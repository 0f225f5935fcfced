"""Carrying out what people want, through the product's own use cases; what it refuses is counted by its code."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from grainline.entry.simulation.lives import DrawWish, EventWish, HandWish, event_of, hand_amount
from grainline.entry.simulation.wiring import SeededPlatform, new_id
from grainline.kit.calendar import business_date
from grainline.kit.db import transaction
from grainline.kit.errors import Refusal
from grainline.loans import fold, loans_store, repayments_store, service
from grainline.loans.model import Contract, Disclosure
from grainline.loans.officers import record_event
from grainline.loans.repaying import request_repayment
from grainline.sandbox.clock import SandboxClock

Wish = TypeVar("Wish")
AT_ONCE = 6
READING = timedelta(seconds=16)  # longer than any pack's reading time


@dataclass
class Papers:
    """A draw on its way: what is wanted, its ids and code, and what was shown and written of it."""

    wish: DrawWish
    ids: tuple[UUID, UUID, UUID, UUID]
    code: int
    disclosure: Disclosure | None = None
    contract: Contract | None = None


@dataclass
class Acting:
    """Who acts on the platform, and what was refused so far, by code. Ids are drawn from `lots` before anybody acts."""

    platform: SeededPlatform
    clock: SandboxClock
    refused: Counter[str] = field(default_factory=Counter)

    async def draw(self, wishes: Sequence[DrawWish], lots: random.Random) -> None:
        """Read what each draw costs, get its contract after the reading time, sign it with the code, and draw."""
        papers = [
            Papers(wish, (new_id(lots), new_id(lots), new_id(lots), new_id(lots)), lots.randrange(1_000_000))
            for wish in wishes
        ]
        await self._each(papers, self._disclose)
        self.clock.advance_to(self.clock() + READING)
        await self._each(papers, self._contract)
        await self._each(papers, self._sign)

    async def pay_by_hand(self, wishes: Sequence[HandWish], lots: random.Random) -> None:
        """Ask for repayments by hand, some twice under one key."""
        await self._each([(wish, new_id(lots)) for wish in wishes], self._repay)

    async def record(self, wishes: Sequence[EventWish], lots: random.Random) -> None:
        """Record officers' events, some twice under one key."""
        await self._each([(wish, new_id(lots)) for wish in wishes], self._record)

    async def _each(self, wishes: Sequence[Wish], act: Callable[[Wish], Awaitable[None]]) -> None:
        """Act on all, some at once: no two of them are of one loan, nor draws of one member."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(wish: Wish) -> None:
            async with turn:
                try:
                    await act(wish)
                except Refusal as refusal:
                    self.refused[refusal.code] += 1
                except Exception as error:
                    error.add_note(f"on {business_date(self.clock())}: {wish}")
                    raise

        await asyncio.gather(*map(one, wishes))

    async def _disclose(self, papers: Papers) -> None:
        wish = papers.wish
        async with transaction(self.platform.pool) as tx:
            papers.disclosure, _ = await service.show_disclosure(
                tx,
                self.platform.packs[wish.product],
                member_id=wish.person.member_id,
                disclosure_id=papers.ids[0],
                amount_fen=wish.amount_fen,
                instalments=wish.instalments,
                shape=wish.shape,
                purpose=wish.purpose,
                card_id=wish.person.card_id,
                language="zh",
                now=self.clock(),
            )

    async def _contract(self, papers: Papers) -> None:
        if papers.disclosure is None:
            return
        async with transaction(self.platform.pool) as tx:
            papers.contract, _ = await service.make_contract(
                tx,
                self.platform.vault,
                self.platform.packs,
                member_id=papers.wish.person.member_id,
                contract_id=papers.ids[1],
                disclosure_id=papers.disclosure.disclosure_id,
                disclosure_hash=papers.disclosure.content_hash,
                language="zh",
                now=self.clock(),
                random_bytes=papers.code.to_bytes,
            )

    async def _sign(self, papers: Papers) -> None:
        if papers.contract is None:
            return
        if papers.wish.wrong_code:
            try:
                await self._draw(papers, papers.contract, (papers.code + 1) % 1_000_000)
            except Refusal as refusal:
                self.refused[refusal.code] += 1
        for _ in range(2 if papers.wish.again else 1):
            await self._draw(papers, papers.contract, papers.code)

    async def _draw(self, papers: Papers, contract: Contract, code: int) -> None:
        await service.draw(
            self.platform.pool,
            self.platform.vault,
            member_id=papers.wish.person.member_id,
            token_hash=papers.wish.person.token_hash,
            draw_id=papers.ids[2],
            idempotency_key=str(papers.ids[3]),
            contract_id=contract.contract_id,
            contract_hash=contract.content_hash,
            code=f"{code:06d}",
            now=self.clock(),
        )

    async def _repay(self, asked: tuple[HandWish, UUID]) -> None:
        wish, repayment_id = asked
        key, now = (wish.loan.member_id, wish.loan.loan_id), self.clock()
        async with transaction(self.platform.pool) as tx:
            loan = (await loans_store.lock_loans(tx, [key]))[key]
            known = await loans_store.events_of(tx, [key])
            collecting = await repayments_store.open_repayments(tx, [key])
        state = fold(loan.terms, known.get(key, ()), business_date(now))
        amount = hand_amount(wish, state, sum(row.amount_fen for row in collecting.get(key, ())))
        for fen in (amount, amount + wish.changed) if wish.again else (amount,):
            async with transaction(self.platform.pool) as tx:
                await request_repayment(
                    tx,
                    member_id=loan.member_id,
                    loan_id=loan.loan_id,
                    repayment_id=repayment_id,
                    amount_fen=fen,
                    idempotency_key=str(repayment_id),
                    now=now,
                )

    async def _record(self, asked: tuple[EventWish, UUID]) -> None:
        wish, event_id = asked
        key, now = (wish.loan.member_id, wish.loan.loan_id), self.clock()
        pack = self.platform.packs[wish.loan.product]
        async with transaction(self.platform.pool) as tx:
            loan = (await loans_store.lock_loans(tx, [key]))[key]
            known = (await loans_store.events_of(tx, [key])).get(key, [])
        state = fold(loan.terms, known, max(wish.value_on, loan.terms.started_on))
        event = event_of(wish, state, known, pack)
        if event is None:
            return
        for number in range(2 if wish.again else 1):
            async with transaction(self.platform.pool) as tx:
                await record_event(
                    tx,
                    pack,
                    replace(event, number=number + 1),
                    member_id=loan.member_id,
                    loan_id=loan.loan_id,
                    made_by="simulation",
                    reason="drawn from the seed",
                    key=str(event_id),
                    now=now,
                )
