"""`grainline loan …`: what a loan owes and why, and the events that the lender's people make."""

import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, TypeVar
from uuid import UUID, uuid4

import typer
from rich.console import Console
from rich.table import Table

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.wiring import make_clock, read_packs
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.money import Fen, read_yuan, yuan
from grainline.loans import Event, EventKind, LoanState, classify, fold, record_event, request_refund
from grainline.loans.loans_store import events, loan
from grainline.loans.model import Loan, LoanNotFound
from grainline.products import Component

loan_app = typer.Typer(no_args_is_help=True, help="One loan: its state, its events, making one, a refund.")
out = Console(width=140)
Result = TypeVar("Result")
MemberArgument = Annotated[int, typer.Argument(metavar="MEMBER", help="The member's number.")]
LoanArgument = Annotated[UUID, typer.Argument(metavar="LOAN", help="The loan's id.")]
ByOption = Annotated[str, typer.Option(help="Who makes it.")]
ReasonOption = Annotated[str, typer.Option(help="Why.")]
KeyOption = Annotated[str, typer.Option(help="A key of your choice: the same one again changes nothing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@loan_app.command()
def show(member: MemberArgument, loan_id: LoanArgument, as_json: JsonOption = False) -> None:
    """Show what is owed today, instalment by instalment, and everything that happened."""

    async def look(tx: Tx, now: datetime) -> tuple[LoanState, list[Event]]:
        found = await _found(tx, member, loan_id)
        known = await events(tx, member_id=member, loan_id=loan_id)
        return fold(found.terms, known, max(business_date(now), found.booked_through)), known

    _tell(*_asked(look), as_json=as_json)


@loan_app.command()
def record(
    member: MemberArgument,
    loan_id: LoanArgument,
    kind: Annotated[EventKind, typer.Argument(help="What happened.")],
    by: ByOption,
    reason: ReasonOption,
    key: KeyOption,
    on: Annotated[str | None, typer.Option(help="From when it counts, YYYY-MM-DD; left out: today.")] = None,
    amount: Annotated[str, typer.Option(help="Yuan, with at most two decimals.")] = "0",
    component: Annotated[Component | None, typer.Option(help="Of a waiver.")] = None,
    share: Annotated[int, typer.Option(min=0, max=10_000, help="Of a discount, in 10⁻⁴ of the interest.")] = 0,
    until: Annotated[str | None, typer.Option(help="End of a discount, first due date of a reschedule.")] = None,
    instalments: Annotated[int, typer.Option(min=0, max=360, help="Of a reschedule.")] = 0,
    reverses: Annotated[int | None, typer.Option(help="Number of the event that a reversal undoes.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make an event: it is checked, kept, booked, and told to the borrower."""

    day, end, fen = _day(on), _day(until), _fen(amount)

    async def make(tx: Tx, now: datetime) -> tuple[LoanState, list[Event]]:
        found = await _found(tx, member, loan_id)
        try:
            event = Event(kind, day or business_date(now), 0, fen, component, share, end, instalments, reverses)
        except ValueError as incomplete:
            raise typer.BadParameter(str(incomplete)) from None
        named = {"made_by": by, "reason": reason, "key": key}
        pack = read_packs()[found.product]
        state = await record_event(tx, pack, event, member_id=member, loan_id=loan_id, now=now, **named)
        return state, await events(tx, member_id=member, loan_id=loan_id)

    _tell(*_asked(make), as_json=as_json)


@loan_app.command()
def refund(
    member: MemberArgument,
    loan_id: LoanArgument,
    by: ByOption,
    reason: ReasonOption,
    key: KeyOption,
    amount: Annotated[str, typer.Option(help="Yuan, with at most two decimals; left out: all that is held.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Have what is held in suspense paid to the borrower's usual card, over the rail."""
    fen = _fen(amount) if amount else None

    async def ask(tx: Tx, now: datetime) -> dict[str, object]:
        row = await request_refund(
            tx,
            member_id=member,
            loan_id=loan_id,
            refund_id=uuid4(),
            amount_fen=fen,
            made_by=by,
            reason=reason,
            idempotency_key=f"desk/{key}",
            now=now,
        )
        return {"refund_id": str(row.refund_id), "state": row.state.value, "amount_fen": row.amount_fen}

    asked_for = _asked(ask)
    if as_json:
        typer.echo(json.dumps(asked_for))
    else:
        out.print(f"refund {asked_for['refund_id']} {asked_for['state']}: {_shown('_fen', asked_for['amount_fen'])}")


async def _found(tx: Tx, member_id: int, loan_id: UUID) -> Loan:
    found = await loan(tx, member_id=member_id, loan_id=loan_id)
    if found is None:
        raise LoanNotFound
    return found


def _asked(ask: Callable[[Tx, datetime], Awaitable[Result]]) -> Result:
    now = make_clock(env.load())()
    return asked(lambda tx: ask(tx, now), command="loan")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write YYYY-MM-DD") from None


def _fen(text: str) -> Fen:
    try:
        return read_yuan(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _tell(state: LoanState, known: list[Event], *, as_json: bool) -> None:
    found = classify(state)
    facts = {
        "as_of": str(state.as_of),
        "outstanding_fen": state.principal_outstanding_fen,
        "due_fen": state.due_fen,
        "payoff_fen": state.payoff_fen,
        "suspense_fen": state.totals.suspense,
        "days_late": state.days_late,
        "bucket": found.bucket,
        "category": found.category,
        "stage": found.stage,
        "charged_off_on": state.charged_off_on and str(state.charged_off_on),
        "written_off_on": state.written_off_on and str(state.written_off_on),
        "settled_on": state.settled_on and str(state.settled_on),
    }
    if as_json:
        rows = [{name: _plain(value) for name, value in row._asdict().items()} for row in state.instalments]
        happened = [{name: _plain(value) for name, value in vars(event).items()} for event in known]
        typer.echo(json.dumps(facts | {"instalments": rows, "events": happened}, ensure_ascii=False))
        return
    out.print(", ".join(f"{name.removesuffix('_fen')} {_shown(name, value)}" for name, value in facts.items()))
    table = Table("no.", "due on", "principal", "interest", "penalty", "fee", "paid", "unpaid")
    for row in state.instalments:
        amounts = (row.principal_fen, row.interest_fen, row.penalty_fen, row.fee_fen, row.paid_fen, row.unpaid_fen)
        table.add_row(str(row.number), str(row.due_on), *map(yuan, amounts))
    out.print(table)
    for event in known:
        out.print(f"{event.number}. {event.value_on} {event.kind} {yuan(event.amount_fen)}")


def _shown(name: str, value: object) -> str:
    return yuan(value) if name.endswith("_fen") and isinstance(value, int) else str(value)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, date) else value
