"""Fills the town: residents with the ages of a portfolio's people, cards, money and credit records."""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

from grainline.sandbox import bureau_store, rail_store, store
from grainline.sandbox.bureau_store import Record
from grainline.sandbox.rail_rules import HOUSE, OUTSIDE, TRANSIT
from grainline.sandbox.settings import HOUSE_OPENING_FEN, OPENING_FEN
from grainline.sandbox.store import Store
from grainline.sandbox.town import Resident


class BadPortfolio(ValueError):
    """The portfolio has no usable column of ages."""


def ages_in(portfolio: Path) -> list[int]:
    """Return the ages of a portfolio's people in the order of `person_id`, so that person n is resident n.

    Raises BadPortfolio when a column is missing or ids are not 1, 2, 3 …
    """
    try:
        people = pl.read_parquet(portfolio, columns=["person_id", "age"]).sort("person_id")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadPortfolio(f"{portfolio} cannot be read for person_id and age: {error}") from error
    if people["person_id"].to_list() != list(range(1, people.height + 1)):
        raise BadPortfolio(f"{portfolio}: person_id must run from 1 without gaps")
    return [int(age) for age in people["age"]]


def records_in(portfolio: Path) -> dict[int, Record]:
    """Return each person's credit record by number: the card, and its latest bill as what is owed elsewhere.

    A bill of nothing is no open loan; months late are 30 days each. Raises BadPortfolio when a column is missing.
    """
    names = ["card_limit", "education", *(f"{stem}_{n}" for stem in ("status", "bill", "paid") for n in range(1, 7))]
    try:
        people = pl.read_parquet(portfolio, columns=["person_id", *names]).sort("person_id")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadPortfolio(f"{portfolio} cannot be read for the figures of cards: {error}") from error
    return {
        int(number): Record(
            card={name: int(value) for name, value in zip(names, values, strict=True)},
            open_loans=int(owed > 0),
            owed_elsewhere_fen=max(0, int(owed)) * 100,
            overdue_days=30 * max(0, int(late)),
        )
        for number, owed, late, values in zip(
            people["person_id"], people["bill_1"], people["status_1"], people.select(names).iter_rows(), strict=True
        )
    }


def seed(
    into: Store,
    people: Iterable[Resident],
    *,
    records: Mapping[int, Record] | None = None,
    secret: bytes,
    now: datetime,
    opening_fen: int = OPENING_FEN,
    house_opening_fen: int = HOUSE_OPENING_FEN,
) -> int:
    """Add the residents that are not there yet and return how many; who is there stays as they are.

    Credit records are added where they are given and not there yet: a town that was filled before gets them too.
    `secret` makes agreements that cannot be guessed from card numbers.
    """
    with into.transaction() as tx:
        rail_store.open_accounts(tx, [(OUTSIDE, 0), (TRANSIT, 0), (HOUSE, house_opening_fen)], now=now)
        known, everybody = store.known_numbers(tx), list(people)
        new = [person for person in everybody if person.number not in known]
        agreements = [agreement_of(person.card_number, secret) for person in new]
        store.add_residents(
            tx, [(p.number, p.phone, p.name, p.national_id, p.born_on.isoformat(), p.bank) for p in new]
        )
        store.add_cards(
            tx, [(p.card_number, p.number, agreement) for p, agreement in zip(new, agreements, strict=True)]
        )
        rail_store.open_accounts(tx, [(agreement, opening_fen) for agreement in agreements], now=now)
        known_records = records or {}
        bureau_store.add_records(
            tx, [(one.number, known_records[one.number]) for one in everybody if one.number in known_records]
        )
    return len(new)


def agreement_of(card_number: str, secret: bytes) -> str:
    """Return the agreement that stands for a card: opaque, and the same each time."""
    return "AG" + hmac.digest(secret, b"agreement\0" + card_number.encode(), "sha256").hex()[:30]
