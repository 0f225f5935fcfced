"""From a case to terms and events: what another system says, in the words of ours.

A convention of another system is a setting of `Rules`, named here and nowhere else; or the case is unsupported and says
why. What a case asks for and is not known here is never passed over. Amounts are decimal texts with two places; they
become fen exactly.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from grainline.kit.money import RateE8
from grainline.loans.conformance_events import DEFAULT, Told, Unsupported, fen, future_rules, read_events
from grainline.loans.events import Event
from grainline.loans.fold import fold
from grainline.loans.terms import Terms
from grainline.products import AllocateBy, Component, Prepayment, RoundedPer, Rounding, Rules, Shape, YearBasis

Case = Mapping[str, Any]
BASES = {
    "30/360": YearBasis.THIRTY_360,
    "ACT/360": YearBasis.DAYS_360,
    "ACT/364": YearBasis.DAYS_364,
    "ACT/365": YearBasis.DAYS_365,
    "ACT/ACT": YearBasis.ACTUAL,
}
DAYS_IN = {"DAY": 1, "DAYS": 1, "WEEK": 7, "WEEKS": 7}
MONTHS_IN = {"MONTH": 1, "MONTHS": 1, "YEAR": 12, "YEARS": 12}
KNOWN = {
    *("principal", "annual_rate_pct", "number_of_repayments", "repay_every", "start_date", "amortization", "day_count"),
    *("fineract_product", "fineract_days_in_year", "fineract_days_in_month", "interest_calculation_period"),
    *("grace_on_principal", "grace_on_interest_payment", "interest_free_periods", "payment_strategy"),
    *("instalment_rounded_to_multiple_of", "rest_frequency", "reschedule_strategy", "interest_type", "currency"),
}
# words in the name of another system's product that stand for what no rule of ours says
FOREIGN = {
    "FLAT": "flat interest: on what was lent, whatever has been repaid",
    "COMPOUNDING_DAILY": "interest on interest",
    "COMPOUNDING_WEEKLY": "interest on interest",
    "COMPOUNDING_MONTHLY": "interest on interest",
    "COMPOUNDING_SAME": "interest on interest",
    "COMPOUNDING_EMI": "interest on interest",
    "INTEREST_REFUND": "interest given back with a refund",
    "ZERO_INTEREST": "a charge-off that changes the schedule",
    "ACCELERATE": "a charge-off that changes the schedule",
    "CAPITALIZED": "income that is added to principal",
    "BUYDOWN": "a fee that buys the rate down",
}
AMORTISATION = re.compile(r"equal_(instalment|principal)(?: \((\d+(?:\.\d+)?)% (auto )?down payment on day 0\))?")
COMPONENTS = {
    "PENALTIES": Component.PENALTY,
    "FEES": Component.FEE,
    "INTEREST": Component.INTEREST,
    "PRINCIPAL": Component.PRINCIPAL,
}
PENALTY_FEE_INTEREST = (Component.PENALTY, Component.FEE, Component.INTEREST, Component.PRINCIPAL)
RESCHEDULED = {
    "REDUCE_NUMBER_OF_INSTALLMENTS": Prepayment.REDUCE_TERM,
    "REDUCE_EMI_AMOUNT": Prepayment.REDUCE_INSTALMENT,
    "ADJUST_LAST_UNPAID_PERIOD": None,  # what the strategy of payments says
}


def read_case(case: Case) -> tuple[Terms, list[Event]]:
    """Return the terms and events of a case; raise Unsupported with the reason where they cannot be said."""
    if "given" in case:
        return _published(case["given"], case["rows_of"]), []
    told: list[Told] = case.get("events") or []
    terms = _terms(case, told)
    _check_recalculation(case["product"], told, terms, as_of(case))
    down = fold(terms, (), terms.started_on).instalments[0].principal_fen if "auto " in _amortisation(case)[0] else 0
    events = read_events(told, terms, down_fen=down, advanced=_advanced(case["product"]))
    if any(event.value_on > as_of(case) for event in events):
        raise Unsupported("an event after the date on which the rows are looked at")
    return terms, events


def as_of(case: Case) -> date:
    """Return the date on which a case looks at its rows: its own, or the last of its events', or its first."""
    if case.get("as_of"):
        return date.fromisoformat(case["as_of"])
    dates = [told["date"] for told in case.get("events") or [] if told.get("date")]
    return date.fromisoformat(max(dates, default=None) or case["product"]["start_date"])


