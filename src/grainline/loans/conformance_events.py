"""From what a case tells to events of a loan: structured ones, and sentences of another system's tests."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from grainline.kit.money import Fen
from grainline.loans.events import Event, EventKind, repayment
from grainline.loans.fold import fold
from grainline.loans.terms import Terms
from grainline.products import Prepayment

Told = Mapping[str, Any]
DEFAULT = "DEFAULT"
FUTURE = {
    "NEXT_INSTALLMENT": Prepayment.NEXT,
    "LAST_INSTALLMENT": Prepayment.LAST,
    "REAMORTIZATION": Prepayment.SPREAD,
}
# what Fineract's own products do with money of these kinds, unless a case says otherwise
OF_KIND = {"MERCHANT_ISSUED_REFUND": Prepayment.SPREAD, "GOODWILL_CREDIT": Prepayment.LAST}
KINDS = {None, "AUTOPAY", "REPAYMENT", "REAL_TIME", "SCHEDULED", "PAYOUT_REFUND", *OF_KIND}
RULE = re.compile(r'"(\w+)" transaction type to "(\w+)" future installment allocation rule')
UNDO = re.compile(r'undo "(\d+)"th transaction made on "([^"]+)"')
PAY_OFF = re.compile(r'Loan Pay-off is made on "([^"]+)"')
REFUND = re.compile(r'Credit Balance Refund transaction on "([^"]+)" with (\S+) [A-Z]{3}')
CHARGE_OFF = re.compile(r'does charge-off the loan on "([^"]+)"')
# the machinery of another system, which changes nothing of what is owed
MACHINERY = (
    re.compile(r"inline COB job"),
    re.compile(r"into LOAN_CLOSE_OF_BUSINESS workflow"),
    re.compile(r'Global configuration "enable-business-date" is enabled'),
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Unsupported(ValueError):
    """A case that asks for what the rules cannot say; the message is the reason."""


def fen(text: object) -> Fen:
    """Read an amount exactly; raise Unsupported where it is no whole number of fen."""
    amount = Decimal(str(text)) * 100
    if amount != int(amount):
        raise Unsupported(f"{text} is not a whole number of cents")
    return Fen(int(amount))


def future_rules(told: list[Told], strategy: str) -> dict[str, Prepayment]:
    """Return what is said of the prepaid part of money, by the kind of transaction."""
    said = dict(found for event in told for found in RULE.findall(event.get("text") or ""))
    if future := re.search(r"future=(\w+)", strategy):
        said.setdefault(DEFAULT, future[1])
    unknown = set(said.values()) - set(FUTURE)
    if unknown:
        raise Unsupported(f"future installment allocation rule {min(unknown)!r}")
    return {kind: FUTURE[rule] for kind, rule in said.items()}


def read_events(told: list[Told], terms: Terms, *, down_fen: int, advanced: bool) -> list[Event]:
    """Return a loan's events in the order told; a down payment in fen that pays itself is the first."""
    modes = future_rules(told, "")
    of_kind = {**OF_KIND, **modes} if advanced else modes
    events = [repayment(down_fen, terms.started_on, 1)] if down_fen else []
    for event in told:
        number = len(events) + 1
        if event["type"] == "other":
            events += _said(event["text"], events, terms)
        elif event["type"] in ("disburse", "inline_cob"):
            continue
        elif event["type"] in ("fee", "charge"):
            events.append(_fee(event, terms, number))
        elif event.get("kind") in KINDS and (event["type"] == "repayment" or "transaction" in event["type"]):
            paid = repayment(fen(event["amount"]), date.fromisoformat(event["date"]), number)
            events.append(replace(paid, prepayment=of_kind.get(str(event.get("kind")))))
        else:
            raise Unsupported(f"event {event['type']!r}" + (f" of kind {event['kind']!r}" if event.get("kind") else ""))
    return events


def _fee(told: Told, terms: Terms, number: int) -> Event:
    on = date.fromisoformat(told["date"])
    if "PENALTY" in str(told.get("kind")).upper() or told.get("penalty"):
        raise Unsupported("a penalty of a fixed amount: a penalty here accrues by the day")
    if on in terms.due_dates():
        raise Unsupported("a fee on a due date: it would be counted with the next instalment")
    return Event(EventKind.FEE, on, number, fen(told["amount"]))


def _said(text: str, before: list[Event], terms: Terms) -> list[Event]:
    """Read an event that is told in a sentence."""
    number = len(before) + 1
    if undo := UNDO.search(text):
        return [_undone(_day(undo[2]), int(undo[1]), before, terms)]
    if payoff := PAY_OFF.search(text):
        on = _day(payoff[1])
        return [repayment(fold(terms, before, on).payoff_fen, on, number)]
    if refund := REFUND.search(text):
        return [Event(EventKind.REFUND, _day(refund[1]), number, fen(refund[2]))]
    if off := CHARGE_OFF.search(text):
        return [Event(EventKind.CHARGE_OFF, _day(off[1]), number)]
    if "charge-off undo" in text:
        offs = [event for event in before if event.kind is EventKind.CHARGE_OFF]
        return [Event(EventKind.REVERSAL, offs[-1].value_on, number, reverses=offs[-1].number)]
    if RULE.search(text) or any(known.search(text) for known in MACHINERY):
        return []
    raise Unsupported(f"event {text!r}")


def _undone(on: date, place: int, before: list[Event], terms: Terms) -> Event:
    """Reverse a day's transaction by its place; the disbursement is the first of its day."""
    same_day = [None] * (on == terms.started_on) + [event for event in before if event.value_on == on]
    undone = same_day[place - 1]
    if undone is None:
        raise Unsupported("the disbursement itself is undone")
    return Event(EventKind.REVERSAL, on, len(before) + 1, reverses=undone.number)


def _day(text: str) -> date:
    day, month, year = text.split()
    return date(int(year), MONTHS.index(month) + 1, int(day))
