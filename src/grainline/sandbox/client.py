"""What a person's hands do in the sandbox, for the command line and tests: read the inbox, turn knobs."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx
from pydantic import TypeAdapter

from grainline.sandbox.fault_rules import Mode, Name, Partner
from grainline.sandbox.faults import FaultSetting
from grainline.sandbox.pages import MessageShown, PapersShown
from grainline.sandbox.rail_api import AccountShown, Books, OrderShown

Result = TypeVar("Result")
_MESSAGES = TypeAdapter(list[MessageShown])
_ORDERS = TypeAdapter(list[OrderShown])
_FAULTS = TypeAdapter(list[FaultSetting])
CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


class SandboxRefused(Exception):
    """The sandbox would not do it; the message says why."""


class SandboxClient:
    """Talks to a running sandbox; `client` has its address as base URL."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def inbox(self, phone: str | None = None, *, limit: int = 20) -> list[MessageShown]:
        """Return the messages of a phone, or of all, newest first."""
        query = {"limit": str(limit)} | ({} if phone is None else {"phone": phone})
        return self._call("GET", "/inbox.json", query=query, read=_MESSAGES.validate_json)

    def latest_code(self, phone: str) -> str | None:
        """Return the six digits in the newest message to a phone that has such, or None."""
        for message in self.inbox(phone):
            if found := CODE.search(message.text):
                return found.group()
        return None

    def resident(self, phone: str) -> PapersShown:
        """Return a resident's papers. Raises SandboxRefused when nobody has this phone."""
        return self._call("GET", "/resident.json", query={"phone": phone}, read=PapersShown.model_validate_json)

    def faults(self) -> list[FaultSetting]:
        """Return every fault and how it is set."""
        return self._call("GET", "/faults.json", read=_FAULTS.validate_json)

    def set_fault(self, partner: Partner | str, fault: Name | str, *, mode: Mode | str, **options: float | str) -> None:
        """Set a fault; options: probability, count, asks, reason, delay_s. Raises SandboxRefused."""
        body = {"partner": str(partner), "fault": str(fault), "mode": str(mode), **options}
        self._call("PUT", "/faults", body=body, read=_nothing)

    def clear_faults(self) -> None:
        """Turn every fault off and let go of held orders."""
        self._call("DELETE", "/faults", read=_nothing)
        self.release()

    def release(self) -> None:
        """Let go of every order that is held in processing."""
        self._call("POST", "/rail/release", read=_nothing)

    def account(self, name: str) -> AccountShown:
        """Return an account of the rail: an agreement's, `house` or `transit`. Raises SandboxRefused."""
        return self._call("GET", f"/rail/accounts/{name}", read=AccountShown.model_validate_json)

    def set_balance(self, name: str, balance_fen: int) -> AccountShown:
        """Give an account another balance, in fen. Raises SandboxRefused."""
        return self._set_account(name, {"balance_fen": balance_fen})

    def set_frozen(self, name: str, frozen: bool) -> AccountShown:
        """Freeze an account or thaw it. Raises SandboxRefused."""
        return self._set_account(name, {"frozen": frozen})

    def set_card_closed(self, card_number: str, closed: bool) -> None:
        """Close a card or open it again. Raises SandboxRefused."""
        self._call("PUT", f"/card-network/cards/{card_number}", body={"closed": closed}, read=_nothing)

    def set_elsewhere(self, phone: str, *, open_loans: int, owed_fen: int, overdue_days: int = 0) -> None:
        """Let a resident owe this much to other lenders, in fen. Raises SandboxRefused."""
        body = {"open_loans": open_loans, "owed_elsewhere_fen": owed_fen, "overdue_days": overdue_days}
        self._call("PUT", f"/bureau/records/{phone}", body=body, read=_nothing)

    def orders(self, agreement: str) -> list[OrderShown]:
        """Return the newest 100 orders under an agreement first."""
        return self._call("GET", "/rail/orders", query={"agreement": agreement}, read=_ORDERS.validate_json)

    def books(self) -> Books:
        """Return what the rail has done, and where its own double check fails (`imbalances`)."""
        return self._call("GET", "/rail/books", read=Books.model_validate_json)

    def _set_account(self, name: str, setting: Mapping[str, int | bool]) -> AccountShown:
        return self._call("PUT", f"/rail/accounts/{name}", body=setting, read=AccountShown.model_validate_json)

    def _call(
        self,
        method: str,
        path: str,
        *,
        read: Callable[[bytes], Result],
        body: Mapping[str, float | str | bool] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Result:
        answer = self._client.request(method, path, json=body, params=query)
        if not answer.is_success:
            raise SandboxRefused(f"{method} {path}: {answer.status_code} {answer.text}")
        return read(answer.content)


def _nothing(_: bytes) -> None:
    return None
