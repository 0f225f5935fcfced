"""The worked journals of docs/accounting.md: made by running the code on a real database, and written into the page.

`python tests/accounting_page.py` writes them anew; `tests/rooms/ledger/test_accounting_page.py` holds the page to them.
"""

import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from grainline.desk import verify
from grainline.desk.periods import close_period
from grainline.entry.migrate import migrate
from grainline.entry.postgres import hold
from grainline.entry.wiring import PACKS
from grainline.kit.calendar import at
from grainline.kit.db import Pool, make_pool, transaction
from grainline.kit.money import Fen, RateE8, yuan
from grainline.ledger import Account
from grainline.loans import (
    Event,
    EventKind,
    close_day,
    close_through,
    draws_store,
    fold,
    refunds_store,
    repayments_store,
    request_refund,
    roll_day,
)
from grainline.loans.loans_store import rules_named
from grainline.loans.officers import record_event
from grainline.loans.refunding import apply_not_refunded, apply_refunded
from grainline.loans.repaying import apply_collected, request_repayment
from grainline.loans.schedule import plan
from grainline.loans.terms import Terms
from grainline.products import Component, Pack, load_pack

PAGE = Path(__file__).parents[1] / "docs" / "accounting.md"
BLOCK = re.compile(r"(<!-- example: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
STARTED_ON = date(2026, 9, 11)
AMOUNT_FEN, RATE_E8, INSTALMENTS = 1_000_000, 50_000, 5
MEMBER, LOAN, CARD = 1, UUID(int=1), UUID(int=9)
NOON = time(12)

Line = tuple[date, str, dict[str, int]]
Example = Callable[["Life"], Awaitable[None]]
examples: dict[str, Example] = {}


def example(act: Example) -> Example:
    """Keep an example under its name."""
    examples[act.__name__] = act
    return act


@dataclass
class Life:
    """One borrower of Weilidai and an empty book; `shown_from` is the first journal that the table shows."""

    pool: Pool
    owner: psycopg.Connection
    pack: Pack
    shown_from: int = 1

    @property
    def packs(self) -> dict[str, Pack]:
        return {self.pack.product.code: self.pack}

    def show(self) -> None:
        """Bring forward what was booked until now; the table shows what comes."""
        self.shown_from = self.owner.execute("select coalesce(max(journal_no), 0) + 1 from ledger.journals").fetchone()[
            0
        ]

    async def sign(self, day: date = STARTED_ON) -> None:
        """Sign a contract and draw 10,000.00 at 0.05 % a day over five instalments."""
        now, soon = at(day, NOON), at(day, time(13))
        rules = self.pack.rules_name(self.pack.schedule.shapes[0])
        code = self.pack.product.code
        terms = (MEMBER, LOAN, code, rules, AMOUNT_FEN, INSTALMENTS, RATE_E8, "travel", CARD, day)
        for statement, values in (
            (SESSION, (MEMBER, now, soon)),
            (LINE, (MEMBER, code, 3 * AMOUNT_FEN, RATE_E8, now)),
            (DISCLOSURE, (*terms, now, now, soon)),
            (CONTRACT, (MEMBER, LOAN, LOAN, now)),
            (CODE, (MEMBER, str(LOAN), now, soon, day)),
        ):
            self.owner.execute(statement, values)
        async with transaction(self.pool) as tx:
            answer = await (await tx.execute(DRAW, (MEMBER, LOAN, LOAN, now, day))).fetchone()
        assert answer == (None,), answer

    async def lend(self, day: date = STARTED_ON) -> None:
        """Sign, and be paid."""
        await self.sign(day)
        async with transaction(self.pool) as tx:
            draw = await draws_store.draw_of(tx, member_id=MEMBER, draw_id=LOAN)
            rules = await rules_named(tx, draw.rules)
            state = fold(Terms(Fen(AMOUNT_FEN), RateE8(RATE_E8), INSTALMENTS, day, rules), (), day)
            now = at(day, NOON)
            assert await draws_store.confirm_payout(tx, draw, paid_at=now, state=state, now=now)

    async def refuse(self, day: date = STARTED_ON) -> None:
        """Have the rail refuse the draw."""
        async with transaction(self.pool) as tx:
            draw = await draws_store.draw_of(tx, member_id=MEMBER, draw_id=LOAN)
            assert await draws_store.fail_payout(tx, draw, failed_at=at(day, NOON), failed_on=day, reason="x")

    async def close(self, day: date) -> None:
        """Close one day; days before it that are not closed go into it."""
        await close_day(self.pool, self.packs, day=day, now=after(day))

    async def close_each(self, day: date) -> None:
        """Close every day up to a day."""
        await close_through(self.pool, self.packs, day=day, now=after(day))

    async def due(self, day: date) -> None:
        """Do the morning's work: what falls due."""
        await roll_day(self.pool, self.packs, day=day, now=at(day, time(0, 5)))

    async def ask(self, day: date, fen: int) -> None:
        """Ask for a repayment by hand."""
        async with transaction(self.pool) as tx:
            await request_repayment(
                tx,
                member_id=MEMBER,
                loan_id=LOAN,
                repayment_id=UUID(int=day.toordinal()),
                amount_fen=fen,
                idempotency_key=f"{day}",
                now=at(day, NOON),
            )

    async def collect(self, now: datetime) -> None:
        """Hear that the rail has collected what was asked for."""
        async with transaction(self.pool) as tx:
            asked = await repayments_store.open_repayments(tx, [(MEMBER, LOAN)])
            assert await apply_collected(tx, [(row, now) for row in asked[MEMBER, LOAN]], now=now) == 1

    async def repay(self, day: date, fen: int) -> None:
        """Repay by hand, over the rail."""
        await self.ask(day, fen)
        await self.collect(at(day, NOON))

    async def refund(self, day: date, *, settled_on: date, paid: bool = True) -> None:
        """Ask for all that is held, and hear some time later what the rail has done."""
        now = at(settled_on, NOON)
        async with transaction(self.pool) as tx:
            row = await request_refund(
                tx,
                member_id=MEMBER,
                loan_id=LOAN,
                refund_id=UUID(int=day.toordinal()),
                amount_fen=None,
                made_by="member",
                idempotency_key=f"{day}",
                now=at(day, NOON),
            )
            [taken] = await refunds_store.take_refunds(tx, now=now, count=1, ask_again=timedelta(seconds=5))
            assert taken.refund_id == row.refund_id
            if paid:
                await apply_refunded(tx, taken, paid_at=now, now=now)
            else:
                await apply_not_refunded(tx, taken, reason="x", now=now)

    async def happen(self, day: date, kind: EventKind, fen: int = 0, *, booked: date | None = None, **more) -> None:
        """Have an officer record an event that counts from a day, on that day unless another is named."""
        async with transaction(self.pool) as tx:
            state = await record_event(
                tx,
                self.pack,
                Event(kind, day, 0, Fen(fen), **more),
                member_id=MEMBER,
                loan_id=LOAN,
                made_by="officer",
                reason="as an example",
                key=f"{kind}/{day}",
                now=at(booked or day, NOON),
            )
        assert state.as_of >= day

    async def close_period(self, ends_on: date, now: datetime) -> None:
        """Close an accounting period."""
        async with transaction(self.pool) as tx:
            assert await close_period(tx, ends_on=ends_on, now=now, closed_by="example")

    def journals(self) -> list[Line]:
        """Return what is shown: what was brought forward, and each journal, accounts in order."""
        found: dict[int, Line] = {}
        for number, value_on, kind, account, fen in self.owner.execute(
            "select j.journal_no, j.value_on, j.kind, e.account, e.amount_fen from ledger.journals j"
            " join ledger.entries e using (member_id, journal_no) order by e.entry_no"
        ).fetchall():
            found.setdefault(number, (value_on, kind, {}))[2][account] = fen
        before: Counter[str] = Counter()
        for number, (_, _, lines) in found.items():
            before.update(lines if number < self.shown_from else {})
        shown = [line for number, line in sorted(found.items()) if number >= self.shown_from]
        brought = {account: fen for account, fen in before.items() if fen}
        return ([(shown[0][0], "", brought)] if brought else []) + shown


def after(day: date) -> datetime:
    """Return the moment just after a day."""
    return at(day + timedelta(days=1), time(0, 1))


SESSION = (
    "insert into members.sessions (member_id, token_hash, created_at, expires_at) values (%s, 'token', %s, %s)"
    " on conflict do nothing"
)
LINE = "select lines.open(%s, %s, 'prime', %s, %s, '[]', null, null, null, 'platform', %s)"
DISCLOSURE = (
    "insert into loans.disclosures (member_id, disclosure_id, product, rules, amount_fen, instalments, rate_e8,"
    " purpose, card_id, starts_on, content, content_hash, shown_at, may_sign_at, expires_at, funded_within)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '{}', 'shown', %s, %s, %s, '5 minutes')"
)
CONTRACT = (
    "insert into loans.contracts (member_id, contract_id, disclosure_id, content, content_hash, made_at)"
    " values (%s, %s, %s, 'text', 'signed', %s)"
)
CODE = (
    "insert into members.one_time_codes (member_id, purpose, subject, code_hash, sent_at, expires_at, tries_left,"
    " sent_on, sent_count) values (%s, 'sign_contract', %s, 'code', %s, %s, 5, %s, 1)"
)
DRAW = "select refusal from loans.draw(%s, 'token', %s, 'key', 'input', %s, 'signed', 'code', %s, %s)"
EMPTY = (
    "truncate members.sessions, members.one_time_codes, lines.lines, lines.changes, guard.day_draws, kit.outbox,"
    " loans.draws, loans.contracts, loans.disclosures, loans.loans, loans.events, loans.repayments, loans.refunds,"
    " loans.rail_answers, loans.classifications, loans.closed_days, ledger.journals, ledger.entries, ledger.balances,"
    " ledger.house_balances, ledger.closed_periods restart identity"
)


@example
async def draw(life: Life) -> None:
    """A draw is signed, and paid."""
    await life.lend()


@example
async def draw_failed(life: Life) -> None:
    """A draw is signed, and the rail refuses it."""
    await life.sign()
    await life.refuse()


@example
async def accrual(life: Life) -> None:
    """Three days are closed one by one, the rest of the period at once."""
    await life.lend()
    life.show()
    for day in (11, 12, 13):
        await life.close(date(2026, 9, day))
    await life.close(date(2026, 10, 10))


@example
async def instalment(life: Life) -> None:
    """An instalment falls due and is paid."""
    await life.lend()
    await life.close(date(2026, 10, 10))
    life.show()
    await life.due(date(2026, 10, 11))
    await life.repay(date(2026, 10, 11), 215_000)


@example
async def prepayment(life: Life) -> None:
    """1,000.00 are paid after ten days; the next close accrues on what is left."""
    await life.lend()
    await life.close(date(2026, 9, 20))
    life.show()
    await life.repay(date(2026, 9, 21), 100_000)
    await life.close(date(2026, 9, 21))


async def _two_paid(life: Life) -> None:
    await life.lend()
    for month, fen in ((10, 215_000), (11, 212_400)):
        await life.close(date(2026, month, 10))
        await life.due(date(2026, month, 11))
        await life.repay(date(2026, month, 11), fen)
    await life.close(date(2026, 11, 19))
    life.show()


@example
async def payoff(life: Life) -> None:
    """Two instalments are paid; nine days later everything is."""
    await _two_paid(life)
    await life.repay(date(2026, 11, 20), 602_700)


@example
async def overpayment(life: Life) -> None:
    """73.00 more come than are owed, and are sent back."""
    await _two_paid(life)
    await life.happen(date(2026, 11, 20), EventKind.REPAYMENT, 610_000)
    await life.refund(date(2026, 11, 23), settled_on=date(2026, 11, 24))


@example
async def refund_failed(life: Life) -> None:
    """73.00 are held and asked for; the rail does not pay them."""
    await _two_paid(life)
    await life.happen(date(2026, 11, 20), EventKind.REPAYMENT, 610_000)
    life.show()
    await life.refund(date(2026, 11, 23), settled_on=date(2026, 11, 24), paid=False)


@example
async def fee(life: Life) -> None:
    """A fee of 50.00 is charged with the instalment, which is paid with it."""
    await life.lend()
    await life.close(date(2026, 10, 10))
    life.show()
    await life.happen(date(2026, 10, 11), EventKind.FEE, 5_000)
    await life.repay(date(2026, 10, 11), 220_000)


@example
async def waiver(life: Life) -> None:
    """20.00 of the interest that is due are given up."""
    await life.lend()
    await life.close(date(2026, 10, 10))
    await life.due(date(2026, 10, 11))
    life.show()
    await life.happen(date(2026, 10, 11), EventKind.WAIVER, 2_000, component=Component.INTEREST)


@example
async def coupon(life: Life) -> None:
    """A coupon of 30.00, and 20 % off for ten days."""
    await life.lend()
    await life.happen(date(2026, 9, 15), EventKind.COUPON, 3_000)
    await life.happen(date(2026, 9, 21), EventKind.DISCOUNT, share_e4=2_000, until=date(2026, 10, 1))
    await life.close(date(2026, 10, 10))
    life.show()
    await life.due(date(2026, 10, 11))


@example
async def penalty(life: Life) -> None:
    """An instalment stays unpaid; after the day of grace its principal bears the penalty rate, until it is paid."""
    await life.lend()
    await life.close(date(2026, 10, 11))
    life.show()
    for day in (12, 13, 14):
        await life.close(date(2026, 10, day))
    await life.repay(date(2026, 10, 15), 215_400)


@example
async def reversal(life: Life) -> None:
    """The bank takes back the instalment that was paid three days ago."""
    await life.lend()
    await life.close(date(2026, 10, 10))
    await life.due(date(2026, 10, 11))
    await life.repay(date(2026, 10, 11), 215_000)
    await life.close(date(2026, 10, 13))
    life.show()
    await life.happen(date(2026, 10, 14), EventKind.REVERSAL, reverses=1)
    await life.close(date(2026, 10, 14))


@example
async def backdated(life: Life) -> None:
    """Cash of the 21st is recorded on the 25th, when the days to the 24th are closed."""
    await life.lend()
    await life.close(date(2026, 9, 24))
    life.show()
    await life.happen(date(2026, 9, 21), EventKind.REPAYMENT, 100_000, booked=date(2026, 9, 25))
    await life.close(date(2026, 9, 25))


@example
async def charge_off(life: Life) -> None:
    """Charged off with 150.00 of interest due; then an instalment falls due, and 300.00 are paid."""
    await life.lend()
    await life.close(date(2026, 10, 10))
    await life.due(date(2026, 10, 11))
    life.show()
    await life.happen(date(2026, 10, 11), EventKind.CHARGE_OFF)
    await life.close(date(2026, 11, 10))
    await life.due(date(2026, 11, 11))
    await life.repay(date(2026, 11, 11), 30_000)


@example
async def write_off(life: Life) -> None:
    """Written off with everything owed, and 500.00 are recovered."""
    await life.lend()
    await life.close(date(2026, 10, 10))
    await life.due(date(2026, 10, 11))
    life.show()
    await life.happen(date(2026, 10, 11), EventKind.WRITE_OFF)
    await life.happen(date(2026, 11, 2), EventKind.REPAYMENT, 50_000)


@example
async def reschedule(life: Life) -> None:
    """What is owed is planned anew, ten days after the first instalment was missed."""
    await life.lend()
    await life.close(date(2026, 10, 20))
    life.show()
    await life.happen(date(2026, 10, 21), EventKind.RESCHEDULE, until=date(2026, 11, 21), instalments=8)
    await life.close(date(2026, 10, 21))


@example
async def closed_period(life: Life) -> None:
    """A payment of 30 September is heard of when September is closed: it is booked on the first open day."""
    await life.lend()
    await life.ask(date(2026, 9, 30), 100_000)
    await life.close_each(date(2026, 9, 30))
    await life.close_period(date(2026, 9, 30), after(date(2026, 9, 30)))
    life.show()
    await life.collect(at(date(2026, 10, 1), time(0, 2)))
    await life.close_each(date(2026, 10, 1))


@example
async def year_end(life: Life) -> None:
    """December is closed: the year's income goes to retained earnings."""
    await life.lend(date(2026, 12, 20))
    await life.happen(date(2026, 12, 21), EventKind.FEE, 5_000)
    await life.happen(date(2026, 12, 21), EventKind.WAIVER, 1_000, component=Component.FEE)
    await life.close_each(date(2026, 12, 31))
    life.show()
    await life.close_period(date(2026, 12, 31), after(date(2026, 12, 31)))


def table(lines: list[Line]) -> str:
    """Write journals as a table: a column for each account they move, debits positive, and its balance at the end."""
    columns = sorted({account for _, kind, journal in lines if kind for account in journal})
    total: Counter[str] = Counter()
    rows = []
    for value_on, kind, journal in lines:
        total.update(journal)
        if kind or any(account in journal for account in columns):
            amounts = [_yuan(journal[account]) if account in journal else "" for account in columns]
            rows.append([f"{value_on}" if kind else "", kind or "*brought forward*", *amounts])
    rows.append(["", "*balance*", *(_yuan(total[account]) for account in columns)])
    return _markdown(["value date", "kind", *columns], rows, numbers_from=2)


def chart(owner: psycopg.Connection) -> str:
    """Write the chart of accounts as the database has it, with the names in code."""
    accounts = owner.execute(
        "select code, name_zh, name_en, kind, holder from ledger.accounts order by code"
    ).fetchall()
    rows = [[code, zh, en, f"`{Account(code).name}`", kind, held] for code, zh, en, kind, held in accounts]
    return _markdown(["code", "中文", "English", "name in code", "kind", "held by"], rows, numbers_from=6)


def plan_of(pack: Pack) -> str:
    """Write the plan of the loan of the examples."""
    terms = Terms(Fen(AMOUNT_FEN), RateE8(RATE_E8), INSTALMENTS, STARTED_ON, pack.rules(pack.schedule.shapes[0]))
    left, rows = AMOUNT_FEN, []
    for row in plan(terms):
        rows.append([str(row.number), f"{row.due_on}", str(row.days), yuan(left), yuan(row.interest_fen)])
        rows[-1] += [yuan(row.principal_fen), yuan(row.total_fen)]
        left -= row.principal_fen
    return _markdown(["no.", "due on", "days", "left before", "interest", "principal", "to pay"], rows, numbers_from=2)


def _yuan(fen: int) -> str:
    return yuan(fen).replace("-", "−")


def _markdown(head: list[str], rows: list[list[str]], *, numbers_from: int) -> str:
    line = ["---" if place < numbers_from else "---:" for place in range(len(head))]
    return "".join("| " + " | ".join(row) + " |\n" for row in (head, line, *rows))


async def tables(owner_url: str, app_url: str) -> AsyncIterator[tuple[str, str]]:
    """Run every example on an empty book of a migrated database, prove the book, and write its table."""
    pack = load_pack(PACKS / "weilidai.toml")
    yield "plan", plan_of(pack)
    async with make_pool(app_url, size_max=4) as pool:
        with psycopg.connect(owner_url, autocommit=True) as owner:
            yield "chart", chart(owner)
            for name, act in examples.items():
                owner.execute(EMPTY)
                life = Life(pool, owner, pack)
                await act(life)
                findings = (await verify(pool))[1]
                if findings:
                    raise RuntimeError(f"{name}: {findings}")
                yield name, table(life.journals())


def fill(page: str, found: dict[str, str]) -> str:
    """Return the page with its tables made anew; every example has its place, and every place its example."""
    named = [block[2] for block in BLOCK.finditer(page)]
    if sorted(named) != sorted(found):
        raise ValueError(f"the page has {sorted(set(named) ^ set(found))} where the examples do not, or they do twice")
    return BLOCK.sub(lambda block: block[1] + found[block[2]] + block[3], page)


@asynccontextmanager
async def _a_database() -> AsyncIterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="gl-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        server = hold(Path(folder))
        try:
            migrate(server.owner_url)
            yield server.owner_url, server.app_url
        finally:
            server.release()


async def _main() -> None:
    async with _a_database() as (owner_url, app_url):
        found = {name: text async for name, text in tables(owner_url, app_url)}
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_main())
