"""A draw is answered alike whichever way it takes: whole by the fast path, in pieces by the framework's route."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from grainline.loans import api
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def ming(stage: Stage) -> Borrower:
    return await stage.borrower()


def headers_of(person: Borrower, **changed: str | None) -> list[tuple[str, str]]:
    """The headers of a draw, some of them changed or, where None, left out."""
    plain: dict[str, str | None] = {
        "authorization": person.headers["Authorization"],
        "idempotency-key": new_key(),
        "content-type": "application/json",
        "accept-language": "en",
    }
    given = plain | {name.replace("_", "-"): value for name, value in changed.items()}
    return [(name, value) for name, value in given.items() if value is not None]


async def send(person: Borrower, headers: list[tuple[str, str]], body: bytes, *, pieces: int = 1) -> httpx.Response:
    """Send a draw whole, with its length, or in pieces without."""

    async def parts() -> AsyncIterator[bytes]:
        size = max(1, -(-len(body) // pieces))
        for begin in range(0, len(body), size):
            yield body[begin : begin + size]

    return await person.stage.api.post("/draws", headers=headers, content=body if pieces == 1 else parts())


def told(answer: httpx.Response) -> tuple[int, dict[str, str], object]:
    return answer.status_code, dict(answer.headers), answer.json()


async def test_a_retry_in_pieces_is_told_the_same_draw(ming):
    body, headers = json.dumps(await ming.signature(1_000)).encode(), headers_of(ming)
    whole = await send(ming, headers, body)
    assert (whole.status_code, whole.json()["amount_fen"]) == (202, 100_000)
    assert whole.json()["steps"][0]["name"] == "Contract signed"
    assert told(await send(ming, headers, body, pieces=3)) == told(whole)
    assert [draw["draw_id"] for draw in (await ming.get("/draws"))["items"]] == [whole.json()["draw_id"]]


async def test_only_what_is_plainly_well_formed_is_fast(ming, monkeypatch):
    async def slow(*_: object) -> None:
        raise RuntimeError("the framework's route")

    monkeypatch.setattr(api, "answer", slow)
    body = json.dumps({"contract_id": new_key(), "contract_hash": "0" * 64, "code": "123456"}).encode()
    token = ming.headers["Authorization"].removeprefix("Bearer ")
    assert (await send(ming, headers_of(ming), body)).status_code == 404
    for headers, sent, pieces in (
        (headers_of(ming), body, 2),
        (headers_of(ming), body + b" " * 1_024, 1),
        (headers_of(ming, content_type="application/json; charset=utf-8"), body, 1),
        (headers_of(ming, authorization=f"bearer {token}"), body, 1),
        ([*headers_of(ming), ("idempotency-key", new_key())], body, 1),
    ):
        assert (await send(ming, headers, sent, pieces=pieces)).status_code == 500


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, {"contract_id": new_key()}, "contract_not_found"),
        ({}, {"contract_hash": "0" * 64}, "contract_altered"),
        ({}, {"code": "no such"}, "code_wrong"),
        ({}, {"code": "1" * 17}, "invalid_request"),
        ({}, {"code": 123456}, "invalid_request"),
        ({}, {"contract_hash": "F" * 64}, "invalid_request"),
        ({}, {"contract_id": "here"}, "invalid_request"),
        ({"idempotency_key": None}, {}, "invalid_request"),
        ({"idempotency_key": "short"}, {}, "invalid_request"),
        ({"idempotency_key": "a\tb is not printable"}, {}, "invalid_request"),
        ({"content_type": "text/plain"}, {}, "invalid_request"),
        ({"authorization": None}, {}, "not_signed_in"),
        ({"authorization": "Bearer nobody"}, {}, "not_signed_in"),
        ({"authorization": "Bearer " + "A" * 54}, {}, "not_signed_in"),
        ({"authorization": "Basic bWluZzptaW5n"}, {}, "not_signed_in"),
    ],
)
async def test_what_is_wrong_is_told_alike(ming, headers, body, code):
    contract = await ming.contract(1_000)
    right = {"contract_id": contract["contract_id"], "contract_hash": contract["hash"], "code": await ming.code()}
    sent, given = json.dumps(right | body).encode(), headers_of(ming, **headers)
    whole = await send(ming, given, sent)
    assert whole.json()["code"] == code
    assert told(await send(ming, given, sent, pieces=2)) == told(whole)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b'{"contract_id": "\xff"}'])
async def test_what_is_no_draw_at_all_is_told_alike(ming, body):
    headers = headers_of(ming)
    whole = await send(ming, headers, body)
    assert whole.status_code in {400, 422}
    assert told(await send(ming, headers, body, pieces=2)) == told(whole)


async def test_a_body_without_end_is_refused_where_it_becomes_too_large(ming):
    answer = await send(ming, headers_of(ming), b" " * 100_000, pieces=2)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["x-content-type-options"] == "nosniff"
