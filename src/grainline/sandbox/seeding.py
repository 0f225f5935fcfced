"""Fills the town: residents with the ages of a portfolio's people, their cards, and money on them."""

import hmac
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import polars as pl

from grainline.sandbox import rail_store, store
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


def seed(
    into: Store,
    people: Iterable[Resident],
    *,
    secret: bytes,
    now: datetime,
    opening_fen: int = OPENING_FEN,
    house_opening_fen: int = HOUSE_OPENING_FEN,
) -> int:
    """Add the residents that are not there yet and return how many; who is there stays as they are.

    `secret` makes agreements that cannot be guessed from card numbers.
    """
    with into.transaction() as tx:
        rail_store.open_accounts(tx, [(OUTSIDE, 0), (TRANSIT, 0), (HOUSE, house_opening_fen)], now=now)
        known = store.known_numbers(tx)
        new = [person for person in people if person.number not in known]
        agreements = [agreement_of(person.card_number, secret) for person in new]
        store.add_residents(
            tx, [(p.number, p.phone, p.name, p.national_id, p.born_on.isoformat(), p.bank) for p in new]
        )
        store.add_cards(
            tx, [(p.card_number, p.number, agreement) for p, agreement in zip(new, agreements, strict=True)]
        )
        rail_store.open_accounts(tx, [(agreement, opening_fen) for agreement in agreements], now=now)
    return len(new)


def agreement_of(card_number: str, secret: bytes) -> str:
    """Return the agreement that stands for a card: opaque, and the same each time."""
    return "AG" + hmac.digest(secret, b"agreement\0" + card_number.encode(), "sha256").hex()[:30]
