"""Money and rates as integers.

Money is fen (1/100 yuan), signed 64-bit in the database. A rate is an integer count of 10⁻⁸ a day, so that
0.05 % a day is 50_000. Fen × rate × days is therefore in units of 10⁻⁸ fen, exact, and is rounded once, where
a named rule says so (`loans/interest.py`).
"""

import re
from decimal import Decimal
from typing import NewType

Fen = NewType("Fen", int)
RateE8 = NewType("RateE8", int)

E8 = 100_000_000
FEN_PER_YUAN = 100
FEN_END = 2**63  # what the database cannot hold any more
WRITTEN_YUAN = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,2}))?")


def yuan(amount: Fen | int) -> str:
    """Write fen as yuan with two decimals and thousands separators: 1234567 → "12,345.67"."""
    return f"{Decimal(amount) / FEN_PER_YUAN:,.2f}"


def read_yuan(text: str) -> Fen:
    """Read an amount somebody wrote in yuan: digits, and at most two decimals: "12345.6" → 1234560.

    Raises ValueError, with a sentence, for anything else: a sign, separators, an exponent, what 64 bits cannot hold.
    """
    found = WRITTEN_YUAN.fullmatch(text)
    fen = int(found[1]) * FEN_PER_YUAN + int((found[2] or "").ljust(2, "0")) if found else FEN_END
    if fen >= FEN_END:
        raise ValueError(f"{text!r} is no amount in yuan with up to two decimals")
    return Fen(fen)


def percent(rate_e8: RateE8 | int) -> str:
    """Write a rate as a percentage without superfluous zeros: 50_000 → "0.05"."""
    text = f"{Decimal(rate_e8) * 100 / E8:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
