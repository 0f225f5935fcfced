"""Ways up for residents who are declined, or offered less than the most: how many get one, and whether they hold.

Residents are the shipped portfolio's people with their six months of card, decided by models fitted to it and the
released rules. Every way that is offered is taken again from what is told of it alone (`_replayed.py`), and must come
out as it was told. Nothing is timed but the search, in CPU.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from _replayed import taken_again, told
from _stage import Figures, options, print_figures, tell, telling

from grainline.entry.wiring import PACKS, read_packs, read_profiles
from grainline.products.profile import Profile
from grainline.sandbox.bureau_store import Record
from grainline.sandbox.seeding import records_in
from grainline.scoring import Loaded, Portfolio, features_of_card, load_portfolio, train_portfolio_models
from grainline.underwriting.decide import capacity_fen
from grainline.underwriting.deciding import Artefacts, Inputs, Occasion, Outcome, Verdict, decide_on
from grainline.underwriting.pricing import Means
from grainline.underwriting.rules import load_rules
from grainline.underwriting.way_up import Way, better, searched
from grainline.underwriting.way_up_changes import Situation

PORTFOLIO = Path(__file__).resolve().parents[1] / "data" / "credit_card_default.parquet"
FIRST = 20_001


@dataclass
class Tally:
    """What was found on one kind of people."""

    people: int = 0
    with_ways: int = 0
    ways: int = 0
    hold: int = 0
    hold_with_more: int = 0
    cpu_ms: list[float] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Look at people until enough were declined and enough offered less; fail where fewer than 95 in 100 ways hold."""
    parser = options(__doc__ or "", seconds=0.0)
    parser.add_argument("--sample", type=int, default=1_000, help="how many declined people, and as many offered less")
    parser.add_argument("--rows", type=int, default=30_000, help="on how many of the portfolio models are fitted")
    parser.add_argument("--product", default="weilidai")
    given = parser.parse_args()
    tallies = {"declined": Tally(), "lower": Tally()}
    with telling(2 * given.sample + 1) as progress:
        tell(progress, "fitting the models")
        artefacts, profile = _artefacts(given.product, given.rows)
        ages = dict(pl.read_parquet(PORTFOLIO, columns=["person_id", "age"]).iter_rows())
        records = records_in(PORTFOLIO)
        for number in [*range(FIRST, len(ages) + 1), *range(1, FIRST)]:
            if all(one.people >= given.sample for one in tallies.values()):
                break
            record = records[number]
            inputs = _inputs(record, ages[number], profile, given.product)
            outcome = decide_on(artefacts, inputs)
            kind = "lower" if outcome.result is Verdict.APPROVED else "declined"
            if tallies[kind].people < given.sample:
                tell(progress, f"{kind} {tallies[kind].people + 1:,}")
                _look(tallies[kind], artefacts, profile, record, inputs, outcome)
    figures = {key: value for kind, tally in tallies.items() for key, value in _figures(kind, tally).items()}
    print_figures(figures, as_json=given.json)
    return 0 if all(tally.hold * 100 >= tally.ways * 95 for tally in tallies.values()) else 1


def _look(
    tally: Tally, artefacts: Artefacts, profile: Profile, record: Record, inputs: Inputs, outcome: Outcome
) -> None:
    started = time.process_time()
    found, calls = searched(
        artefacts, Situation(inputs, record.card, profile), outcome, owed_elsewhere_fen=record.owed_elsewhere_fen
    )
    tally.cpu_ms.append((time.process_time() - started) * 1_000)
    tally.calls.append(calls)
    tally.people += 1
    tally.with_ways += bool(found)
    for way in found:
        tally.ways += 1
        tally.steps["+".join(change.step for change in way.changes)] += 1
        tally.hold += _holds(artefacts, profile, record, inputs, outcome, way)
        # who pays a tenth more than told, or brings the bill a tenth lower, must not fall back
        more = [(step, n, yuan * 9 // 10 if step == "pay_down" else yuan * 11 // 10) for step, n, yuan in told(way)]
        tally.hold_with_more += better(taken_again(artefacts, profile, inputs, record.card, more), outcome)


def _holds(artefacts: Artefacts, profile: Profile, record: Record, inputs: Inputs, outcome: Outcome, way: Way) -> bool:
    came = taken_again(artefacts, profile, inputs, record.card, told(way))
    as_told = (came.result, came.line_fen, came.rate_e8) == (way.result, way.line_fen, way.rate_e8)
    return as_told and came.result is Verdict.APPROVED and better(came, outcome)


def _artefacts(product: str, rows: int) -> tuple[Artefacts, Profile]:
    pack = read_packs()[product]
    fitted = train_portfolio_models(Portfolio(load_portfolio(PORTFOLIO).frame.sort("person_id").head(rows)))
    champion, challenger = map(Loaded, fitted)
    rules = load_rules((PACKS / f"{product}.rules.json").read_bytes())
    return Artefacts(pack, rules, champion, challenger), read_profiles()[pack.regulation.profile]


def _inputs(record: Record, age: int, profile: Profile, product: str) -> Inputs:
    """Return what an application of an invited resident rests on."""
    facts: dict[str, int | bool | str] = {
        "invited": True,
        "age": age,
        "student": "no",
        "identity_verified": True,
        "consent": True,
        "bureau": "answered",
        "negative_list": False,
        "overdue_here": False,
        "overdue_elsewhere": "yes" if record.overdue_days > 0 else "no",
        "owed_all_fen": record.owed_elsewhere_fen,
        "purpose": "unstated",
    }
    carried = capacity_fen(record.card["card_limit"] * 100, [record.card[f"paid_{n}"] * 100 for n in range(1, 7)])
    return Inputs(
        product=product,
        occasion=Occasion.APPLICATION,
        as_of="2026-11-01T04:00:00+00:00",
        facts=facts,
        features=dict(features_of_card(record.card)),
        means=Means(carried, profile.room_fen(record.owed_elsewhere_fen)),
        sources={},
        role="champion",
        model="",
        second="",
        shadows=(),
        rules="",
        pack="",
    )


def _figures(kind: str, tally: Tally) -> Figures:
    cpu, calls = sorted(tally.cpu_ms), sorted(tally.calls)
    return {
        kind: tally.people,
        f"{kind}_with_ways_share": round(tally.with_ways / max(1, tally.people), 3),
        f"{kind}_ways": tally.ways,
        f"{kind}_ways_hold_share": round(tally.hold / max(1, tally.ways), 4),
        f"{kind}_ways_hold_with_more_share": round(tally.hold_with_more / max(1, tally.ways), 4),
        f"{kind}_cpu_p50_ms": round(cpu[len(cpu) // 2], 1),
        f"{kind}_cpu_p99_ms": round(cpu[len(cpu) * 99 // 100], 1),
        f"{kind}_decisions_most": calls[-1],
    }


if __name__ == "__main__":
    raise SystemExit(main())
