"""Loans and their lives for property tests: all that a pack can say of rules, and every kind of event."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import strategies as st

from grainline.loans.events import Event, EventKind
from grainline.loans.fold import fold
from grainline.loans.terms import Terms
from grainline.products import (
    AllocateBy,
    Component,
    FirstPeriod,
    Prepayment,
    Remainder,
    RoundedPer,
    Rounding,
    Rules,
    Shape,
    YearBasis,
)

DAY = timedelta(days=1)
BASES = (YearBasis.DAILY, YearBasis.DAYS_360, YearBasis.DAYS_364, YearBasis.DAYS_365, YearBasis.ACTUAL)
EQUAL_PRINCIPAL = Rules(shape=Shape.EQUAL_PRINCIPAL, grace_days=1, penalty_e4=15_000)  # Weilidai's

NO_DUE_DAY = {"due_day": None, "first_period": FirstPeriod.SHORT, "first_period_min_days": 0}
due_days = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"due_day": st.one_of(st.integers(1, 31), st.sampled_from([1, 28, 29, 30, 31]))},
        optional={
            "first_period": st.sampled_from(FirstPeriod),
            "first_period_min_days": st.sampled_from([0, 1, 10, 15, 30, 60]),
        },
    ),
)
rules_of_loans = st.builds(
    lambda dates, **others: Rules(**dates, **others),
    due_days,
    shape=st.sampled_from(Shape),
    year_basis=st.one_of(st.just(YearBasis.DAILY), st.sampled_from(BASES)),
    rounding=st.sampled_from(Rounding),
    rounded_per=st.sampled_from(RoundedPer),
    remainder=st.sampled_from(Remainder),
    prepayment=st.sampled_from(Prepayment),
    allocation=st.one_of(st.just(tuple(Component)), st.permutations(list(Component)).map(tuple)),
    allocate_by=st.sampled_from(AllocateBy),
    grace_days=st.sampled_from([0, 1, 1, 3, 40]),
    penalty_e4=st.sampled_from([0, 10_000, 15_000, 15_000, 20_000]),
)
amounts = st.one_of(st.integers(1, 400).map(lambda hundreds: hundreds * 10_000), st.integers(1, 5_000_000))
rates = st.one_of(st.sampled_from([20_000, 35_000, 50_000, 60_000]), st.integers(0, 100_000))


@st.composite
def terms_under(draw, rules):
    """Terms under rules that are drawn: a rate for a day, or one for a year of like size."""
    frozen = draw(rules)
    rate = draw(rates) * (1 if frozen.year_basis is YearBasis.DAILY else 360)
    started_on = draw(st.dates(date(2018, 1, 1), date(2030, 12, 31)))
    return Terms(draw(amounts), rate, draw(st.sampled_from([1, 2, 3, 5, 10, 20])), started_on, frozen)


terms_of_loans = terms_under(rules_of_loans)

days_between = st.one_of(st.integers(0, 3), st.integers(0, 75))
# how much is paid: all that is due, a part of the payoff in thousandths, or more than everything
sizes = st.one_of(st.just("due"), st.integers(1, 300), st.integers(1, 1_300))
payments = st.lists(st.tuples(days_between, st.just(EventKind.REPAYMENT), sizes, st.just(0)), max_size=8)
kinds = st.sampled_from([*EventKind, *[EventKind.REPAYMENT] * 6])
steps = st.lists(st.tuples(days_between, kinds, sizes, st.one_of(st.just(0), st.integers(0, 60))), max_size=9)


@dataclass(frozen=True)
class Life:
    """A loan, what happened to it, and a day on which to look at it (on or after the last event)."""

    terms: Terms
    events: tuple[Event, ...]
    today: date

    @property
    def state(self):
        return fold(self.terms, self.events, self.today)


def next_event(terms, events, today, kind, size, back):
    """Make an event of a kind, sized by what is owed, that counts from some days ago; or None where it has no place."""
    number, on = len(events) + 1, max(today - back * DAY, terms.started_on)
    state = fold(terms, events, on)
    payoff = state.payoff_fen or 100
    fen = (state.due_fen or payoff) if size == "due" else -(-payoff * size // 1_000)
    part = 500 if size == "due" else size
    spans = {"until": on + DAY * (1 + part % 90)}
    match kind:
        case EventKind.REPAYMENT:
            mode = [None, None, *Prepayment][part % 7]
            return Event(kind, on, number, fen, prepayment=mode)
        case EventKind.REFUND if part % 3:
            return Event(kind, on, number, state.totals.suspense) if state.totals.suspense else None
        case EventKind.FEE | EventKind.REFUND:
            return Event(kind, on, number, 1 + part)
        case EventKind.COUPON:
            return Event(kind, on, number, 1 + part * 3)
        case EventKind.WAIVER:
            component = [Component.INTEREST, Component.PENALTY, Component.FEE][part % 3]
            return Event(kind, on, number, 1 + part * 5, component=component)
        case EventKind.DISCOUNT:
            return Event(kind, on, number, share_e4=1 + part % 10 * 1_111, **spans)
        case EventKind.RESCHEDULE:
            return Event(kind, on, number, instalments=1 + part % 7, **spans)
        case EventKind.REVERSAL:
            return Event(kind, on, number, reverses=1 + part % number) if events else None
        case EventKind.CHARGE_OFF | EventKind.WRITE_OFF:
            return Event(kind, on, number)


def live(terms, taken, *, after_days=0):
    """Let a loan live through the steps."""
    events, today = [], terms.started_on
    for days, kind, size, back in taken:
        today += days * DAY
        event = next_event(terms, events, today, kind, size, back)
        events += [event] if event else []
    return Life(terms, tuple(events), today + after_days * DAY)


lives = st.builds(live, terms_of_loans, steps, after_days=st.integers(0, 120))
paying_lives = st.builds(live, terms_of_loans, payments, after_days=st.integers(0, 120))


def renumbered(events):
    """Post the same events in another order: their numbers change, and what reverses them says the new ones."""
    numbers = {event.number: place for place, event in enumerate(events, 1)}
    return tuple(
        replace(event, number=numbers[event.number], reverses=numbers.get(event.reverses, event.reverses))
        for event in events
    )


# conventions of other systems, which no pack can say, beside all that one can
other_rules = st.builds(
    lambda rules, **more: Rules.model_validate(
        dict(rules) | more | (NO_DUE_DAY if more["year_basis"] is YearBasis.THIRTY_360 else {})
    ),
    rules_of_loans.map(Rules.model_dump),
    prepayment_settles_row=st.booleans(),
    prepayment_pays_interest=st.booleans(),
    instalment_holds=st.booleans(),
    instalment_evened=st.booleans(),
    instalment_at_first_rate=st.booleans(),
    instalment_multiple_fen=st.sampled_from([1, 100]),
    shares_rounded=st.booleans(),
    interest_free=st.integers(0, 3),
    down_payment_e4=st.sampled_from([0, 2_500, 10_000]),
    year_basis=st.sampled_from(YearBasis),
)
all_lives = st.one_of(lives, st.builds(live, terms_under(other_rules), steps, after_days=st.integers(0, 120)))
