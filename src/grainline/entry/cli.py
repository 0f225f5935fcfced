"""The command line: running the platform, proving it, and walking a borrower's path."""

import asyncio
import json
import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console
from typer.core import TyperGroup

from grainline.entry import settings as env
from grainline.entry.backtest_command import backtest
from grainline.entry.books_command import books
from grainline.entry.conformance_command import conformance
from grainline.entry.decision_command import decision
from grainline.entry.features_command import features_app
from grainline.entry.federated_command import federated_app
from grainline.entry.invite_command import invite
from grainline.entry.line_command import line_app
from grainline.entry.loan_command import loan_app
from grainline.entry.logs import SERVER_LOGGING
from grainline.entry.me_command import me
from grainline.entry.monitor_command import registry
from grainline.entry.party_command import party
from grainline.entry.review_command import review_app
from grainline.entry.rules_command import rules_app
from grainline.entry.sandbox_command import sandbox
from grainline.entry.sandbox_parties_command import parties
from grainline.entry.score_command import score_app
from grainline.entry.settings import PROJECT_ROOT, BadSettings
from grainline.entry.simulate_command import simulate


class _Commands(TyperGroup):
    """The commands; a setting that turns out to be unusable ends each in one line and exit code 2."""

    # typer keeps a click of its own, and does not name the wider type that this overrides
    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BadSettings as error:
            typer.echo(f"grainline: {error}", err=True)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False, help="Grainline: invite-only micro-credit."
)
app.command()(backtest)
app.command()(conformance)
app.command()(simulate)
app.add_typer(books, name="books")
app.add_typer(decision, name="decision")
app.add_typer(features_app, name="features")
app.add_typer(federated_app, name="federated")
app.add_typer(invite, name="invite")
app.add_typer(line_app, name="line")
app.add_typer(loan_app, name="loan")
app.add_typer(me, name="me")
app.add_typer(party, name="party")
app.add_typer(review_app, name="review")
app.add_typer(rules_app, name="rules")
sandbox.command()(parties)
app.add_typer(sandbox, name="sandbox")
score_app.add_typer(registry)
app.add_typer(score_app, name="score")
out = Console(soft_wrap=True)

BENCHMARKS = PROJECT_ROOT / "benchmarks"


@app.command()
def up() -> None:
    """Bring the whole platform up on this machine; Ctrl-C takes it down."""
    # imported when needed: a command that only asks should not wait for what serves
    from grainline.entry.up import up as bring_up  # noqa: PLC0415
    from grainline.entry.welcome import welcome  # noqa: PLC0415

    given = env.load()
    code = bring_up(given, say=out.print, on_ready=lambda found: welcome(given, found, out))
    raise typer.Exit(code)


@app.command()
def serve() -> None:
    """Serve the API and the borrower's pages."""
    from granian import Granian  # noqa: PLC0415
    from granian.constants import Interfaces  # noqa: PLC0415

    from grainline.entry.postgres import database  # noqa: PLC0415

    given = env.load()
    if given.database_url is not None:
        with database(given):  # what is wrong with it is better said here than by each of the server's workers
            pass
    Granian(
        "grainline.entry.http:create_app",
        factory=True,
        interface=Interfaces.ASGI,
        address=given.host,
        port=given.port,
        workers=given.workers,
        log_access=False,
        log_level=given.granian_log_level,
        log_dictconfig=SERVER_LOGGING,
    ).serve()


@app.command()
def worker() -> None:
    """Send news, move money, do the day's work."""
    from grainline.entry.postgres import database  # noqa: PLC0415
    from grainline.entry.worker import run  # noqa: PLC0415

    given = env.load()
    with database(given) as found:
        asyncio.run(run(given, found.app_url))


@app.command()
def migrate() -> None:
    """Bring the database up to date, as its owner."""
    from grainline.entry.migrate import migrate as bring_up_to_date  # noqa: PLC0415
    from grainline.entry.postgres import database  # noqa: PLC0415

    with database(env.load(), migrating=True) as found:
        bring_up_to_date(found.owner_url)


@app.command()
def verify(as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False) -> None:
    """Prove that journals balance, balances equal entries, loans equal the ledger, and lines add up."""
    from grainline.desk import verify as prove  # noqa: PLC0415
    from grainline.entry.postgres import database  # noqa: PLC0415
    from grainline.kit.db import make_pool  # noqa: PLC0415

    async def ask(url: str) -> tuple[dict[str, int], list[dict[str, object]]]:
        async with make_pool(url, size_max=1) as pool:
            counts, found = await prove(pool)
        return counts, [vars(finding) for finding in found]

    with database(env.load()) as found:
        counts, findings = asyncio.run(ask(found.app_url))
    if as_json:
        typer.echo(json.dumps({"checked": counts, "findings": findings}, ensure_ascii=False))
    else:
        out.print("Checked " + ", ".join(f"{count:,} {name}" for name, count in counts.items()) + ".")
        for finding in findings:
            out.print(f"[red]{finding['check']}[/red] member {finding['member_id']}: {finding['what']}")
        out.print("Everything agrees." if not findings else f"{len(findings)} disagreements.")
    raise typer.Exit(1 if findings else 0)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def bench(context: typer.Context, name: Annotated[str, typer.Argument(help="Name of a file in benchmarks/.")]) -> None:
    """Run a benchmark, passing options on; --json prints its figures as JSON."""
    file = BENCHMARKS / f"{name.replace('-', '_')}.py"
    if not file.is_file():
        known = ", ".join(sorted(path.stem.replace("_", "-") for path in BENCHMARKS.glob("[a-z]*.py")))
        typer.echo(f"grainline bench: there is no benchmark {name!r}; there are {known}", err=True)
        raise typer.Exit(2)
    raise typer.Exit(subprocess.run([sys.executable, str(file), *context.args], check=False).returncode)


if __name__ == "__main__":
    app()
