"""The invitations' SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from grainline.kit.db import Tx, record


@dataclass(frozen=True)
class MonthlyEvaluation:
    """One member's evaluation for a product and month, with what it offers: fen, 10⁻⁸ a day, probability in 10⁻⁶.

    `model` is the content hash of the model that gave the probability.
    """

    member_id: int
    product: str
    month: date
    pd_e6: int
    invited: bool
    tier: str | None
    line_fen: int | None
    rate_e8: int | None
    reasons: tuple[str, ...]
    model: str
    evaluated_at: datetime
    expires_on: date | None


async def add_evaluations(tx: Tx, evaluations: Sequence[MonthlyEvaluation]) -> None:
    """Insert a month's evaluations; one that is there stays as it is."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "insert into invitation.evaluations (member_id, product, month, pd_e6, invited, tier, line_fen, rate_e8,"
            " reasons, model, evaluated_at, expires_on) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict do nothing",
            [
                (
                    e.member_id,
                    e.product,
                    e.month,
                    e.pd_e6,
                    e.invited,
                    e.tier,
                    e.line_fen,
                    e.rate_e8,
                    list(e.reasons),
                    e.model,
                    e.evaluated_at,
                    e.expires_on,
                )
                for e in evaluations
            ],
        )


async def latest(tx: Tx, *, member_id: int, product: str) -> MonthlyEvaluation | None:
    """Read a member's newest evaluation for a product, or None."""
    row = await (
        await tx.execute(
            "select member_id, product, month, pd_e6, invited, tier, line_fen, rate_e8, reasons, model, evaluated_at,"
            " expires_on from invitation.evaluations where member_id = %s and product = %s"
            " order by month desc limit 1",
            (member_id, product),
        )
    ).fetchone()
    return _evaluation(row) if row else None


async def latest_of_all(tx: Tx, *, member_id: int) -> dict[str, MonthlyEvaluation]:
    """Read a member's newest evaluation for each product that has one."""
    rows = await (
        await tx.execute(
            "select distinct on (product) member_id, product, month, pd_e6, invited, tier, line_fen, rate_e8, reasons,"
            " model, evaluated_at, expires_on from invitation.evaluations where member_id = %s"
            " order by product, month desc",
            (member_id,),
        )
    ).fetchall()
    return {row[1]: _evaluation(row) for row in rows}


def _evaluation(row: Sequence[Any]) -> MonthlyEvaluation:
    return record(MonthlyEvaluation, (*row[:8], tuple(row[8]), *row[9:]))


async def count_evaluations(tx: Tx, *, product: str) -> int:
    """Count a product's evaluations."""
    row = await (
        await tx.execute("select count(*) from invitation.evaluations where product = %s", (product,))
    ).fetchone()
    return int(row[0]) if row else 0


async def example(tx: Tx, *, product: str, invited: bool) -> int | None:
    """Return the member with the largest line among the invited, or the likeliest to fail among the others.

    Invited is who the whitelist has not looked at, or invites too.
    """
    row = await (
        await tx.execute(
            "select member_id from invitation.evaluations e where product = %s and invited = %s"
            " and not exists (select 1 from invitation.outcomes o where o.member_id = e.member_id and e.invited"
            "   and not coalesce(o.invited, true))"
            " order by line_fen desc nulls last, pd_e6 desc, member_id limit 1",
            (product, invited),
        )
    ).fetchone()
    return int(row[0]) if row else None
