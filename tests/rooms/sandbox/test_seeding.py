"""Filling the town: from the portfolio's ages, quickly, and only once."""

import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from grainline.sandbox import rail_store, store
from grainline.sandbox.seeding import BadPortfolio, ages_in, seed
from grainline.sandbox.store import Store
from grainline.sandbox.town import residents

NOW = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)
SECRET = b"s" * 32
PORTFOLIO = Path(__file__).parents[3] / "data" / "credit_card_default.parquet"


@pytest.fixture
def town(tmp_path):
    opened = Store(tmp_path / "sandbox.sqlite")
    yield opened
    opened.close()


def fill(town: Store, ages, *, reference=date(2026, 1, 15)) -> int:
    return seed(town, residents(ages, reference=reference), secret=SECRET, now=NOW, opening_fen=2_000_000)


def test_the_projects_own_portfolio_fills_the_town_within_seconds(town):
    ages = ages_in(PORTFOLIO)
    assert len(ages) == 30_000
    assert ages[:4] == [24, 26, 34, 37]
    start = time.perf_counter()
    assert fill(town, ages) == 30_000
    # Three seconds is the aim on an idle machine; a shared one gets twice that.
    assert time.perf_counter() - start < 6
    with town.transaction() as tx:
        assert store.count_residents(tx) == 30_000
        assert rail_store.imbalances(tx) == []
        last = store.papers_by_phone(tx, "10000030000")
        assert last is not None
        assert rail_store.account(tx, last.agreement).balance_fen == 2_000_000


def test_filling_again_changes_nobody_and_gives_nobody_money(town):
    assert fill(town, [30, 40, 50]) == 3
    with town.transaction() as tx:
        before = [store.papers_by_phone(tx, f"1000000000{number}") for number in (1, 2, 3)]
        house = rail_store.account(tx, "house")
    assert fill(town, [31, 41, 51, 61], reference=date(2027, 6, 1)) == 1
    with town.transaction() as tx:
        assert [store.papers_by_phone(tx, f"1000000000{number}") for number in (1, 2, 3)] == before
        assert rail_store.account(tx, before[0].agreement).balance_fen == 2_000_000
        assert rail_store.account(tx, "house") == house
        assert rail_store.imbalances(tx) == []


def test_a_portfolio_without_ages_or_with_gaps_is_refused(tmp_path):
    file = tmp_path / "people.parquet"
    pl.DataFrame({"person_id": [1, 2]}).write_parquet(file)
    with pytest.raises(BadPortfolio, match="age"):
        ages_in(file)
    pl.DataFrame({"person_id": [1, 3], "age": [30, 40]}).write_parquet(file)
    with pytest.raises(BadPortfolio, match="without gaps"):
        ages_in(file)
    with pytest.raises(BadPortfolio, match="cannot be read"):
        ages_in(tmp_path / "missing.parquet")


def test_a_transaction_that_fails_leaves_nothing(town):
    fill(town, [30])
    with pytest.raises(RuntimeError), town.transaction() as tx:
        store.add_message(tx, key="k", phone="10000000001", text="x", now=NOW)
        raise RuntimeError
    with town.transaction() as tx:
        assert store.messages(tx, phone=None, count=10) == []


def test_the_double_check_finds_money_that_came_from_nowhere(town):
    fill(town, [30])
    with town.transaction() as tx:
        tx.execute("update account set balance_fen = balance_fen + 1 where name = 'house'")
        assert rail_store.imbalances(tx) == ["house", "total"]
