"""SQL of repayments: asked for, taken with a lease, decided by the rail's answer; and what the rail answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import LiteralString
from uuid import UUID

from grainline.kit.db import Tx, record
from grainline.kit.money import Fen
from grainline.loans.model import RepaymentKind, RepaymentRow

REPAYMENT: LiteralString = (
    "member_id, repayment_id, loan_id, kind, state, amount_fen, value_on, requested_at, collected_at, failure,"
    " attempts, input_hash, event_no"
)
KEY_CONFLICT = "key_conflict"  # a rail's answer that is no status: it has another order under our key


@dataclass(frozen=True)
class RepaymentRequest:
    """What is asked to be collected."""

    member_id: int
    repayment_id: UUID
    loan_id: UUID
    kind: RepaymentKind
    amount_fen: int
    value_on: date
    idempotency_key: str
    input_hash: bytes


async def add_repayments(tx: Tx, requests: Sequence[RepaymentRequest], *, now: datetime) -> None:
    """Insert repayments to be collected; one whose key was used stays as it is."""
    rows = [
        (r.member_id, r.repayment_id, r.loan_id, r.kind, r.amount_fen, r.value_on, r.idempotency_key, r.input_hash)
        for r in requests
    ]
    if rows:
        await tx.execute(
            "insert into loans.repayments (member_id, repayment_id, loan_id, kind, amount_fen, value_on,"
            " idempotency_key, input_hash, state, requested_at, ask_at)"
            " select *, 'requested', %s, %s from unnest(%s::bigint[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[],"
            " %s::date[], %s::text[], %s::bytea[]) on conflict (member_id, idempotency_key) do nothing",
            (now, now, *map(list, zip(*rows, strict=True))),
        )


async def repayment_by_key(tx: Tx, *, member_id: int, key: str) -> RepaymentRow | None:
    """Read the repayment a key was used for, or None."""
    cursor = await tx.execute(
        f"select {REPAYMENT} from loans.repayments where member_id = %s and idempotency_key = %s",
        (member_id, key),
    )
    row = await cursor.fetchone()
    return record(RepaymentRow, row) if row else None


async def repayments_of(tx: Tx, *, member_id: int, loan_id: UUID) -> list[RepaymentRow]:
    """List a loan's repayments in the order they were asked for."""
    cursor = await tx.execute(
        f"select {REPAYMENT} from loans.repayments where member_id = %s and loan_id = %s"
        " order by requested_at, repayment_id",
        (member_id, loan_id),
    )
    return [record(RepaymentRow, row) for row in await cursor.fetchall()]


async def take_repayments(tx: Tx, *, now: datetime, count: int, ask_again: timedelta) -> list[RepaymentRow]:
    """Take repayments whose collection is to be sent (`attempts` is 1) or asked for; a lease, as with draws."""
    cursor = await tx.execute(
        f"""
        with due as (
            select member_id as m, repayment_id as r from loans.repayments
            where ask_at <= %(now)s order by ask_at limit %(count)s for update skip locked
        )
        update loans.repayments set state = 'sent', attempts = attempts + 1,
            ask_at = %(now)s + %(again)s * power(2, least(attempts, 6))
        from due where member_id = due.m and repayment_id = due.r
        returning {REPAYMENT}
        """,
        {"now": now, "count": count, "again": ask_again},
    )
    return [record(RepaymentRow, row) for row in await cursor.fetchall()]


async def ask_repayment_now(tx: Tx, *, member_id: int, repayment_id: UUID, now: datetime) -> None:
    """Have an undecided repayment asked for at once."""
    await tx.execute(
        "update loans.repayments set ask_at = %s where member_id = %s and repayment_id = %s and state = 'sent'",
        (now, member_id, repayment_id),
    )


async def collected(tx: Tx, decided: Sequence[tuple[RepaymentRow, datetime, int]]) -> None:
    """Mark locked, undecided repayments collected at a time, each as its loan's event of a number."""
    await tx.execute(
        "update loans.repayments r set state = 'collected', collected_at = d.at, event_no = d.number, ask_at = null"
        " from unnest(%s::bigint[], %s::uuid[], %s::timestamptz[], %s::int[]) as d (member, repayment, at, number)"
        " where r.member_id = d.member and r.repayment_id = d.repayment",
        (
            [row.member_id for row, _, _ in decided],
            [row.repayment_id for row, _, _ in decided],
            [at for _, at, _ in decided],
            [number for _, _, number in decided],
        ),
    )


async def undecided(tx: Tx, rows: Sequence[RepaymentRow]) -> set[tuple[int, UUID]]:
    """Lock repayments and return which of them are not decided yet."""
    cursor = await tx.execute(
        "select member_id, repayment_id from loans.repayments where state in ('requested', 'sent')"
        " and (member_id, repayment_id) in (select * from unnest(%s::bigint[], %s::uuid[]))"
        " order by member_id, repayment_id for update",
        ([row.member_id for row in rows], [row.repayment_id for row in rows]),
    )
    return {(row[0], row[1]) for row in await cursor.fetchall()}


