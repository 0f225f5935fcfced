"""The residents of the simulated town: number in, papers out, the same every time.

What is made up is made up so that it can belong to nobody: mobile prefix 100 is given to no subscriber; region
99 is not among the codes of GB/T 2260; card issuer 999900 lies in ISO/IEC 7812's national range under a country
code that ISO 3166-1 leaves to users. Check digits are right, so that the papers pass every check of form.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from stdnum import luhn
from stdnum.cn import ric

RESIDENTS_MAX = 30_000
PHONE_BASE = 10_000_000_000
REGION_BASE = 990_000
SEQUENCES = 999
CARD_ISSUER = "999900"
SURNAME = "测试"
GIVEN = (
    "安柏辰朝初丹东恩帆芳枫歌谷海禾虹慧佳建杰静君康可兰乐莉林岭露麦梅明"
    "宁平琪谦青秋荣瑞森山书舒思松桐万文溪夏贤晓欣星雪雅言阳怡毅音盈永雨"
)
BANKS = ("沙盒第一银行", "沙盒河谷银行", "沙盒海岸银行", "沙盒山城银行", "沙盒平原银行")


@dataclass(frozen=True)
class Resident:
    """A synthetic person with a phone, an id, and one card registered to both."""

    number: int
    phone: str
    name: str
    national_id: str
    born_on: date
    card_number: str
    bank: str


def resident(number: int, *, age: int, reference: date) -> Resident:
    """Return the resident of this number (1..30000), who has completed `age` years on the reference date.

    Raises ValueError for a number outside the town or an age outside 0..120.
    """
    if not 1 <= number <= RESIDENTS_MAX:
        raise ValueError(f"the town has residents 1 to {RESIDENTS_MAX}, not {number}")
    if not 0 <= age <= 120:
        raise ValueError(f"nobody in the town is {age} years old")
    born_on = _birth_date(number, age, reference)
    return Resident(
        number=number,
        phone=phone_of(number),
        name=SURNAME + GIVEN[number * 31 % len(GIVEN)] + GIVEN[number * 17 // len(GIVEN) % len(GIVEN)],
        national_id=_national_id(number, born_on),
        born_on=born_on,
        card_number=_card_number(number),
        bank=BANKS[number % len(BANKS)],
    )


def residents(ages: Iterable[int], *, reference: date) -> Iterator[Resident]:
    """Yield residents 1, 2, 3 … of these ages. Raises ValueError when there are more than the town holds."""
    for number, age in enumerate(ages, start=1):
        yield resident(number, age=age, reference=reference)


def phone_of(number: int) -> str:
    """Return the phone of a resident: 1 → 10000000001."""
    return str(PHONE_BASE + number)


def number_of(phone: str) -> int | None:
    """Return the resident's number for a phone, or None when the phone is not of the town."""
    if len(phone) != 11 or not (phone.isascii() and phone.isdigit()):
        return None
    number = int(phone) - PHONE_BASE
    return number if 1 <= number <= RESIDENTS_MAX else None


def _birth_date(number: int, age: int, reference: date) -> date:
    """Spread birthdays over the 365 days that all give the same completed years."""
    year = reference.year - age
    try:
        birthday = reference.replace(year=year)
    except ValueError:
        birthday = date(year, 2, 28)  # 29 February in a common year
    return birthday - timedelta(days=number * 7919 % 365)


def _national_id(number: int, born_on: date) -> str:
    """Write region, birth date, sequence, check digit (GB 11643, ISO 7064 MOD 11-2).

    Region and sequence alone tell residents apart, whatever their birth dates.
    """
    region, sequence = divmod(number - 1, SEQUENCES)
    body = f"{REGION_BASE + region}{born_on:%Y%m%d}{sequence + 1:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


def _card_number(number: int) -> str:
    """Write issuer, account, and Luhn digit (ISO/IEC 7812-1): 19 digits, as debit cards here have."""
    body = f"{CARD_ISSUER}{number:012d}"
    return body + str(luhn.calc_check_digit(body))
