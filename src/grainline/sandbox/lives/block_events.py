"""A block's lives, whole: the three parties' events, what the lender may know, and the truth."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from grainline.behaviour.events import Party
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Bools, Ints, dice
from grainline.sandbox.lives.bills import bills
from grainline.sandbox.lives.bureau import enquiries, tradelines
from grainline.sandbox.lives.calendar_days import Span
from grainline.sandbox.lives.giving import incomes, red_packets, transfers
from grainline.sandbox.lives.moments import Block, block_of
from grainline.sandbox.lives.people import Known, known_of, people_of
from grainline.sandbox.lives.rows import frame
from grainline.sandbox.lives.saving import Savings, savings
from grainline.sandbox.lives.social import complaints, logins, social_life
from grainline.sandbox.lives.spending import payments, rides
from grainline.sandbox.lives.strain import NEVER, course_of


@dataclass(frozen=True)
class Lives:
    """Frames of one block's residents."""

    events: dict[Party, pl.DataFrame]
    residents: pl.DataFrame
    truth: pl.DataFrame


def lives_of(seed: int, block: int, span: Span) -> Lives:
    """Draw a block of residents. They depend on seed, block and span, and on nothing else."""
    people = people_of(seed, block, span)
    lived = block_of(people, course_of(seed, block, people, span), span)

    def rng(subject: str) -> np.random.Generator:
        return dice(seed, block, subject)

    saved = savings(rng("saving"), lived)
    groups = {
        Party.SOCIAL: [
            *social_life(rng("social"), lived),
            logins(rng("logins"), lived),
            *complaints(rng("complaints"), lived),
        ],
        Party.PAYMENT: [
            payments(rng("payments"), lived),
            *red_packets(rng("red packets"), lived),
            *incomes(rng("incomes"), lived),
            *transfers(rng("transfers"), lived),
            *saved.rows,
            *bills(rng("bills"), lived),
            *rides(rng("rides"), lived),
        ],
        Party.BUREAU: [*tradelines(rng("tradelines"), lived), enquiries(rng("enquiries"), lived)],
    }
    return Lives(
        events={party: frame(rng(f"{party} learns"), lived, party, rows) for party, rows in groups.items()},
        residents=_residents(lived, known_of(seed, block, people)),
        truth=_truth(lived, saved),
    )


def _residents(lived: Block, known: Known) -> pl.DataFrame:
    people = lived.people
    columns = {
        "resident": people.number,
        "born_on": _dates(lived.span, people.born_day),
        "sex": pl.Series(np.where(people.female, "female", "male")),
        "student": people.student,
        "real_name": known.real_name,
        "card_bound": known.card_bound,
        "willingness": known.willingness,
        "consent_social": known.consent_social,
    }
    return pl.DataFrame(columns | {f"{name}_proof": given for name, given in known.supplements.items()})


def _truth(lived: Block, saved: Savings) -> pl.DataFrame:
    people, course, span = lived.people, lived.course, lived.span
    columns = {
        "resident": pl.Series(people.number),
        "joined_on": _dates(span, people.joined_day, people.joined_day >= 0),
        "income_fen": pl.Series(np.rint(people.income_yuan * 100).astype(np.int64)),
        "rhythm": pl.Series([p.RHYTHMS[code] for code in people.rhythm]),
        "payday": pl.Series(people.payday).cast(pl.Int8),
        "prudence": pl.Series(people.prudence),
        "sociability": pl.Series(people.sociability),
        "fraud_intent": pl.Series(people.fraud),
        "money_market_opening_fen": pl.Series(saved.money_market_opening_fen),
        "wealth_opening_fen": pl.Series(saved.wealth_opening_fen),
        "strain": pl.Series(course.strain.astype(np.float32)).cast(pl.List(pl.Float32)),
    }
    for name, day in course.shock_day.items():
        columns[f"{name}_on"] = _dates(span, day, day != NEVER)
    columns["onset_on"] = _dates(span, course.onset_day, course.onset_day != NEVER)
    columns["default_on"] = _dates(span, course.default_day, course.default_day != NEVER)
    return pl.DataFrame(columns)


def _dates(span: Span, day: Ints, known: Bools | None = None) -> pl.Series:
    dates = pl.Series(span.date_of(day if known is None else np.where(known, day, 0)).astype(np.int32))
    return (dates if known is None else dates.set(pl.Series(~known), None)).cast(pl.Date)
