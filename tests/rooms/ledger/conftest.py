"""A fresh book for a module."""

from collections.abc import Iterator

import psycopg
import pytest
from ledger_book import Book


@pytest.fixture(scope="module")
def book(databases: tuple[str, str]) -> Iterator[Book]:
    owner_url, app_url = databases
    with psycopg.connect(app_url, autocommit=True) as connection:
        yield Book(connection, app_url, owner_url)