def _terms(case: Case, told: list[Told]) -> Terms:
    product, title = case["product"], case.get("title") or ""
    if "reschedule" in title and not any("schedule" in event.get("text", "") for event in told):
        raise Unsupported("its title names a reschedule that is not among its events")
    disbursed = [event for event in told if event["type"] == "disburse"]
    if len(disbursed) > 1:
        raise Unsupported("more than one disbursement: a loan here is drawn once")
    drawn = disbursed[0] if disbursed else {"date": product["start_date"], "amount": product["principal"]}
    return Terms(
        amount_fen=fen(drawn["amount"]),
        rate_e8=RateE8(_whole(Decimal(product["annual_rate_pct"]) * 1_000_000, "annual_rate_pct")),
        instalments=int(product["number_of_repayments"]),
        started_on=date.fromisoformat(drawn["date"]),
        rules=_rules(case, product, told),
        anchored_on=date.fromisoformat(product["start_date"]),
    )


def _rules(case: Case, product: Mapping[str, Any], told: list[Told]) -> Rules:
    _check_known(product)
    every_months, every_days = _every(product["repay_every"])
    year_basis = _basis(product)
    if year_basis is YearBasis.THIRTY_360 and every_days:
        raise Unsupported("30/360 with periods of days or weeks")
    progressive = "LP1" not in (product.get("fineract_product") or "")
    shape, down = _amortisation(case)[1:]
    return Rules(
        shape=shape,
        every_months=every_months,
        every_days=every_days,
        year_basis=year_basis,
        rounding=_rounding(case.get("rounding") or ""),
        rounded_per=RoundedPer.INSTALMENT if progressive else RoundedPer.SUB_PERIOD,
        instalment_multiple_fen=fen(product.get("instalment_rounded_to_multiple_of") or "0.01"),
        instalment_at_first_rate=not progressive,
        instalment_evened=progressive,
        instalment_holds=True,
        shares_rounded=True,
        principal_free=int(product.get("grace_on_principal") or 0),
        # Fineract's tests call `interest free period` what puts interest off; its grace on interest changes no row
        interest_free=int(product.get("interest_free_periods") or 0),
        down_payment_e4=down,
        prepayment=_prepayment(product, told),
        prepayment_settles_row=True,
        prepayment_pays_interest=False,
        allocation=_allocation(product.get("payment_strategy") or ""),
        allocate_by=AllocateBy.INSTALMENT,
    )


def _check_known(product: Mapping[str, Any]) -> None:
    for key in product:
        if key not in KNOWN and product[key]:
            raise Unsupported(f"the product says {key!r}, which is not known")
    if (product.get("interest_type") or "DECLINING_BALANCE") != "DECLINING_BALANCE":
        raise Unsupported(f"interest type {product['interest_type']!r}")
    for word, reason in FOREIGN.items():
        if word in (product.get("fineract_product") or ""):
            raise Unsupported(reason)
    free, grace = int(product.get("interest_free_periods") or 0), int(product.get("grace_on_principal") or 0)
    if free > grace:
        raise Unsupported("interest is put off beyond the instalments without principal")


def _check_recalculation(product: Mapping[str, Any], told: list[Told], terms: Terms, day: date) -> None:
    """Refuse a loan whose interest stays as planned, where our interest would follow what is paid when."""
    name = product.get("fineract_product") or ""
    follows = not name or "RECALCULATION" in name or "rest_frequency" in product or not terms.rate_e8
    if not follows and (day > terms.due_dates()[0] or any(event["type"] == "repayment" for event in told)):
        raise Unsupported("interest that stays as planned whatever is paid when")
    if "TILL_REST_FREQUENCY" in name and any("Pay-off" in event.get("text", "") for event in told):
        raise Unsupported("a pay-off with interest up to the next due date")


