"""What a loan is: terms frozen when it begins. What happened to it since is in `events.py`."""

from dataclasses import dataclass
from datetime import date, timedelta

from grainline.kit.calendar import add_months
from grainline.kit.money import Fen, RateE8
from grainline.products import Rules, Shape


@dataclass(frozen=True)
class Terms:
    """A loan's terms: amount in fen, rate in 10⁻⁸ (a day, or a year where `rules.year_basis` says so), instalments.

    Interest runs from `started_on`, that day included, to the day it is paid, that day excluded. Due dates are counted
    from `anchored_on`, which is the first day unless the first period began earlier or later. A bullet loan has one
    instalment at the end of `instalments` periods. Raises ValueError where these are no terms of a loan.
    """

    amount_fen: Fen
    rate_e8: RateE8
    instalments: int
    started_on: date
    rules: Rules
    anchored_on: date | None = None

    def __post_init__(self) -> None:
        fits = self.amount_fen > 0 and self.rate_e8 >= 0 and self.instalments > self.rules.principal_free
        if not fits or self._due(self._anchor, 1) <= self.started_on:
            raise ValueError(f"these are no terms of a loan: {self}")

    def due_dates(self) -> list[date]:
        """Return each instalment's due date: the anchor's day, period by period; a down payment on the first day."""
        dates = self._dates(self._anchor, 1, self.instalments)
        return [self.started_on, *dates] if self.rules.down_payment_e4 else dates

    def rescheduled(self, first_due_on: date, instalments: int) -> list[date]:
        """Return the due dates of so many instalments from a first due date on; of a bullet loan only the last."""
        return self._dates(first_due_on, 0, instalments - 1)

    def months(self, instalments: int) -> int:
        """Return how many months an instalment's period has when so many periods are planned; 0 if it is of days."""
        return self.rules.every_months * (instalments if self.rules.shape is Shape.BULLET else 1)

    @property
    def _anchor(self) -> date:
        return self.anchored_on or self.started_on

    def _dates(self, anchor: date, first: int, last: int) -> list[date]:
        if self.rules.shape is Shape.BULLET:
            first = last
        return [self._due(anchor, number) for number in range(first, last + 1)]

    def _due(self, anchor: date, number: int) -> date:
        if self.rules.every_days:
            return anchor + timedelta(days=self.rules.every_days * number)
        return add_months(anchor, self.rules.every_months * number)
