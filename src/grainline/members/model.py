"""What is true of phones, ids, cards and codes, without asking anybody."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from stdnum import luhn
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from grainline.kit.errors import Kind, Refusal

CODE_VALID = timedelta(minutes=5)
CODE_RESEND_AFTER = timedelta(seconds=60)
CODE_TRIES = 5
CODES_A_DAY = 20
SESSION_VALID = timedelta(days=90)  # as long as a super-app keeps its users; a draw is signed by code all the same
CARD_WRONG_IN_ROW = 3
CARD_CHECKS_A_DAY = 10
CARD_LOCK = timedelta(hours=24)
ADULT_YEARS = 18


class Purpose(StrEnum):
    """What a one-time code is good for."""

    SIGN_IN = "sign_in"
    SIGN_CONTRACT = "sign_contract"


@dataclass(frozen=True)
class Member:
    """A member's row; personal data stays sealed until it is needed."""

    member_id: int
    wrapped_key: bytes
    phone_sealed: bytes
    name_sealed: bytes | None
    national_id_sealed: bytes | None
    verified_at: datetime | None


@dataclass(frozen=True)
class Card:
    """A bound bank card: never its number, only the network's agreement (sealed) and what may be shown."""

    card_id: UUID
    agreement_sealed: bytes
    bank: str
    last4: str
    usual: bool


@dataclass(frozen=True)
class CardChecks:
    """How often a member's card checks went wrong."""

    checked_on: date
    checks_today: int
    wrong_in_row: int
    locked_until: datetime | None


class BadPhone(Refusal):
    """Not eleven digits beginning with 1."""

    code = "bad_phone"


class BadName(Refusal):
    """Not a name the authority could know."""

    code = "bad_name"


class BadNationalId(Refusal):
    """Not 18 characters of the form, no such birth date, or a wrong check digit (GB 11643)."""

    code = "bad_national_id"


class Minor(Refusal):
    """Under 18 on the business date: no credit (D7)."""

    code = "minor"
    kind = Kind.FORBIDDEN


class BadCardNumber(Refusal):
    """Not 16 to 19 digits, or the Luhn digit is wrong."""

    code = "bad_card_number"


class CardChecksLocked(Refusal):
    """Three wrong in a row or ten in a day: the check is locked until the time given (A3)."""

    code = "card_checks_locked"
    kind = Kind.THROTTLED


def check_phone(text: str) -> str:
    """Return an 11-digit phone number; raise BadPhone."""
    if not re.fullmatch(r"1[0-9]{10}", text):
        raise BadPhone
    return text


def check_name(text: str) -> str:
    """Return a real name without outer spaces; raise BadName."""
    name = text.strip()
    if not re.fullmatch(r"[\u4e00-\u9fff\u3400-\u4dbf·]{2,30}|[A-Za-z][A-Za-z .'-]{1,59}", name):
        raise BadName
    return name


def check_national_id(text: str, *, today: date) -> str:
    """Return an adult's 18-character id in upper case; raise BadNationalId or Minor.

    The check digit is ISO 7064 MOD 11-2 (GB 11643-1999). Whether the place exists is the authority's to say.
    """
    number: str = ric.compact(text)
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number) or ric.calc_check_digit(number) != number[-1]:
        raise BadNationalId
    try:
        born_on = ric.get_birth_date(number)
    except ValidationError:
        raise BadNationalId from None
    if born_on > today or born_on.year < 1900:
        raise BadNationalId
    if age_on(born_on, today) < ADULT_YEARS:
        raise Minor(years=ADULT_YEARS)
    return number


def age_on(born_on: date, today: date) -> int:
    """Return completed years; who was born on 29 February comes of age on 1 March in a common year."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


def check_card_number(text: str) -> str:
    """Return a card number without spaces; raise BadCardNumber."""
    number = text.replace(" ", "")
    if not re.fullmatch(r"[0-9]{16,19}", number) or not luhn.is_valid(number):
        raise BadCardNumber
    return number


def count_card_check(before: CardChecks | None, *, now: datetime, today: date) -> CardChecks:
    """Count a card check as wrong before it is made, so that checks side by side cannot pass the limit.

    Raises CardChecksLocked when it may not be made at all; a right answer afterwards takes the wrong one back.
    """
    checks = before or CardChecks(today, 0, 0, None)
    if checks.locked_until is not None:
        if now < checks.locked_until:
            raise CardChecksLocked(until=checks.locked_until.isoformat())
        checks = CardChecks(today, 0, 0, None)
    count = checks.checks_today + 1 if checks.checked_on == today else 1
    wrong = checks.wrong_in_row + 1
    locks = wrong >= CARD_WRONG_IN_ROW or count >= CARD_CHECKS_A_DAY
    return CardChecks(today, count, wrong, now + CARD_LOCK if locks else None)


def uncount_card_check(checks: CardChecks) -> CardChecks:
    """Take back one check that was never answered; what was counted beside it stays."""
    today, wrong = max(0, checks.checks_today - 1), max(0, checks.wrong_in_row - 1)
    locks = wrong >= CARD_WRONG_IN_ROW or today >= CARD_CHECKS_A_DAY
    return CardChecks(checks.checked_on, today, wrong, checks.locked_until if locks else None)


def right_card_check(checks: CardChecks) -> CardChecks:
    """End the row of wrong checks; the day's number stays, and with it the lock of who has used it up."""
    locks = checks.checks_today >= CARD_CHECKS_A_DAY
    return CardChecks(checks.checked_on, checks.checks_today, 0, checks.locked_until if locks else None)


def mask_phone(phone: str) -> str:
    """Show the first three and last four digits: 100****0001."""
    return f"{phone[:3]}****{phone[-4:]}"


def mask_name(name: str) -> str:
    """Show the first character only: 张*."""
    return name[0] + "*" * (len(name) - 1)
