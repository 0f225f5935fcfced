"""A portfolio of running loans, written set by set: what a day's close and a batch of debits look at.

Every loan was paid out less than a month ago and has paid nothing, so its projection is plain arithmetic; its member
has a line, a balance of principal, and nothing else. The loans' journals before the measurement are one a loan.
"""

from datetime import date, timedelta

import psycopg

from grainline.kit.calendar import add_months
from grainline.kit.money import Fen, RateE8
from grainline.loans import Terms, fold
from grainline.products import Pack

AMOUNT_FEN = Fen(1_000_000)
RATE_E8 = RateE8(35_000)
INSTALMENTS = 10

LOANS = """
insert into loans.loans (member_id, loan_id, product, rules, card_id, purpose, amount_fen, instalments, rate_e8,
    started_on, principal_fen, next_due_on, booked_through, change_on, accrual_slope,
    then_due_fen, then_charged_fen, then_accrued)
select n, lpad(to_hex(n), 32, '0')::uuid, %(product)s, %(rules)s, gen_random_uuid(), 'daily', %(amount)s,
    %(instalments)s, %(rate)s,
    started.days_on, %(amount)s, due.due_on, started.days_on, due.due_on, %(amount)s::numeric * %(rate)s,
    (%(then_dues)s::bigint[])[place], (%(then_charged)s::bigint[])[place], (%(then_accrued)s::numeric[])[place]
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
cross join lateral (select %(starts)s::date[] as starts) as s
cross join lateral (select 1 + n %% cardinality(s.starts) as place) as p
cross join lateral (select s.starts[place] as days_on) as started
cross join lateral (select (%(dues)s::date[])[place] as due_on) as due
"""
LINES = """
with opened as (
    insert into lines.lines (member_id, product, state, tier, limit_fen, used_fen, rate_e8, reasons, opened_at, changes)
    select n, %(product)s, 'open', 'prime', %(amount)s * 2, %(amount)s, %(rate)s, '[]', now(), 1
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
    returning *
)
insert into lines.changes (member_id, product, change_no, key, kind, to_fen, to_rate_e8, to_tier, state, reasons,
    made_by, made_at)
select member_id, product, 1, 'opened', 'opened', limit_fen, rate_e8, tier, state, reasons, 'platform', opened_at
from opened
"""
BALANCES = """
insert into ledger.balances (member_id, account, sub, balance_fen)
select n, '1301', lpad(to_hex(n), 32, '0')::uuid, %(amount)s
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
"""
JOURNALS = """
with posted as (
    insert into ledger.journals (member_id, idempotency_key, input_hash, kind, value_on, booked_at)
    select n, 'opening', '', 'opening', %(day)s, now() from generate_series(%(first)s::bigint, %(last)s::bigint) as n
    returning member_id, journal_no
)
insert into ledger.entries (member_id, journal_no, account, sub, amount_fen, balance_after_fen)
select member_id, journal_no, '1301', lpad(to_hex(member_id), 32, '0')::uuid, %(amount)s::bigint, %(amount)s::bigint
from posted
union all
select member_id, journal_no, '1002', md5(%(product)s)::uuid, -%(amount)s::bigint, null from posted
"""


def starts_and_dues(day: date, *, days: int, due_days: int) -> tuple[list[date], list[date]]:
    """Return first days of loans and their first due dates: one in `days` of the loans falls due on each day.

    The dues run over `due_days` days from `day` on.
    """
    dues = [day + timedelta(days=n % due_days) for n in range(days)]
    return [add_months(due, -1) for due in dues], dues


def write_loans(
    connection: psycopg.Connection[tuple[object, ...]],
    pack: Pack,
    *,
    first: int,
    last: int,
    starts: list[date],
    dues: list[date],
) -> None:
    """Write loans of members `first` … `last`, whose first days and first due dates go round the lists."""
    shape = pack.schedule.shapes[0]
    rules = pack.rules_name(shape)
    terms = [Terms(AMOUNT_FEN, RATE_E8, INSTALMENTS, start, pack.rules(shape)) for start in starts]
    then = [fold(of, (), of.started_on).next_due or (None, None, None) for of in terms]
    given = {
        "first": first,
        "last": last,
        "product": pack.product.code,
        "rules": rules,
        "amount": AMOUNT_FEN,
        "rate": RATE_E8,
        "instalments": INSTALMENTS,
        "starts": starts,
        "dues": dues,
        "day": min(starts),
        "then_dues": [known[0] for known in then],
        "then_charged": [known[1] for known in then],
        "then_accrued": [known[2] for known in then],
    }
    for statement in (LOANS, LINES, JOURNALS, BALANCES):
        connection.execute(statement, given)  # type: ignore[arg-type]


def settle_down(url: str) -> None:
    """Roll up, vacuum, analyse and checkpoint: the measurement begins on a server at rest."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select ledger.roll_up(ledger.cut())")
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
