"""How long a day's own work takes on a portfolio, held against one statement that writes an accrual row for each loan.

The day: every loan it touches brought into the books (instalments due, arrears rolled), debits asked for what is due,
and the accrual of all loans posted as one journal a product. One in thirty loans is due. Then the same with twice the
loans and as many due: what twice the portfolio costs.
The floor runs in the same database in the same minutes: one set-based insert of loan, day and amount into a table keyed
by loan and day. What the rail answers is another benchmark (`repay`).
"""

import asyncio
import resource
import time
from datetime import date, timedelta
from uuid import uuid4

import psycopg
from _portfolio import settle_down, starts_and_dues, write_loans
from _stage import Figures, Stage, findings_of, options, print_figures, stage, tell, telling
from rich.progress import Progress

from grainline.entry.wiring import PACKS
from grainline.kit.calendar import at
from grainline.kit.db import make_pool
from grainline.loans import close_day, request_debits, roll_day
from grainline.products import Pack, load_pack

DAY = date(2026, 11, 16)
MONTH = 30
FLOOR = """
insert into accruals (member_id, loan_id, day, amount_e8)
select member_id, loan_id, %s::date, principal_fen * rate_e8 from loans.loans
"""
ACCRUALS = """
create table accruals (
    member_id bigint not null, loan_id uuid not null, day date not null, amount_e8 bigint not null,
    primary key (member_id, loan_id, day)
)
"""


def main() -> int:
    """Measure, print, and fail where the books do not agree afterwards."""
    parser = options(__doc__ or "", seconds=0.0, rounds=1)
    parser.add_argument("--loans", type=int, default=1_000_000, help="loans in the portfolio (%(default)s)")
    parser.add_argument("--verify", action="store_true", help="prove the books afterwards (minutes on a large one)")
    given = parser.parse_args()
    pack = load_pack(PACKS / "weilidai.toml")
    with telling(6) as progress:
        due, seconds, floor, findings = _measured(progress, pack, loans=given.loans, one_in=MONTH, verify=given.verify)
        due_twice, seconds_twice, _, _ = _measured(
            progress, pack, loans=2 * given.loans, one_in=2 * MONTH, verify=False
        )
    figures: Figures = {
        "loans": given.loans,
        "due": due,
        "seconds": round(seconds, 2),
        "loans_per_s": round(given.loans / seconds),
        "sql_floor_s": round(floor, 2),
        "ratio_to_floor": round(seconds / floor, 3),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "twice_loans": 2 * given.loans,
        "twice_due": due_twice,
        "twice_seconds": round(seconds_twice, 2),
        "twice_ratio": round(seconds_twice / seconds, 3),
    }
    print_figures(figures | ({"verified": not findings} if given.verify else {}), as_json=given.json)
    return 1 if findings else 0


def _measured(
    progress: Progress, pack: Pack, *, loans: int, one_in: int, verify: bool
) -> tuple[int, float, float, list[str]]:
    """Return how many of a portfolio were due, seconds of the day and of the floor, and what does not agree."""
    with stage(scale=1) as on:
        tell(progress, f"writing {loans:,} loans")
        starts, dues = starts_and_dues(DAY, days=one_in, due_days=MONTH)
        if one_in > MONTH:  # the second half of the round falls due later: as many as before are due on the day
            starts, dues = [*starts[:MONTH], *starts[1:MONTH], starts[1]], [*dues[:MONTH], *dues[1:MONTH], dues[1]]
        with psycopg.connect(on.server.owner_url) as connection:
            write_loans(connection, pack, first=1, last=loans, starts=starts, dues=dues)
        settle_down(on.server.owner_url)
        floor = _floor(on)
        tell(progress, f"the day of {loans:,} loans")
        due, seconds = asyncio.run(_day(on, pack, DAY))
        return due, seconds, floor, findings_of(on) if verify else []


def _floor(on: Stage) -> float:
    with psycopg.connect(on.server.owner_url, autocommit=True) as connection:
        connection.execute(ACCRUALS)
        began = time.perf_counter()
        connection.execute(FLOOR, (DAY,))
        seconds = time.perf_counter() - began
        connection.execute("drop table accruals")
        connection.execute("checkpoint")
    return seconds


async def _day(on: Stage, pack: Pack, day: date) -> tuple[int, float]:
    """Do a day's work; return how many debits it asked for and how long it took."""
    packs = {pack.product.code: pack}
    noon = at(day, pack.debit.times[0])
    async with make_pool(on.server.app_url, size_max=4) as pool:
        began = time.perf_counter()
        await roll_day(pool, packs, day=day, now=noon)
        asked = await request_debits(
            pool, product=pack.product.code, day=day, slot=f"{day}T09:00", now=noon, new_id=uuid4
        )
        await close_day(pool, packs, day=day, now=noon + timedelta(days=1))
        return asked, time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
