"""`grainline rules …`: reading a version of a product's rules, and its way from a maker to a checker."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.problems import detail_of
from grainline.entry.shipped_rules import PACKS, profile_of
from grainline.entry.wiring import make_clock, read_packs
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.errors import Refusal
from grainline.kit.money import yuan
from grainline.products import BadPack, Pack, load_pack
from grainline.underwriting import rules_store
from grainline.underwriting.policy_backtest import Comparison, Side, hold_versions
from grainline.underwriting.rules import BadRules, Rules, load_rules, misfits
from grainline.underwriting.rules.diff import diff as differences
from grainline.underwriting.rules_store import RuleVersion

rules_app = typer.Typer(
    no_args_is_help=True, help="The rules of decisions: decision tables, and the life of a version."
)
out = Console(soft_wrap=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A rules file, JSON.")]
ProductArgument = Annotated[str, typer.Argument(metavar="PRODUCT", help="Code of the product.")]
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="Version of its rules.")]
ByOption = Annotated[str, typer.Option("--by", help="Your name.")]
AgainstOption = Annotated[str | None, typer.Option(help="Another version; left out: the one in force today.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@rules_app.command(name="list")
def list_versions(
    product: Annotated[str | None, typer.Option(help="Code of a product; left out: all.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions of the rules, and which is in force today."""
    codes, now = [product] if product else list(read_packs()), _now()

    async def look(tx: Tx) -> list[tuple[RuleVersion, bool]]:
        found = []
        for code in codes:
            versions = await rules_store.history(tx, product=code)
            held = [v for v in versions if v.released_at is not None and v.effective_from <= business_date(now)]
            found += [(version, bool(held) and version is held[-1]) for version in versions]
        return found

    known = asked(look, command="rules")
    if as_json:
        typer.echo(json.dumps([_told(version, holds=holds) for version, holds in known], ensure_ascii=False))
        return
    for version, holds in known:
        state = "in force" if holds else f"released by {version.checker}" if version.checker else "proposed"
        out.print(
            f"{version.product:<10} {version.version:<12} from {version.effective_from}  {version.sha256.hex()[:12]}  "
            f"{state}; made by {version.maker}: {version.note}; {version.backtests} back-tests",
            highlight=False,
        )


@rules_app.command()
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Prove a rules file: tables without gaps, overlaps and dead rows, within the product's pack and its profile."""
    rules, problems = _read(file)
    if as_json:
        told = {"sha256": rules.sha256, "version": rules.version, "product": rules.product} if rules else {}
        typer.echo(json.dumps({**told, "problems": problems}, ensure_ascii=False))
    elif rules and not problems:
        rows = sum(len(table.rows) for table in rules.tables)
        out.print(
            f"{rules.product} {rules.version} from {rules.effective_from}: {len(rules.tables)} tables, {rows} rows, "
            f"{len(rules.facts)} facts; complete, and within the pack and {rules.profile}.\nsha256 {rules.sha256}",
            highlight=False,
        )
    for problem in problems if not as_json else []:
        typer.echo(f"{file}: {problem}", err=True)
    raise typer.Exit(1 if problems else 0)


@rules_app.command()
def propose(file: FileArgument, by: ByOption, note: Annotated[str, typer.Option(help="What it is for.")]) -> None:
    """Enter a checked file as a proposed version."""
    rules, problems = _read(file)
    if rules is None or problems:
        raise _bad("\n".join(f"{file}: {problem}" for problem in problems))
    now = _now()
    kept = asked(lambda tx: rules_store.propose(tx, rules, maker=by, note=note, now=now), command="rules")
    out.print(f"{kept.product} {kept.version} is proposed by {kept.maker}. Back-test it next.", highlight=False)