async def open_repayments(tx: Tx, keys: Sequence[tuple[int, UUID]]) -> dict[tuple[int, UUID], list[RepaymentRow]]:
    """Read what is being collected of many loans, in the order it was asked for."""
    cursor = await tx.execute(
        f"select {REPAYMENT} from loans.repayments where state in ('requested', 'sent')"
        " and (member_id, loan_id) in (select * from unnest(%s::bigint[], %s::uuid[]))"
        " order by requested_at, repayment_id",
        ([member_id for member_id, _ in keys], [loan_id for _, loan_id in keys]),
    )
    found: dict[tuple[int, UUID], list[RepaymentRow]] = {}
    for row in [record(RepaymentRow, row) for row in await cursor.fetchall()]:
        found.setdefault((row.member_id, row.loan_id), []).append(row)
    return found


async def not_collected(tx: Tx, repayment: RepaymentRow, *, reason: str) -> bool:
    """Mark a repayment failed; False where it was decided before."""
    cursor = await tx.execute(
        "update loans.repayments set state = 'failed', failure = %s, ask_at = null"
        " where member_id = %s and repayment_id = %s and state in ('requested', 'sent')",
        (reason, repayment.member_id, repayment.repayment_id),
    )
    return cursor.rowcount == 1


async def add_answer(
    tx: Tx,
    *,
    member_id: int,
    transfer_id: UUID,
    kind: str,
    status: str,
    ordered_fen: Fen,
    amount_fen: Fen | None,
    reason: str | None,
    now: datetime,
) -> bool:
    """Record what the rail answered; return whether all it ever said of the transfer is about what we ordered.

    `amount_fen` is the rail's word, None where it told none: not found, or KEY_CONFLICT.
    """
    cursor = await tx.execute(
        "insert into loans.rail_answers as new"
        " (member_id, transfer_id, kind, status, amount_fen, reason, heard_at)"
        " values (%(member)s, %(transfer)s, %(kind)s, %(status)s, %(amount)s, %(reason)s, %(now)s)"
        " returning coalesce(new.amount_fen, %(ordered)s) = %(ordered)s and new.status <> %(conflict)s"
        " and not exists (select 1 from loans.rail_answers r where r.member_id = new.member_id"
        "   and r.transfer_id = new.transfer_id and (r.amount_fen <> %(ordered)s or r.status = %(conflict)s))",
        {
            "member": member_id,
            "transfer": transfer_id,
            "kind": kind,
            "status": status,
            "amount": amount_fen,
            "ordered": ordered_fen,
            "reason": reason,
            "now": now,
            "conflict": KEY_CONFLICT,
        },
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def loans_late(tx: Tx, *, product: str, slot: str, after: UUID | None, count: int) -> list[tuple[int, UUID]]:
    """Lock a product's late loans, of which more is due each day, where this slot's debit was not requested yet."""
    cursor = await tx.execute(
        "select member_id, loan_id from loans.loans l where late_since is not null and product = %(product)s"
        " and written_off_on is null and (%(after)s::uuid is null or loan_id > %(after)s::uuid)"
        " and not exists (select 1 from loans.repayments r where r.member_id = l.member_id"
        "   and r.idempotency_key = 'auto/' || l.loan_id || '/' || %(slot)s)"
        " order by loan_id limit %(count)s for update",
        {"product": product, "slot": slot, "after": after, "count": count},
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def request_due(tx: Tx, *, product: str, day: date, slot: str, now: datetime, seed: UUID) -> int:
    """Ask for what is due of a product's loans that are not late, in one statement; return how many it asked for.

    What is due is in the projection of a loan whose books have reached the day, less what is being collected. Ids are
    made of the seed and the loan.
    """
    cursor = await tx.execute(
        """
        insert into loans.repayments (member_id, repayment_id, loan_id, kind, state, amount_fen, value_on,
            idempotency_key, input_hash, requested_at, ask_at)
        select l.member_id, md5(%(seed)s || l.loan_id)::uuid, l.loan_id, 'automatic', 'requested',
            l.due_fen - coalesce(o.open_fen, 0), %(day)s, 'auto/' || l.loan_id || '/' || %(slot)s, '', %(now)s, %(now)s
        from loans.loans l
        left join (
            select member_id, loan_id, sum(amount_fen)::bigint as open_fen from loans.repayments
            where ask_at is not null group by member_id, loan_id
        ) as o on o.member_id = l.member_id and o.loan_id = l.loan_id
        where l.next_due_on <= %(day)s and l.product = %(product)s and l.late_since is null
            and l.written_off_on is null and l.due_fen > coalesce(o.open_fen, 0)
        on conflict (member_id, idempotency_key) do nothing
        """,
        {"seed": str(seed), "product": product, "day": day, "slot": slot, "now": now},
    )
    return cursor.rowcount
