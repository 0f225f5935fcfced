"""What a loan is: terms frozen when it begins. What happened to it since is in `events.py`."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from grainline.kit.calendar import add_months
from grainline.kit.holidays import following_working_day
from grainline.kit.money import Fen, RateE8
from grainline.products import FirstPeriod, Rules, Shape

PAID_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Terms:
    """A loan's terms: amount in fen, rate in 10⁻⁸ (a day, or a year where `rules.year_basis` says so), instalments.

    Interest runs from `started_on`, that day included, to the day it is paid, that day excluded. Due dates are counted
    from the first day, or from `anchored_on` where the first period began earlier or later; or they lie on the rules'
    `due_day`, the first one at least a day after the first day. Every due date moves as the rules' business day
    convention says: interest runs to the moved date and the next period begins there, the next date is counted as if
    nothing had moved. A bullet loan has one instalment at the end of `instalments` periods. Raises ValueError where
    these are no terms of a loan.
    """

    amount_fen: Fen
    rate_e8: RateE8
    instalments: int
    started_on: date
    rules: Rules
    anchored_on: date | None = None

    def __post_init__(self) -> None:
        fits = self.amount_fen > 0 and self.rate_e8 >= 0 and self.instalments > self.rules.principal_free
        if self.rules.due_day is None:
            fits = fits and self._after(self.anchored_on or self.started_on, self._every) > self.started_on
        else:
            fits = fits and self.anchored_on is None
        if not fits:
            raise ValueError(f"these are no terms of a loan: {self}")

    def due_dates(self) -> list[date]:
        """Return each instalment's due date, period by period; a down payment on the first day.

        Raises NoHolidayTable.
        """
        dates = self._dates(*self._first(), self.instalments)
        return [self.started_on, *dates] if self.rules.down_payment_e4 else dates

    def rescheduled(self, first_due_on: date, instalments: int) -> list[date]:
        """Return the due dates of so many instalments from a first due date on; of a bullet loan only the last.

        Raises NoHolidayTable.
        """
        return self._dates(first_due_on, 0, instalments)

    def check_holidays(self) -> None:
        """Raise NoHolidayTable where a due date lies in a year without one, or would if the draw is paid a week later.

        Once it is paid there must be a schedule, so what might have none is refused before.
        """
        if self.rules.holiday_table is not None:
            for begun_on in (self.started_on, self.started_on + PAID_WITHIN):
                replace(self, started_on=begun_on).due_dates()

    def months(self, instalments: int) -> int:
        """Return how many months an instalment's period has when so many periods are planned; 0 if it is of days."""
        return self.rules.every_months * (instalments if self.rules.shape is Shape.BULLET else 1)

    @property
    def _every(self) -> int:
        return self.rules.every_months or self.rules.every_days

    def _first(self) -> tuple[date, int]:
        """Return the date from which due dates are counted, and how many months (or days) after it the first one lies.

        A due day is counted from January, which has all of them.
        """
        if self.rules.due_day is None:
            return self.anchored_on or self.started_on, self._every
        earliest = self.started_on + timedelta(days=max(self.rules.first_period_min_days, 1))
        if self.rules.first_period is FirstPeriod.LONG:
            earliest = max(earliest, self._after(self.started_on, self._every))
        january = date(earliest.year, 1, self.rules.due_day)
        months = earliest.month - 1
        return january, months + (add_months(january, months) < earliest)

    def _dates(self, anchor: date, first: int, count: int) -> list[date]:
        steps = range(first, first + count * self._every, self._every)
        dates = [self._after(anchor, step) for step in (steps[-1:] if self.rules.shape is Shape.BULLET else steps)]
        if self.rules.holiday_table is not None:
            return [following_working_day(due_on, self.rules.holiday_table) for due_on in dates]
        return dates

    def _after(self, anchor: date, step: int) -> date:
        """Return the date so many months, or days where the rules count days, after an anchor."""
        return anchor + timedelta(days=step) if self.rules.every_days else add_months(anchor, step)
