"""What each kind of event does to a loan on the day to which it has come."""

from collections.abc import Callable, Sequence

from grainline.loans.events import Event, EventKind
from grainline.loans.interest import rounded
from grainline.loans.rows import Row
from grainline.loans.walk import Walk
from grainline.products import Component, Prepayment


def happen(walk: Walk, event: Event) -> None:
    """Let an event of today happen."""
    HANDLERS[event.kind](walk, event)
    walk.note_settled()


def _repay(walk: Walk, event: Event) -> None:
    """Pay what is due, then everything if the money reaches, else something ahead of its time. The rest is held."""
    walk.total["repaid"] += event.amount_fen
    walk.charge_due()
    left = walk.pay(walk.rows if walk.written_off_on else walk.due_rows, event.amount_fen)
    if left and walk.due_count < len(walk.rows):
        left = _pay_off(walk, left) if left >= walk.owed() else _prepay(walk, left, event.prepayment)
    walk.total["suspense"] += left


def _pay_off(walk: Walk, amount: int) -> int:
    walk.charge()
    if walk.rules.instalment_holds:
        for place in range(walk.due_count, len(walk.rows)):
            walk.rows.hold(place)
    return walk.pay(walk.rows, amount)


def _prepay(walk: Walk, amount: int, prepayment: Prepayment | None) -> int:
    """Pay of what is not due yet, by the rules' mode or the event's own; less than all of it, so that nothing is left.

    What is charged to the running instalment and, where the rules say so, interest to date come before its principal.
    """
    if walk.rules.prepayment_pays_interest:
        walk.charge()
        for component in walk.rules.allocation:
            if component is not Component.PRINCIPAL:
                row = walk.interest_row if component is Component.INTEREST else walk.running
                amount = walk.pay_component(row, component, amount)
    left = _prepay_principal(walk, amount, prepayment or walk.rules.prepayment) if amount else 0
    if left:  # more than all principal, and interest was to wait
        walk.charge()
        left = walk.pay(walk.rows, left)
    return left


def _prepay_principal(walk: Walk, amount: int, prepayment: Prepayment) -> int:
    coming = walk.rows[walk.due_count :]
    match prepayment:
        case Prepayment.NEXT:
            return walk.pay(coming, amount)
        case Prepayment.LAST:
            return walk.pay(coming[::-1], amount)
        case Prepayment.SPREAD:
            return _spread(walk, coming, amount)
        case Prepayment.REDUCE_INSTALMENT | Prepayment.REDUCE_TERM:
            return _replan(walk, amount, shorter=prepayment is Prepayment.REDUCE_TERM)


def _spread(walk: Walk, rows: Sequence[Row], amount: int) -> int:
    """Pay equal parts of the unpaid rows; what is left over pays the last ones."""
    unpaid = [row for row in rows if row.unpaid]
    share = rounded(amount, len(unpaid), walk.rules.rounding) if unpaid else 0
    for row in unpaid[:-1]:
        part = min(share, amount)
        amount -= part - walk.pay([row], part)
    return walk.pay(unpaid[::-1], amount)


def _replan(walk: Walk, amount: int, *, shorter: bool) -> int:
    """Pay principal with the running row and lay what is left out anew.

    The running row takes its share of the rest too, unless the payment settles the row of its period.
    """
    rows, part, place = walk.rows, min(amount, walk.outstanding), walk.due_count
    first = place
    if walk.rules.prepayment_settles_row:
        place -= bool(place) and rows[place - 1].due_on == walk.today
        first = min(place + 1, len(rows) - 1)
        rows[place].principal = max(rows[place].principal, rows[place].principal_paid + part)
    else:
        rows[place].principal += part
        rows[place].principal_apart += part
    walk.pay_component(rows[place], Component.PRINCIPAL, part)
    left = walk.outstanding - sum(row.principal - row.principal_paid for row in rows[:first])
    rows.lay(first, left, walk.today if first <= walk.due_count else rows[first - 1].due_on, shorter=shorter)
    return amount - part


def _refund(walk: Walk, event: Event) -> None:
    """Pay money that is held out. What is not held (its repayment was reversed since) is lent with the running row."""
    held = min(event.amount_fen, walk.total["suspense"])
    walk.total["suspense"] -= held
    walk.total["refunded"] += event.amount_fen
    lent = event.amount_fen - held
    walk.running.principal += lent
    walk.running.principal_apart += lent
    if walk.written_off_on:
        walk.total["written_off_principal"] += lent
    elif lent:
        walk.change_balance(lent)


def _charge_fee(walk: Walk, event: Event) -> None:
    """Charge a fee with the running row; money that is held pays it at once. Once written off, it is too."""
    walk.running.fee += event.amount_fen
    walk.total["fee_charged"] += event.amount_fen
    if walk.written_off_on:
        walk.total["written_off_other"] += event.amount_fen
    walk.total["suspense"] = walk.pay_component(walk.running, Component.FEE, walk.total["suspense"])


def _waive(walk: Walk, event: Event) -> None:
    """Give up what is charged of a component, interest to date included, oldest first.

    What was written off before is waived instead of lost.
    """
    walk.charge_penalties()
    if event.component is Component.INTEREST:
        walk.charge()
    name, left = str(event.component), int(event.amount_fen)
    for row in walk.rows:
        part = min(left, getattr(row, name) - getattr(row, name + "_paid"))
        setattr(row, name, getattr(row, name) - part)
        left -= part
    waived = event.amount_fen - left
    walk.total["waived"] += waived
    if walk.written_off_on:
        walk.total["written_off_other"] -= waived


def _discount(walk: Walk, event: Event) -> None:
    if event.until is not None:
        walk.discounts.append((event.until, event.share_e4))


def _give_coupon(walk: Walk, event: Event) -> None:
    walk.coupon += event.amount_fen


def _reschedule(walk: Walk, event: Event) -> None:
    """Plan all unpaid principal anew, late principal too; what else is unpaid, and what was prepaid, is with the first.

    Nothing is late then. A loan on which nothing is owed stays as it is.
    """
    walk.charge_penalties()
    walk.charge()
    if event.until is not None and walk.owed():
        walk.rows.plan_anew(walk.due_count, walk.today, event.until, event.instalments)
        walk.begin_period()


def _charge_off(walk: Walk, _: Event) -> None:
    """Owe what accrues from now on without recognising it as income; what has accrued until today stays income."""
    walk.charge_penalties()
    if walk.charged_off_on is None:
        walk.charged_off_on = walk.today
        walk.recognised = walk.fen(walk.acc) + walk.fen(walk.acc_given) - walk.charged - walk.charged_given


def _write_off(walk: Walk, _: Event) -> None:
    """Take what is owed off the books. It stays owed, at once and without further interest; money in is recovered."""
    walk.charge_penalties()
    walk.charge()
    owed = walk.owed()
    if owed and walk.written_off_on is None:
        walk.written_off_on = walk.today
        walk.total["written_off_principal"] = walk.outstanding
        walk.total["written_off_other"] = owed - walk.outstanding
        walk.outstanding = 0


HANDLERS: dict[EventKind, Callable[[Walk, Event], None]] = {
    EventKind.RESCHEDULE: _reschedule,
    EventKind.FEE: _charge_fee,
    EventKind.DISCOUNT: _discount,
    EventKind.COUPON: _give_coupon,
    EventKind.WAIVER: _waive,
    EventKind.REPAYMENT: _repay,
    EventKind.REFUND: _refund,
    EventKind.CHARGE_OFF: _charge_off,
    EventKind.WRITE_OFF: _write_off,
}
