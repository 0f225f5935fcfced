"""What a loan is: terms frozen when it begins, and the events since."""

from dataclasses import dataclass
from datetime import date

from grainline.kit.calendar import add_months
from grainline.kit.money import Fen, RateE8


@dataclass(frozen=True)
class Terms:
    """A loan's terms: amount in fen, rate in 10⁻⁸ a day, monthly instalments on the anchor of the first day.

    Interest runs from `started_on`, that day included, to the day it is paid, that day excluded.
    """

    amount_fen: Fen
    rate_e8: RateE8
    instalments: int
    started_on: date

    def __post_init__(self) -> None:
        if self.amount_fen <= 0 or self.rate_e8 <= 0 or self.instalments <= 0:
            raise ValueError(f"these are no terms of a loan: {self}")

    def due_dates(self) -> list[date]:
        """Return each instalment's due date: the anchor's day, month by month."""
        return [add_months(self.started_on, number) for number in range(1, self.instalments + 1)]

    def principals(self) -> list[Fen]:
        """Return each instalment's principal in fen: equal shares rounded down, the last takes the remainder."""
        share = self.amount_fen // self.instalments
        return [Fen(share)] * (self.instalments - 1) + [Fen(self.amount_fen - share * (self.instalments - 1))]


@dataclass(frozen=True)
class Repayment:
    """Money that came in for a loan: fen, the date from which it counts, its place among the loan's events."""

    amount_fen: Fen
    value_on: date
    number: int
