"""The signed way to a partner: what each kind of failure allows one to conclude."""

import hashlib
import hmac
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from grainline.kit.errors import Kind
from grainline.partners.transport import (
    KeyConflict,
    Link,
    NotTaken,
    OutcomeUnknown,
    PartnerUnavailable,
    is_fresh,
    sign_callback,
    sign_request,
)

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)


def link_to(answer, **options) -> Link:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Link(
        client, partner="rail", base_url="http://rail.test/rail/", secret=b"s" * 32, clock=lambda: NOW, **options
    )


def answering(status: int, **body) -> Link:
    return link_to(lambda request: httpx.Response(status, **body))


def raising(error: type[httpx.TransportError]) -> Link:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    return link_to(answer)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_what_never_left_was_not_taken(error):
    with pytest.raises(NotTaken):
        await raising(error).post("/payouts", {"key": "k"})


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError],
)
async def test_what_may_have_arrived_is_unknown(error):
    with pytest.raises(OutcomeUnknown):
        await raising(error).post("/payouts", {"key": "k"})


@pytest.mark.parametrize("code", ["not_taken", "bad_signature", "malformed"])
async def test_the_partners_own_word_that_it_took_nothing_is_believed(code):
    with pytest.raises(NotTaken):
        await answering(503, json={"code": code}).post("/payouts", {"key": "k"})


@pytest.mark.parametrize("status", [301, 400, 401, 404, 409, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"<html>gateway</html>", b"[]", b'{"code": 7}', b'{"code": "other"}'])
async def test_the_same_status_from_anybody_else_proves_nothing(status, body):
    with pytest.raises(OutcomeUnknown):
        await answering(status, content=body).post("/payouts", {"key": "k"})


async def test_a_redirect_is_not_followed_with_a_signed_order():
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "rail.test":
            return httpx.Response(307, headers={"Location": "http://elsewhere.test/"})
        return httpx.Response(200, content=b"{}")

    with pytest.raises(OutcomeUnknown):
        await link_to(answer).post("/payouts", {"key": "k"})


async def test_a_key_that_was_used_otherwise_is_a_conflict():
    with pytest.raises(KeyConflict):
        await answering(409, json={"code": "key_conflict"}).post("/payouts", {"key": "k"})


async def test_an_answer_without_end_is_no_answer():
    with pytest.raises(OutcomeUnknown):
        await answering(200, content=b"x" * 70_000).post("/payouts", {"key": "k"})


async def test_every_kind_of_no_answer_is_unavailable_and_a_conflict_is_none():
    assert {NotTaken.kind, OutcomeUnknown.kind, PartnerUnavailable.kind} == {Kind.UNAVAILABLE}
    assert KeyConflict.kind is Kind.CONFLICT
    assert not issubclass(KeyConflict, PartnerUnavailable)


async def test_nobody_listening_is_not_taken():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        async with httpx.AsyncClient(trust_env=False) as client:
            link = Link(
                client,
                partner="rail",
                base_url=f"http://127.0.0.1:{reserved.getsockname()[1]}",
                secret=b"s" * 32,
                clock=lambda: NOW,
            )
            with pytest.raises(NotTaken):
                await link.post("/payouts", {"key": "k"})


@pytest.mark.parametrize("drips", [True, False])
async def test_a_connection_that_drips_or_drops_is_unknown_and_in_time(drips):
    """A read time-out alone would be put off by every byte."""
    done = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            if not drips:
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not done.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        async with httpx.AsyncClient(trust_env=False) as client:
            link = Link(
                client,
                partner="rail",
                base_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
                secret=b"s" * 32,
                clock=lambda: NOW,
                timeout_s=0.5,
            )
            start = time.monotonic()
            with pytest.raises(OutcomeUnknown) as unknown:
                await link.post("/payouts", {"key": "k"})
            assert time.monotonic() - start < 5
        done.set()
        thread.join(5)
    assert unknown.value.params["reason"] == ("time_out" if drips else "connection_lost")


async def test_a_request_is_signed_over_time_method_path_query_and_body():
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"{}")

    await link_to(answer).post("/payouts?x=1", {"key": "钥"})
    message = b"\n".join((b"1768449600", b"POST", b"/rail/payouts?x=1", '{"key": "钥"}'.encode()))
    expected = hmac.new(b"s" * 32, message, hashlib.sha256).hexdigest()
    assert seen[0].headers["X-Partner-Timestamp"] == "1768449600"
    assert seen[0].headers["X-Partner-Signature"] == expected


async def test_signatures_differ_by_everything_signed():
    given = {"timestamp": "1", "method": "POST", "target": "/a", "body": b"b"}
    changes = [{"timestamp": "2"}, {"method": "GET"}, {"target": "/c"}, {"body": b"d"}]
    signatures = {sign_request(b"s", **(given | change)) for change in [{}, *changes]}
    assert len(signatures) == 5
    assert sign_callback(b"s", timestamp="1", body=b"b") != sign_callback(b"t", timestamp="1", body=b"b")


async def test_five_minutes_are_fresh_either_way():
    stamp = str(int(NOW.timestamp()))
    assert is_fresh(stamp, now=NOW + timedelta(seconds=300))
    assert is_fresh(stamp, now=NOW - timedelta(seconds=300))
    assert not is_fresh(stamp, now=NOW + timedelta(seconds=301))
    assert not is_fresh(stamp, now=NOW - timedelta(seconds=301))
    for broken in ("", "-1", "1.5", "１７６８", "9" * 30, "now"):
        assert not is_fresh(broken, now=NOW)


@pytest.mark.parametrize("path", ["identity-authority/verify", "card-network/verify", "sms/messages", "rail/payouts"])
async def test_the_sandbox_does_not_listen_to_the_unsigned(path, sandbox, http):
    answer = await http.post(f"{sandbox.url}/{path}", json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


async def test_a_wrong_secret_or_an_old_signature_is_not_taken(sandbox, http):
    for secret, clock in ((b"x" * 32, sandbox.clock()), (bytes(range(32)), lambda: NOW)):
        link = Link(http, partner="rail", base_url=f"{sandbox.url}/rail", secret=secret, clock=clock)
        with pytest.raises(NotTaken) as refused:
            await link.get("/payouts/k")
        assert refused.value.params["reason"] == "bad_signature"
