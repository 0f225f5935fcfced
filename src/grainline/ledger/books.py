"""Reports from the book: the trial balance and the income statement. Amounts in fen, debits positive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from grainline.ledger.chart import Account, product_sub


@dataclass(frozen=True)
class Movement:
    """What an account holds before a period, and what was debited and credited in it; `sub` is its product, if any."""

    account: Account
    name_zh: str
    name_en: str
    kind: str
    sub: UUID | None
    opening_fen: int
    debits_fen: int
    credits_fen: int

    @property
    def closing_fen(self) -> int:
        """What it holds at the end of the period."""
        return self.opening_fen + self.debits_fen - self.credits_fen


@dataclass(frozen=True)
class Totals:
    """The columns of a trial balance, added up: each pair of them is equal, or the book is wrong."""

    opening_debit_fen: int
    opening_credit_fen: int
    debits_fen: int
    credits_fen: int
    closing_debit_fen: int
    closing_credit_fen: int

    @property
    def prove(self) -> bool:
        """Whether debits equal credits before, in and after the period."""
        return (
            self.opening_debit_fen == self.opening_credit_fen
            and self.debits_fen == self.credits_fen
            and self.closing_debit_fen == self.closing_credit_fen
        )


def totals(movements: Sequence[Movement]) -> Totals:
    """Add up a trial balance."""
    return Totals(
        opening_debit_fen=sum(max(row.opening_fen, 0) for row in movements),
        opening_credit_fen=sum(max(-row.opening_fen, 0) for row in movements),
        debits_fen=sum(row.debits_fen for row in movements),
        credits_fen=sum(row.credits_fen for row in movements),
        closing_debit_fen=sum(max(row.closing_fen, 0) for row in movements),
        closing_credit_fen=sum(max(-row.closing_fen, 0) for row in movements),
    )


@dataclass(frozen=True)
class Income:
    """What a product earned and lost in a period; income is positive, what lessens it negative."""

    product: str
    interest_fen: int = 0
    penalty_fen: int = 0
    fees_fen: int = 0
    discounts_fen: int = 0
    waivers_fen: int = 0
    recoveries_fen: int = 0
    credit_losses_fen: int = 0

    @property
    def result_fen(self) -> int:
        """The sum of it all."""
        return sum(getattr(self, field.name) for field in fields(self)[1:])


LINES: Mapping[Account, str] = {
    Account.INTEREST_INCOME: "interest_fen",
    Account.PENALTY_INCOME: "penalty_fen",
    Account.FEE_INCOME: "fees_fen",
    Account.INTEREST_DISCOUNTS: "discounts_fen",
    Account.WAIVERS: "waivers_fen",
    Account.RECOVERIES: "recoveries_fen",
    Account.CREDIT_LOSS: "credit_losses_fen",
}


def income_statement(movements: Iterable[Movement], products: Iterable[str]) -> list[Income]:
    """Return what each product earned, in order of their names; a product with nothing is left out.

    The movements are those of a period without its transfer to retained earnings, or a year would have earned nothing.
    """
    names = names_of(products)
    earned: dict[str, dict[str, int]] = {}
    for row in movements:
        if row.account in LINES and row.sub is not None:
            of_product = earned.setdefault(names.get(row.sub, str(row.sub)), {})
            of_product[LINES[row.account]] = row.credits_fen - row.debits_fen
    return [Income(product, **lines) for product, lines in sorted(earned.items())]


def names_of(products: Iterable[str]) -> dict[UUID, str]:
    """Return products by the sub-account that stands for them in house accounts."""
    return {product_sub(product): product for product in products}
