"""Money and rates as integers.

Money is fen (1/100 yuan), signed 64-bit in the database. A rate is an integer count of 10⁻⁸ a day, so that
0.05 % a day is 50_000. Fen × rate × days is therefore in units of 10⁻⁸ fen, exact, and is rounded once, where
a named rule says so.
"""

from decimal import Decimal
from typing import NewType

Fen = NewType("Fen", int)
RateE8 = NewType("RateE8", int)

E8 = 100_000_000
FEN_PER_YUAN = 100


def round_half_up(amount_e8: int) -> Fen:
    """Round a non-negative amount in 10⁻⁸ fen to the fen, halves up (四舍五入)."""
    if amount_e8 < 0:
        raise ValueError(f"half-up is defined here for what is owed, not for {amount_e8}")
    return Fen((amount_e8 + E8 // 2) // E8)


def yuan(amount: Fen | int) -> str:
    """Write fen as yuan with two decimals and thousands separators: 1234567 → "12,345.67"."""
    return f"{Decimal(amount) / FEN_PER_YUAN:,.2f}"


def percent(rate_e8: RateE8 | int) -> str:
    """Write a rate as a percentage without superfluous zeros: 50_000 → "0.05"."""
    text = f"{Decimal(rate_e8) * 100 / E8:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