def _every(text: str) -> tuple[int, int]:
    """Return months and days between due dates."""
    count, unit = text.upper().split()
    if unit in MONTHS_IN:
        return int(count) * MONTHS_IN[unit], 0
    if unit in DAYS_IN:
        return 0, int(count) * DAYS_IN[unit]
    raise Unsupported(f"repayment every {text!r}")


def _amortisation(case: Case) -> tuple[str, Shape, int]:
    """Return what the case says, the shape and the down payment in 10⁻⁴."""
    said = str(case["product"]["amortization"])
    found = AMORTISATION.fullmatch(said)
    if found is None:
        raise Unsupported(f"amortization {said!r}")
    down = _whole(Decimal(found[2] or 0) * 100, "down payment")
    if "bullet" in (case.get("title") or "").lower():  # the title alone says it: no principal before the last
        return said, Shape.INTEREST_FIRST, down
    return said, Shape.EQUAL_INSTALMENT if found[1] == "instalment" else Shape.EQUAL_PRINCIPAL, down


def _basis(product: Mapping[str, Any]) -> YearBasis:
    name = product.get("day_count")
    if name is None and Decimal(product["annual_rate_pct"]) == 0:
        return YearBasis.ACTUAL  # no interest, no count
    if name not in BASES:
        raise Unsupported(f"day count {name!r}")
    return BASES[name]


def _rounding(said: str) -> Rounding:
    """Read a rounding; where none is said it is Fineract's own, half to even."""
    digits = re.search(r"(\d+) digits", said)
    modes = set(re.findall(r"\b(?:HALF_)?(?:EVEN|UP|DOWN)\b|\bCEILING\b|\bFLOOR\b", said))
    if (digits and digits[1] != "2") or not modes <= {"HALF_EVEN", "HALF_UP"} or len(modes) > 1:
        raise Unsupported(f"rounding {said!r}")
    return Rounding.HALF_UP if modes == {"HALF_UP"} else Rounding.HALF_EVEN


def _advanced(product: Mapping[str, Any]) -> bool:
    strategy = product.get("payment_strategy") or ""
    return strategy.startswith("ADVANCED_PAYMENT_ALLOCATION")


def _allocation(strategy: str) -> tuple[Component, ...]:
    if not strategy or strategy.split(",")[0] == "ADVANCED_PAYMENT_ALLOCATION":
        return PENALTY_FEE_INTEREST
    words = strategy.removesuffix("_ORDER").split("_")
    if sorted(words) != sorted(COMPONENTS):
        raise Unsupported(f"payment strategy {strategy!r}")
    return tuple(COMPONENTS[word] for word in words)


def _prepayment(product: Mapping[str, Any], told: list[Told]) -> Prepayment:
    said = future_rules(told, product.get("payment_strategy") or "")
    strategy = product.get("reschedule_strategy") or "ADJUST_LAST_UNPAID_PERIOD"
    if strategy not in RESCHEDULED:
        raise Unsupported(f"reschedule strategy {strategy!r}")
    if mode := said.get(DEFAULT) or RESCHEDULED[strategy]:
        return mode
    if "REDUCE_NR_INST" in (product.get("fineract_product") or ""):
        return Prepayment.REDUCE_TERM
    interest = Decimal(product["annual_rate_pct"]) > 0 and not _advanced(product)
    return Prepayment.REDUCE_INSTALMENT if interest else Prepayment.NEXT


def _published(given: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> Terms:
    """Return the terms of a published loan by the day in equal principal, drawn so that its first row has its days."""
    due_on = date.fromisoformat(rows[0]["due_date"])
    return Terms(
        amount_fen=fen(given["principal"]),
        rate_e8=RateE8(_whole(Decimal(given["daily_rate"]) * 10**8, "daily_rate")),
        instalments=int(given["instalments"]),
        started_on=date.fromordinal(due_on.toordinal() - int(rows[0]["days"])),
        rules=Rules(shape=Shape.EQUAL_PRINCIPAL),
    )


def _whole(value: Decimal, name: str) -> int:
    if value != int(value):
        raise Unsupported(f"{name} has more places than are counted here")
    return int(value)
