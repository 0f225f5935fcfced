"""`grainline backtest`: decide a whole portfolio as the lender would and print what came of it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from grainline.entry.settings import PROJECT_ROOT
from grainline.kit.money import yuan
from grainline.products import BadPack, Pack, load_pack
from grainline.scoring import BadPortfolio, Portfolio, Scores, load_portfolio, score_portfolio
from grainline.underwriting import BacktestResult, Group, stated
from grainline.underwriting import backtest as run_backtest
from grainline.underwriting.pricing_comparison import Compared, compare
from grainline.underwriting.pricing_tuning import Budget, Case, Tuned

SHIPPED = PROJECT_ROOT / "data" / "credit_card_default.parquet"
PACKS = PROJECT_ROOT / "packs"

HEADINGS = (
    "\nPeople",
    "Mean\nline",
    "Mean\nrate",
    "Predicted\nbad",
    "Real\nbad",
    "Expected\nprofit",
    "Real\nprofit",
)

_out = Console()
_err = Console(stderr=True)


def backtest(
    portfolio: Annotated[
        Path, typer.Option(help="Parquet or CSV with the columns of data/README.md.", show_default=False)
    ] = SHIPPED,
    product: Annotated[str, typer.Option(help="Code of the product pack.")] = "weilidai",
    splits: Annotated[int, typer.Option(min=1, help="Halvings on which both pricing methods are compared.")] = 20,
    comparison: Annotated[bool, typer.Option(help="Compare the optimised line and rate with the flat table.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Decide everyone in a portfolio as the lender would, and hold the decisions against what happened."""
    started = time.perf_counter()
    try:
        pack = load_pack(PACKS / f"{product}.toml")
        people = load_portfolio(portfolio)
    except BadPortfolio as error:
        _stop(f"{portfolio}: {error}")
    except BadPack as error:
        _stop(str(error))
    scores = _scored(people)
    result = run_backtest(pack, people, scores)
    compared = _compared(pack, people, scores, splits) if comparison else ()
    seconds = round(time.perf_counter() - started, 2)
    if as_json:
        told = {**_json(pack, result, seconds), "comparison": [one.to_json() for one in compared]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    _print(pack, result)
    if compared:
        _print_compared(compared)
    _out.print(f"\nModel {result.model_hash[:16]}… · {seconds} s", highlight=False)


def _stop(message: str) -> NoReturn:
    typer.echo(f"grainline backtest: {message}", err=True)
    raise typer.Exit(2)


def _scored(people: Portfolio) -> Scores:
    with _bar(f"Models for {people.rows:,} people") as (bar, task):
        return score_portfolio(people, progress=lambda done, total: bar.update(task, completed=done, total=total))


def _compared(pack: Pack, people: Portfolio, scores: Scores, splits: int) -> tuple[Compared, ...]:
    with _bar(f"Pricing compared on {splits} splits") as (bar, task):
        try:
            return compare(
                pack,
                people,
                scores,
                splits=splits,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except ValueError as error:  # the decisions are worth telling all the same
            typer.echo(f"grainline backtest: no comparison of pricing: {error}", err=True)
            return ()


@contextmanager
def _bar(says: str) -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err) as bar:
        yield bar, bar.add_task(says, total=None)


def _json(pack: Pack, result: BacktestResult, seconds: float) -> dict[str, object]:
    return {
        "product": pack.product.code,
        "product_version": pack.product.version,
        "admission": pack.admission.model_dump(mode="json", exclude_none=True),
        "rows": result.rows,
        "bad": result.bad,
        "bad_rate": result.bad / result.rows,
        **vars(result.boosted),
        **{f"scorecard_{name}": value for name, value in vars(result.scorecard).items()},
        "invited": result.invited.people,
        "not_invited": result.not_invited.people,
        "bad_rate_invited": result.invited.real_bad_rate,
        "bad_rate_not_invited": result.not_invited.real_bad_rate,
        "predicted_bad_rate_invited": result.invited.predicted_bad_rate,
        "expected_profit_fen": result.invited.expected_profit_fen,
        "real_profit_fen": result.invited.real_profit_fen,
        "tiers": [vars(tier) for tier in result.tiers],
        "assumptions": [vars(one) for one in stated(pack)],
        "model_hash": result.model_hash,
        "seconds": seconds,
    }


def _print(pack: Pack, result: BacktestResult) -> None:
    names = {tier.code: tier.name.en for tier in pack.tier}
    title = f"{pack.product.name.en} {pack.product.name.zh} · {result.rows:,} people"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("\nTier", no_wrap=True)
    for heading in HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for tier in result.tiers:
        table.add_row(*_cells(names[tier.code], tier))
    table.add_section()
    table.add_row(*_cells("Invited", result.invited))
    table.add_row(*_cells("Not invited", result.not_invited))
    _out.print(table)
    score = pack.admission.score
    if score:
        scale = f"{score.name.en}, from {score.low} to {score.high}"
        _out.print(f"Invited from {score.min} points on. {scale}.", highlight=False)
    _out.print("Lines and profit in yuan, rates in % a day; bad rates: predicted before, real after.\n")
    for name, m in (("Boosted trees (decide)", result.boosted), ("Scorecard (explains)", result.scorecard)):
        figures = f"AUC {m.auc:.4f} KS {m.ks:.4f} Brier {m.brier:.4f} ECE {m.calibration_error:.4f}"
        _out.print(f"{name:<23} {figures}", highlight=False)
    _out.print(
        "ECE: expected calibration error over ten equal bins. Nobody was scored by a model that "
        "had seen their outcome.\n"
    )
    _out.print("The profit is an estimate. It takes for granted:")
    for one in stated(pack):
        _out.print(f"  {one.name}: {one.value} {one.says} ({one.source})", highlight=False)


def _print_compared(rows: tuple[Compared, ...]) -> None:
    table = Table(
        title=f"\nOptimised against flat, test halves of {rows[0].splits} splits", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column("LGD,\nel.", no_wrap=True)
    for heading in ("\nFlat", "Opti-\nmised", "Differ-\nence", "\n95 %", "Splits\n> 0", "Expo-\nsure"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("\nBut", no_wrap=True)
    for budget in Budget:
        for row in (one for one in rows if one.case.budget is budget):
            low, high = row.difference_ci_fen
            table.add_row(
                f"{row.case.lgd_e4 / 100:g} % {row.case.elasticity_e4 / 10_000:g}",
                *map(_thousand_yuan, (row.profit_flat_fen, row.profit_optimised_fen, row.difference_mean_fen)),
                f"{_thousand_yuan(low)} … {_thousand_yuan(high)}",
                f"{row.positive_share:.0%}",
                f"{row.exposure_ratio:.3f}",
                _unlike(row.case),
            )
        table.add_section()
    _out.print(table)
    _out.print(
        f"Thousand yuan for 1,000 approved people ({rows[0].approval_rate:.1%} on both sides). Exposure is what is "
        "drawn, optimised to flat: above the line held at what earns the flat table most, below at what the shipped "
        "table draws. Outcomes under other lines and rates were never seen, they are assumed: docs/pricing.md.",
        highlight=False,
    )


def _unlike(case: Case) -> str:
    if case.tuned is Tuned.NOTHING:
        return "as shipped"
    if case.tuned is Tuned.LOSS_PRICE:
        return "loss price only"
    if case.pressure_e4:
        return "riskier lines"
    assumed = (case.assumed_lgd_e4, case.assumed_elasticity_e4)
    wrong = assumed != (case.lgd_e4, case.elasticity_e4)
    return f"assumes {assumed[0] / 100:g} % {assumed[1] / 10_000:g}" if wrong else ""


def _cells(name: str, group: Group) -> list[str]:
    lent = group.mean_line_fen > 0
    return [
        name,
        f"{group.people:,}",
        _whole_yuan(group.mean_line_fen) if lent else "–",
        f"{Decimal(group.mean_rate_e8) / 1_000_000:.4f}" if lent else "–",
        _share(group.predicted_bad_rate),
        _share(group.real_bad_rate),
        _whole_yuan(group.expected_profit_fen) if lent else "–",
        _whole_yuan(group.real_profit_fen) if lent else "–",
    ]


def _whole_yuan(amount_fen: int) -> str:
    """Write fen as yuan without decimals: means and estimates are not known to the fen."""
    return yuan(amount_fen).partition(".")[0]


def _thousand_yuan(amount_fen: int) -> str:
    return f"{amount_fen / 100_000:.1f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"
