"""docs/accounting.md shows what the code books: its tables are made anew here and must be the ones on the page."""

import pytest

import accounting_page
from grainline.ledger import Account

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def found(databases):
    return {name: text async for name, text in accounting_page.tables(*databases)}


async def test_the_page_shows_what_the_code_books(found):
    page = accounting_page.PAGE.read_text(encoding="utf-8")
    assert accounting_page.fill(page, found) == page, "run python tests/accounting_page.py, and read what changed"


async def test_every_account_is_moved_by_an_example(found):
    shown = "".join(text.partition("\n")[0] for name, text in found.items() if name != "chart")
    assert [account for account in Account if f"| {account} |" not in shown] == []


async def test_a_place_without_an_example_and_the_other_way_round_are_found():
    block = "<!-- example: a -->\nold\n<!-- end -->"
    assert accounting_page.fill(f"x\n{block}\ny", {"a": "new\n"}) == "x\n<!-- example: a -->\nnew\n<!-- end -->\ny"
    for page, given in ((block, {}), (block, {"a": "", "b": ""}), (block + block, {"a": ""})):
        with pytest.raises(ValueError, match="the page has"):
            accounting_page.fill(page, given)
