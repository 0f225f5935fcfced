"""What can happen to a loan after it began: dated events, of which the loan is the fold."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from grainline.kit.money import Fen
from grainline.loans.interest import E4
from grainline.products import Component, Prepayment


class EventKind(StrEnum):
    """The kinds, in the order in which those of one day count."""

    RESCHEDULE = "reschedule"
    FEE = "fee"
    DISCOUNT = "discount"
    COUPON = "coupon"
    WAIVER = "waiver"
    REPAYMENT = "repayment"
    REFUND = "refund"
    CHARGE_OFF = "charge_off"
    WRITE_OFF = "write_off"
    REVERSAL = "reversal"


ORDER = {kind: place for place, kind in enumerate(EventKind)}
OF_MONEY = (EventKind.FEE, EventKind.COUPON, EventKind.WAIVER, EventKind.REPAYMENT, EventKind.REFUND)
OF_A_SPAN = (EventKind.RESCHEDULE, EventKind.DISCOUNT)


@dataclass(frozen=True)
class Event:
    """One event: the date from which it counts, its number among the loan's events, and what its kind needs.

    RESCHEDULE plans what is left over `instalments` from `until` on, its first due date. FEE charges `amount_fen` with
    the running instalment. DISCOUNT gives back `share_e4` (10⁻⁴) of the ordinary interest from `value_on` until
    `until`, that day excluded; several at once add up, to all of it at most. COUPON gives back up to `amount_fen` of
    the interest that is charged from then on; what a loan does not need of it lapses. WAIVER gives up `amount_fen` of
    what is charged and unpaid of `component`, oldest first, or as much as there is; principal is written off and never
    waived. REPAYMENT is money in; it may say how its prepaid part counts. REFUND is money out of the suspense balance.
    CHARGE_OFF ends the recognition of interest as income, WRITE_OFF takes the loan off the books. REVERSAL makes event
    `reverses` as if it had never happened, on whatever date; itself it cannot be reversed. Raises ValueError where
    something that the kind needs is missing or not positive.
    """

    kind: EventKind
    value_on: date
    number: int
    amount_fen: Fen = Fen(0)  # noqa: RUF009
    component: Component | None = None
    share_e4: int = 0
    until: date | None = None
    instalments: int = 0
    reverses: int | None = None
    prepayment: Prepayment | None = None

    def __post_init__(self) -> None:
        missing = _missing(self)
        if missing is not None:
            raise ValueError(f"a {self.kind.replace('_', ' ')} needs {missing}")


def _missing(event: Event) -> str | None:
    """Say in words the first thing that a kind needs and an event has not, or None."""
    kind = event.kind
    if kind in OF_MONEY and event.amount_fen <= 0:
        return "an amount above nought"
    if kind is EventKind.WAIVER and event.component in (None, Component.PRINCIPAL):
        return "a component that can be waived: fee, penalty or interest"
    if kind is EventKind.DISCOUNT and not 0 < event.share_e4 <= E4:
        return f"a share above nought, at most {E4}"
    if kind is EventKind.RESCHEDULE and event.instalments <= 0:
        return "a number of instalments above nought"
    if kind in OF_A_SPAN and (event.until is None or event.until <= event.value_on):
        return f"a date until when, later than {event.value_on}"
    if kind is EventKind.REVERSAL and event.reverses is None:
        return "the number of the event that it reverses"
    return None


def repayment(amount_fen: int, value_on: date, number: int) -> Event:
    """Return a repayment: money in, in fen."""
    return Event(EventKind.REPAYMENT, value_on, number, Fen(amount_fen))


def next_number(events: Iterable[Event]) -> int:
    """Return the number of the event that comes after these."""
    return max((event.number for event in events), default=0) + 1


def effective(events: Iterable[Event]) -> list[Event]:
    """Return what counts, in the order in which it counts: by date and kind, whatever the order of posting.

    Reversals and what they reverse are left out, and an event that is listed twice counts once. Equal events of one day
    are in the order of their amounts, so that numbers, which say when something was posted, decide nothing. Raises
    ValueError for two different events under one number.
    """
    listed: dict[int, Event] = {}
    for event in events:
        known = listed.setdefault(event.number, event)
        if known is not event and known != event:
            raise ValueError(f"two events under one number: {known} and {event}")
    gone = {event.reverses for event in listed.values() if event.kind is EventKind.REVERSAL}
    kept = [e for e in listed.values() if e.kind is not EventKind.REVERSAL and e.number not in gone]
    return sorted(kept, key=_place)


def _place(event: Event) -> tuple[object, ...]:
    what = (event.component or "", event.share_e4, event.until or event.value_on, event.instalments)
    return (event.value_on, ORDER[event.kind], event.amount_fen, *what, event.prepayment or "")
