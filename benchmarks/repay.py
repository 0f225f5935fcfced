"""How fast the rail's answers to a day's debits are applied: to loans, lines and ledger, in batches.

30,000 instalments are due and were asked for; each answer says collected. An answer becomes the loan's event, a journal
with the balances after it, the line's restored amount, the loan's projection and the borrower's news, all in the
transaction of its batch. Held against pgbench's TPC-B-like transaction on the same server in the same minutes. What the
rail itself takes is not in it.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import date, datetime
from statistics import median
from uuid import uuid4

import psycopg
from _portfolio import settle_down, starts_and_dues, write_loans
from _stage import Figures, Stage, findings_of, options, print_figures, ratio, stage, tell, telling, tpcb

from grainline.entry.wiring import PACKS
from grainline.kit.calendar import at
from grainline.kit.db import Pool, make_pool, record, transaction
from grainline.loans import request_debits, roll_day
from grainline.loans.model import RepaymentRow
from grainline.loans.repaying import apply_collected
from grainline.loans.repayments_store import REPAYMENT
from grainline.products import Pack, load_pack

DAY = date(2026, 11, 16)
LANES = 2
ALL = f"select {REPAYMENT} from loans.repayments order by member_id"  # noqa: S608


def main() -> int:
    """Measure, print, and fail where the books do not agree afterwards."""
    parser = options(__doc__ or "", seconds=5.0)
    parser.add_argument("--due", type=int, default=30_000, help="instalments due and collected (%(default)s)")
    parser.add_argument("--batch", type=int, default=500, help="answers in one transaction (%(default)s)")
    given = parser.parse_args()
    pack = load_pack(PACKS / "weilidai.toml")
    with stage(scale=given.scale) as on, telling(2 * given.rounds + 2) as progress:
        tell(progress, "writing loans and asking for what is due")
        rounds = given.rounds
        rows = asyncio.run(_ask(on, pack, due=given.due))
        baseline, rates = [], []
        share = len(rows) // rounds
        for place in range(rounds):
            tell(progress, "TPC-B")
            baseline.append(tpcb(on.server, "simple", seconds=given.seconds))
            tell(progress, "answers")
            mine = rows[place * share : (place + 1) * share]
            rates.append(len(mine) / asyncio.run(_apply(on, mine, given.batch)))
        tell(progress, "verifying")
        findings = findings_of(on)
    figures: Figures = {
        "repay_per_s": round(median(rates), 1),
        "tpcb_tps": round(median(baseline), 1),
        "repay_ratio": ratio(rates, baseline),
        "due": len(rows),
        "batch": given.batch,
        "rounds": rounds,
        "verified": not findings,
    }
    print_figures(figures, as_json=given.json)
    return 1 if findings else 0


async def _ask(on: Stage, pack: Pack, *, due: int) -> list[RepaymentRow]:
    """Write as many loans as are to be due, all on one day, and ask for their instalments."""
    starts, dues = starts_and_dues(DAY, days=1, due_days=1)
    with psycopg.connect(on.server.owner_url) as connection:
        write_loans(connection, pack, first=1, last=due, starts=starts, dues=dues)
    now = at(DAY, pack.debit.times[0])
    async with make_pool(on.server.app_url, size_max=LANES) as pool:
        await roll_day(pool, {pack.product.code: pack}, day=DAY, now=now)
        await request_debits(pool, product=pack.product.code, day=DAY, slot="bench", now=now, new_id=uuid4)
        async with transaction(pool) as tx:
            found = await (await tx.execute(ALL)).fetchall()
    settle_down(on.server.owner_url)
    return [record(RepaymentRow, row) for row in found]


async def _apply(on: Stage, rows: Sequence[RepaymentRow], size: int) -> float:
    now = at(DAY, load_pack(PACKS / "weilidai.toml").debit.times[0])
    batches = [rows[place : place + size] for place in range(0, len(rows), size)]
    async with make_pool(on.server.app_url, size_max=LANES) as pool:
        await pool.wait()
        began = time.perf_counter()
        await asyncio.gather(*(_lane(pool, batches, now) for _ in range(LANES)))
        return time.perf_counter() - began


async def _lane(pool: Pool, batches: list[Sequence[RepaymentRow]], now: datetime) -> None:
    while batches:
        batch = batches.pop()
        async with transaction(pool) as tx:
            await apply_collected(tx, [(row, now) for row in batch], now=now)


if __name__ == "__main__":
    raise SystemExit(main())
