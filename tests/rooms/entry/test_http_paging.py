"""Lists, a page at a time: everything once, in order, and a cursor that is not ours leads nowhere."""

import base64

import pytest

from stage import Borrower, Stage

pytestmark = pytest.mark.anyio

LISTS = ("/draws", "/loans", "/calendar", "/cards")


async def walk(person: Borrower, path: str, limit: int) -> list[dict]:
    """Follow the cursors to the end."""
    items: list[dict] = []
    cursor = ""
    while True:
        page = await person.get(f"{path}?limit={limit}{cursor}")
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        assert len(page["items"]) == limit
        cursor = f"&cursor={page['next_cursor']}"


@pytest.fixture(scope="module")
async def ming(stage: Stage) -> Borrower:
    """Somebody with three loans, two of them of one day, and a draw that is on its way."""
    person = await stage.borrower()
    await person.loan(1_000)
    await person.loan(2_000)
    await stage.pass_days(1)
    await person.loan(3_000, instalments=10)
    await person.draw(4_000)
    cards = (
        "insert into members.cards select member_id, gen_random_uuid(), agreement_sealed, bank, last4,"
        " sha256(n::text::bytea), false, added_at from members.cards, generate_series(1, 3) n where member_id = %s"
    )
    async with stage.platform.pool.connection() as connection:
        await connection.execute(cards, (person.member_id,))
    return person


@pytest.mark.parametrize("path", LISTS)
async def test_walking_a_list_one_by_one_shows_everything_once(ming, path):
    whole = await ming.get(f"{path}?limit=100")
    assert whole["next_cursor"] is None
    assert len(whole["items"]) == {"/draws": 4, "/loans": 3, "/calendar": 20, "/cards": 4}[path]
    for limit in (1, 2, 3):
        assert await walk(ming, path, limit) == whole["items"]


async def test_lists_are_in_order(ming):
    draws = [draw["amount_fen"] for draw in await walk(ming, "/draws", 1)]
    assert draws == [400_000, 300_000, 200_000, 100_000]
    loans = [loan["started_on"] for loan in await walk(ming, "/loans", 1)]
    assert loans == sorted(loans, reverse=True)
    dues = [due["due_on"] for due in await walk(ming, "/calendar", 1)]
    assert dues == sorted(dues)


async def test_a_page_that_is_just_full_is_the_last(ming):
    assert (await ming.get("/draws?limit=4"))["next_cursor"] is None
    assert (await ming.get("/draws?limit=3"))["next_cursor"] is not None


async def test_new_draw_between_two_pages_moves_nothing(stage):
    person = await stage.borrower()
    first, second = await person.draw(100), await person.draw(200)
    page = await person.get("/draws?limit=1")
    assert [draw["draw_id"] for draw in page["items"]] == [second]
    await person.draw(300)
    rest = await person.get(f"/draws?limit=1&cursor={page['next_cursor']}")
    assert ([draw["draw_id"] for draw in rest["items"]], rest["next_cursor"]) == ([first], None)


BAD = {
    "not base64": "!!!",
    "not padded": "YQ",
    "not ASCII": base64.urlsafe_b64encode("安".encode()).decode(),
    "words": base64.urlsafe_b64encode(b"nonsense").decode(),
    "two words": base64.urlsafe_b64encode(b"2026-01-01 nonsense").decode(),
    "no such day": base64.urlsafe_b64encode(b"2026-02-30 00000000-0000-4000-8000-000000000000").decode(),
    "a zero byte": base64.urlsafe_b64encode(b"2026-01-01 \x00").decode(),
    "a statement": base64.urlsafe_b64encode(b"'; drop table loans.loans; --").decode(),
}


async def test_cursor_that_is_not_ours_is_refused(ming):
    found = {}
    for path in LISTS:
        for what, cursor in BAD.items():
            answer = await ming.call("GET", f"{path}?cursor={cursor}")
            assert answer.headers["content-type"] == "application/problem+json" or answer.is_success
            found[path, what] = (answer.status_code, answer.json().get("code"))
    assert found == dict.fromkeys(found, (422, "bad_cursor"))
