"""Calls to partners over HTTP: signed, bounded in time, and honest about what is known afterwards.

A request carries `X-Partner-Timestamp` (Unix seconds) and `X-Partner-Signature`: the hex HMAC-SHA256, under
the shared secret, of timestamp, method, path with query, and body, joined by line feeds. A callback carries
`X-Rail-Timestamp` and `X-Rail-Signature` over timestamp, full stop, and body. Both are good for five minutes.
"""

import asyncio
import hmac
import json
from collections.abc import Mapping
from datetime import datetime

import httpx

from grainline.kit.calendar import Clock
from grainline.kit.errors import Kind, Refusal

TIMESTAMP_HEADER = "X-Partner-Timestamp"
SIGNATURE_HEADER = "X-Partner-Signature"
SIGNATURE_TOLERANCE_S = 300
ANSWER_BYTES_MAX = 65_536

# A partner's own words that it took nothing; the same status from a gateway on the way proves nothing.
NOT_TAKEN_CODES = frozenset({"not_taken", "bad_signature", "malformed"})
CONFLICT_CODE = "key_conflict"


class PartnerUnavailable(Refusal):
    """A partner gave no answer that can be used; what was asked is neither granted nor denied."""

    code = "partner_unavailable"
    kind = Kind.UNAVAILABLE


class NotTaken(PartnerUnavailable):
    """Nothing was done: the partner was never reached, or said itself that it did not take the request."""

    code = "partner_not_taken"


class OutcomeUnknown(PartnerUnavailable):
    """The request may or may not have been carried out; only asking by its key tells."""

    code = "partner_outcome_unknown"


class KeyConflict(Refusal):
    """The key was used before with other content; what it named then stands, and nothing new was done."""

    code = "partner_key_conflict"
    kind = Kind.CONFLICT


class BadAnswer(ValueError):
    """An answer does not have the agreed form; adapters turn it into a refusal."""


def sign_request(secret: bytes, *, timestamp: str, method: str, target: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of a request; `target` is the path with its query."""
    message = b"\n".join((timestamp.encode(), method.encode(), target.encode(), body))
    return hmac.digest(secret, message, "sha256").hex()


def sign_callback(secret: bytes, *, timestamp: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of a callback."""
    return hmac.digest(secret, timestamp.encode() + b"." + body, "sha256").hex()


def is_fresh(timestamp: str, *, now: datetime) -> bool:
    """Tell whether a timestamp in Unix seconds is within five minutes of now, either way."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(now.timestamp() - int(timestamp)) <= SIGNATURE_TOLERANCE_S


def is_same(expected: str, given: str) -> bool:
    """Compare two signatures in a time that does not depend on where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode())


class Link:
    """A signed way to one partner."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        partner: str,
        base_url: str,
        secret: bytes,
        clock: Clock,
        timeout_s: float = 10.0,
        connect_timeout_s: float = 2.0,
    ) -> None:
        self.partner = partner
        self.secret = secret
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._timeout_s = timeout_s
        self._timeout = httpx.Timeout(timeout_s, connect=connect_timeout_s, pool=connect_timeout_s)

    async def post(self, path: str, payload: Mapping[str, str | int]) -> bytes:
        """Send a JSON object and return the body of a 2xx answer.

        Raises NotTaken, OutcomeUnknown, or KeyConflict.
        """
        return await self._send("POST", path, json.dumps(payload, ensure_ascii=False).encode())

    async def get(self, path: str) -> bytes:
        """Ask, and return the body of a 2xx answer; what it raises says nothing of earlier posts."""
        return await self._send("GET", path, b"")

    def unknown(self, reason: str) -> OutcomeUnknown:
        """Return the refusal for an answer of this partner that cannot be used."""
        return OutcomeUnknown(partner=self.partner, reason=reason)

    async def _send(self, method: str, path: str, body: bytes) -> bytes:
        try:
            request = self._signed(method, path, body)
        except httpx.InvalidURL as error:
            raise NotTaken(partner=self.partner, reason="bad_address") from error
        try:
            # httpx bounds each read; a partner that drips its answer must not hold us any longer either.
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.send(request, follow_redirects=False)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
        ) as error:
            raise NotTaken(partner=self.partner, reason="not_reached") from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise self.unknown("time_out") from error
        except httpx.RequestError as error:
            raise self.unknown("connection_lost") from error
        return self._body_of(response)

    def _signed(self, method: str, path: str, body: bytes) -> httpx.Request:
        url = httpx.URL(self._base_url + path)
        timestamp = str(int(self._clock().timestamp()))
        signature = sign_request(
            self.secret, timestamp=timestamp, method=method, target=url.raw_path.decode("ascii"), body=body
        )
        headers = {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature}
        if body:
            headers["Content-Type"] = "application/json"
        return self._client.build_request(method, url, headers=headers, content=body or None, timeout=self._timeout)

    def _body_of(self, response: httpx.Response) -> bytes:
        if response.is_success:
            if len(response.content) > ANSWER_BYTES_MAX:
                raise self.unknown("answer_too_large")
            return response.content
        code = _code_of(response)
        if response.status_code == httpx.codes.CONFLICT and code == CONFLICT_CODE:
            raise KeyConflict(partner=self.partner)
        if code in NOT_TAKEN_CODES:
            raise NotTaken(partner=self.partner, reason=code)
        raise self.unknown(f"status_{response.status_code}")


def _code_of(response: httpx.Response) -> str | None:
    """Return the `code` of a partner's own error document, or None for anything else."""
    try:
        document = json.loads(response.content)
    except ValueError:
        return None
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) else None
