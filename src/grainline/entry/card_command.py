"""`grainline score card|fairness`: what a model is and how it does, and what it does to groups of people."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import structlog
import typer
from rich.console import Console
from rich.table import Table

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.backtest_command import SHIPPED
from grainline.entry.model_keys import models_of
from grainline.entry.problems import detail_of
from grainline.entry.registry_command import JsonOption, read_file, registry, stop
from grainline.entry.wiring import make_clock, read_packs
from grainline.kit.calendar import at
from grainline.kit.db import Tx
from grainline.kit.errors import Refusal
from grainline.kit.sealing import Vault
from grainline.scoring import BadPortfolio, Loaded, Portfolio, load_portfolio, score_many, score_portfolio
from grainline.scoring import registry_store as store
from grainline.scoring.arrays import Whole
from grainline.scoring.card import card_of
from grainline.scoring.card_evidence import Evidence, evidence_of
from grainline.scoring.card_pages import html_of, markdown_of
from grainline.scoring.card_tables import fairness_sections
from grainline.scoring.fairness import AttributeReport, age_bands, fairness_of
from grainline.scoring.features import features_of
from grainline.scoring.portfolio import LABEL
from grainline.scoring.registry import Artefact, find_model, read_artefact
from grainline.scoring.registry_store import Registered
from grainline.underwriting.model_watch_groups import DecidedFairness, fairness_of_decisions

log = structlog.get_logger()
out = Console(soft_wrap=True)
wide = Console(width=200)

ProductOption = Annotated[str, typer.Option(help="Code of the product.")]
CODES = {"sex": {1: "male", 2: "female"}, "marriage": {1: "married", 2: "single", 3: "others"}}


@registry.command()
def card(
    model: Annotated[str, typer.Argument(metavar="SHA256|FILE", help="A registered model's hash, or a model's file.")],
    target: Annotated[Path, typer.Option("--out", help="Folder for card.md, card.html and the plots.")],
    portfolio: Annotated[
        Path | None, typer.Option(help="People the model had not seen, with the columns of data/README.md.")
    ] = None,
    product: ProductOption = "weilidai",
    as_json: JsonOption = False,
) -> None:
    """Write a model's card; of a registered one the hash and the signature are checked first."""
    artefact, registered = (read_model(Path(model)), None) if Path(model).is_file() else _from_registry(model)
    evidence = None
    if portfolio is not None:
        evidence = _evidence(_own(artefact), portfolio, product)
    made = card_of(artefact, registered=registered, evidence=evidence)
    pages = {"card.md": markdown_of(made), "card.html": html_of(made), **made.plots}
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (target / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise stop(f"{target}: {error.strerror}") from None
    if as_json:
        told = {"title": made.title, "files": [str(target / name) for name in pages]}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        out.print(f"{made.title}: {target / 'card.html'}", highlight=False, markup=False)


@registry.command()
def fairness(
    portfolio: Annotated[
        Path, typer.Option(help="Parquet or CSV with the columns of data/README.md.", show_default=False)
    ] = SHIPPED,
    product: ProductOption = "weilidai",
    model: Annotated[
        Path | None, typer.Option(help="A model's file; left out: boosted trees, each person by ones without them.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Of the platform's own decisions from this day on, and no portfolio."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what scores and approvals are to groups by age, sex, and marriage or region, none of which a model reads.

    Of a portfolio, approved is who any tier of the product would admit by probability of default; capacity and rules
    are left out. With --since, approved is who was: members' national ids are opened to be counted, and not kept.
    """
    if since is not None:
        if model is not None or portfolio != SHIPPED:
            raise stop("--since is of decisions that were taken: no --model and no --portfolio")
        _decided(product, since.date(), as_json=as_json)
        return
    people, limit_e6 = _portfolio(portfolio), _limit_e6(product)
    if model is None:
        pd_e6 = np.asarray(score_portfolio(people).pd_e6, dtype=np.int64)
    else:
        pd_e6 = _scored(_own(read_model(model)), people)
    reports = _groups(people, pd_e6, limit_e6)
    if as_json:
        told = {"product": product, "approved_up_to_e6": limit_e6, "rows": people.rows}
        typer.echo(json.dumps(told | {"attributes": [asdict(one) for one in reports]}, ensure_ascii=False))
        return
    out.print(f"{people.rows:,} people; approved up to {limit_e6 / 1e4:g} % of {product}.", highlight=False)
    _print(reports)


def _decided(product: str, since: date, *, as_json: bool) -> None:
    """Show the figures of the decisions from a day on."""
    if product not in read_packs():
        raise stop(f"there is no product {product!r}; there are {', '.join(sorted(read_packs()))}")
    given = env.load()
    now = make_clock(given)()

    async def count(tx: Tx) -> DecidedFairness:
        log.info("national_ids_opened", purpose="fairness", product=product, since=str(since))
        began = at(since, time(0))
        return await fairness_of_decisions(
            tx, Vault(given.read_master_key(), os.urandom), product=product, since=began, until=now
        )

    found = asked(count, command="score")
    if as_json:
        typer.echo(json.dumps({"product": product, "since": str(since), **asdict(found)}, ensure_ascii=False))
        return
    says = f"{found.people:,} people decided on for {product} since {since}, {found.outcomes:,} with an outcome"
    out.print(f"{says}; {found.waiting:,} wait for an officer and are left out.", highlight=False)
    _print(found.attributes)


def _print(reports: Sequence[AttributeReport]) -> None:
    for section in fairness_sections(reports):
        out.print(f"\n{section.title}\n{' '.join(section.says)}", highlight=False, markup=False)
        for table in section.tables:
            shown = Table(*table.head, box=None, pad_edge=False)
            for row in table.rows:
                shown.add_row(*row)
            wide.print(shown)


def read_model(file: Path) -> Artefact:
    """Read a model's file; end the command in one line where it is none."""
    try:
        return read_artefact(read_file(file))
    except Refusal as refusal:
        raise stop(f"{file}: {detail_of(refusal.code, refusal.params, 'en')}") from None


def _from_registry(digits: str) -> tuple[Artefact, Registered | None]:
    models = models_of(env.load())

    async def look(tx: Tx) -> tuple[Artefact, Registered | None]:
        sha256 = await find_model(tx, digits)
        return await models.load(tx, sha256), await store.model_of(tx, sha256)

    return asked(look, command="score")


def _own(artefact: Artefact) -> Loaded:
    if not isinstance(artefact, Loaded):
        raise stop("a part of a federated model scores nobody alone")
    return artefact


def _portfolio(file: Path) -> Portfolio:
    try:
        return load_portfolio(file)
    except BadPortfolio as error:
        raise stop(f"{file}: {error}") from None


def _limit_e6(product: str) -> int:
    packs = read_packs()
    if product not in packs:
        raise stop(f"there is no product {product!r}; there are {', '.join(sorted(packs))}")
    return packs[product].tier[-1].pd_max_e6


def _scored(loaded: Loaded, people: Portfolio) -> Whole:
    try:
        return score_many(loaded, features_of(people), explain=False).pd_e6
    except Refusal as refusal:
        raise stop(detail_of(refusal.code, refusal.params, "en")) from None


def _groups(people: Portfolio, pd_e6: Whole, limit_e6: int) -> tuple[AttributeReport, ...]:
    frame = people.frame
    groups = pl.DataFrame(
        [
            age_bands(frame["age"]),
            *(frame[name].replace_strict(codes, default=None, return_dtype=pl.String) for name, codes in CODES.items()),
        ]
    )
    return fairness_of(groups, pd_e6=pd_e6, bad=frame[LABEL].to_numpy(), approved=pd_e6 <= limit_e6)


def _evidence(loaded: Loaded, file: Path, product: str) -> Evidence:
    people = _portfolio(file)
    pd_e6 = _scored(loaded, people)
    told = f"On the people of {file.name}, who must not be those it was fitted to."
    groups = _groups(people, pd_e6, _limit_e6(product))
    return evidence_of(people.frame[LABEL].to_numpy(), pd_e6, told=told, fairness=groups)