@rules_app.command()
def backtest(
    product: ProductArgument,
    version: VersionArgument,
    by: ByOption,
    against: AgainstOption = None,
    applications: Annotated[
        Path | None, typer.Option(help="Parquet of facts, with `bad` and `capacity_fen`; left out: the portfolio.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a version and the one in force on the same people, and keep what came of it with the version."""
    pack, now = _pack(product), _now()
    new, old = asked(lambda tx: _pair(tx, product, version, against, now), command="rules")
    people = _applications(applications) if applications else _portfolio(pack)
    try:
        found = hold_versions(old.rules(), new.rules(), people, pack=pack)
    except Refusal as refusal:
        raise _bad(detail_of(refusal.code, refusal.params, "en")) from None

    async def keep(tx: Tx) -> None:
        result = found.to_json()
        await rules_store.keep_backtest(
            tx, product=product, version=version, against=old.version, result=result, by=by, now=now
        )

    asked(keep, command="rules")
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        _print(found)


@rules_app.command()
def diff(product: ProductArgument, version: VersionArgument, against: AgainstOption = None) -> None:
    """Show every cell in which a version differs from the one in force."""
    now = _now()
    new, old = asked(lambda tx: _pair(tx, product, version, against, now), command="rules")
    lines = differences(old.rules(), new.rules())
    typer.echo(f"{product} {old.version} → {new.version}")
    for line in lines or ["nothing differs but the version"]:
        typer.echo(f"  {line}")


@rules_app.command()
def release(product: ProductArgument, version: VersionArgument, by: ByOption) -> None:
    """Release a version that somebody else made and that was back-tested; it is never changed after that."""
    pack, now = _pack(product), _now()

    async def let_go(tx: Tx) -> RuleVersion:
        found = await rules_store.version_of(tx, product=product, version=version)
        wrong = misfits(found.rules(), pack, profile_of(pack))
        if wrong:  # the pack or the profile may have changed since it was proposed
            raise _bad("\n".join(wrong))
        return await rules_store.release(
            tx, product=product, version=version, checker=by, today=business_date(now), now=now
        )

    kept = asked(let_go, command="rules")
    out.print(f"{product} {version} is released by {kept.checker}, from {kept.effective_from} on.", highlight=False)


async def _pair(
    tx: Tx, product: str, version: str, against: str | None, now: datetime
) -> tuple[RuleVersion, RuleVersion]:
    """Return a version and what it is held against."""
    new = await rules_store.version_of(tx, product=product, version=version)
    if against is not None:
        return new, await rules_store.version_of(tx, product=product, version=against)
    return new, await rules_store.in_force(tx, product=product, day=business_date(now))


def _read(file: Path) -> tuple[Rules | None, list[str]]:
    """Return a file's rules, or None, and all that is wrong with them."""
    try:
        rules = load_rules(file.read_bytes())
    except OSError as error:
        return None, [f"cannot be read: {error.strerror}"]
    except BadRules as error:
        return None, list(error.problems)
    try:
        pack = load_pack(PACKS / f"{rules.product}.toml")
        return rules, list(misfits(rules, pack, profile_of(pack)))
    except BadPack as error:
        return rules, [str(error)]


def _pack(product: str) -> Pack:
    packs = read_packs()
    if product not in packs:
        raise _bad(f"there is no product {product!r}; there are {', '.join(packs)}")
    return packs[product]


def _now() -> datetime:
    return make_clock(env.load())()


def _applications(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _bad(f"{path}: {error}") from None


def _portfolio(pack: Pack) -> pl.DataFrame:
    # imported when needed: the models cost two seconds that the other commands should not wait for
    from grainline.entry.backtest_command import SHIPPED  # noqa: PLC0415
    from grainline.scoring import load_portfolio, score_portfolio  # noqa: PLC0415
    from grainline.underwriting.portfolio_facts import facts_of_portfolio  # noqa: PLC0415

    people = load_portfolio(SHIPPED)
    scores = score_portfolio(people, progress=lambda _done, _total: None)
    return facts_of_portfolio(pack, people, scores)


def _told(version: RuleVersion, *, holds: bool) -> dict[str, object]:
    return {
        "product": version.product,
        "version": version.version,
        "effective_from": version.effective_from.isoformat(),
        "sha256": version.sha256.hex(),
        "maker": version.maker,
        "note": version.note,
        "checker": version.checker,
        "released_at": version.released_at.isoformat() if version.released_at else None,
        "backtests": version.backtests,
        "in_force": holds,
    }


def _print(found: Comparison) -> None:
    typer.echo(f"{found.people:,} people")
    for side in (found.old, found.new):
        typer.echo(f"  {side.version:<12} {_side(side)}")
    for name, counted in (("result", found.moves), ("tier", found.tier_moves), ("because of", found.flips)):
        for what, count in counted.items():
            typer.echo(f"  {name}: {what} {count:,}")


def _side(side: Side) -> str:
    bad = "–" if side.bad_rate_approved is None else f"{side.bad_rate_approved:.2%}"
    profit = "–" if side.expected_profit_fen is None else f"{yuan(side.expected_profit_fen)} yuan"
    counts = ", ".join(f"{result} {count:,}" for result, count in side.counts.items())
    return f"{counts}; bad among the approved {bad}; expected profit {profit}"


def _bad(message: str) -> typer.Exit:
    typer.echo(f"grainline rules: {message}", err=True)
    return typer.Exit(2)
