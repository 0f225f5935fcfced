"""`grainline me consents|apply|ways|notice|review`: the way to a line, what was decided, what can be done about it."""

import uuid
from typing import Annotated

import typer

from grainline.entry.me_api import Call, about, api, out, show, stop

applying = typer.Typer()

Product = Annotated[str | None, typer.Option("--product", help="A code of `grainline me products`.")]
Decision = Annotated[str | None, typer.Argument(metavar="[DECISION]", help="Left out: the newest one.")]


@applying.command()
def consents(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources to consent to; left out: show all.")] = None,
    withdraw: Annotated[str | None, typer.Option(help="A source whose consent is to end.")] = None,
) -> None:
    """Show what you consent to, consent to more, or withdraw."""
    with api() as call:
        if withdraw:
            found = call("DELETE", f"/consents/{withdraw}")
        elif sources:
            found = call("POST", "/consents", {"sources": sources})
        else:
            found = call("GET", "/consents")
    for one in found["items"]:
        state = f"given {one['given_at']}" if one["given_at"] else "not given"
        needed = ", required for a line" if one["required"] else ""
        out.print(f"{one['source']:<10} {state}{needed}; kept {one['retention_days']} days: {one['purpose']}")


@applying.command()
def apply(
    student: Annotated[bool, typer.Option("--student/--not-student", help="Whether you are a student.")],
    product: Product = None,
    key: Annotated[str | None, typer.Option(help="Idempotency-Key; give the same one to repeat a call.")] = None,
) -> None:
    """Apply for a line: decided at once, and open where it is approved."""
    with api() as call:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        show(call("POST", about("/applications", product), {"student": student}, headers))


@applying.command()
def decisions() -> None:
    """List what was decided, the newest first."""
    with api() as call:
        show(call("GET", "/applications"))


@applying.command()
def ways(decision: Decision = None) -> None:
    """Show what would have changed a decision for the better."""
    with api() as call:
        found = call("GET", f"/applications/{decision or _newest(call)}/ways")
    for one in found["items"]:
        out.print(f"{one['text']} (from {one['done_on']} on)")
    out.print(
        found["note"] if found["items"] else "Nothing was found that is in your reach; you may ask for an officer."
    )


@applying.command()
def notice(decision: Decision = None) -> None:
    """Show the notice of a decision: reasons, sources, your rights."""
    with api() as call:
        found = call("GET", f"/applications/{decision or _newest(call)}/notice")
    out.print(f"{found['title']} ({found['version']})\n{found['decision']}\n{found['decided_by']}")
    for name in ("reasons", "sources", "rights"):
        out.print(f"{name}:")
        for text in found[name]:
            out.print(f"  {text}")


@applying.command()
def review(
    decision: Decision = None, words: Annotated[str, typer.Option(help="What you want to say to the officer.")] = ""
) -> None:
    """Ask that a person look at a decision."""
    with api() as call:
        show(call("POST", f"/applications/{decision or _newest(call)}/review", {"words": words}))


def _newest(call: Call) -> str:
    found = call("GET", "/applications")["items"]
    if not found:
        stop("nothing was decided yet: grainline me apply --not-student")
    newest: str = found[0]["decision_id"]
    return newest
