"""What a profit estimate takes for granted, each with its source. It is worth no more than these."""

from dataclasses import dataclass, fields

from grainline.products import Pack

ASSUMED = "assumed"


@dataclass(frozen=True)
class Assumptions:
    """Parameters: money in fen, shares and yearly rates in 10⁻⁴, terms in monthly instalments."""

    fen_per_unit: int = 100
    used_e4: int = 4_000
    instalments: int = 10
    paid_before_default: int = 3
    loss_given_default_e4: int = 6_000
    funding_e4: int = 250
    operating_fen: int = 500

    def __post_init__(self) -> None:
        """Raise ValueError where no loan could be meant."""
        if not 0 <= self.paid_before_default < self.instalments:
            raise ValueError("paid_before_default must be under instalments")
        if min(getattr(self, field.name) for field in fields(self)) < 0:
            raise ValueError("no assumption may be negative")


def assumptions_for(pack: Pack) -> Assumptions:
    """Return what is assumed of a product's loans: its middle term, three tenths of it paid before a default.

    Of an even number of terms the larger of the two in the middle; parts of an instalment are dropped.
    """
    terms = pack.schedule.instalments
    middle = terms[len(terms) // 2]
    return Assumptions(instalments=middle, paid_before_default=middle * 3 // 10)


@dataclass(frozen=True)
class Stated:
    """One assumption as it is printed."""

    name: str
    value: str
    says: str
    source: str


def stated(assumptions: Assumptions) -> tuple[Stated, ...]:
    """Return every assumption in words, with its value and its source."""
    a = assumptions
    return (
        Stated(
            "currency",
            f"{a.fen_per_unit} fen",
            "is what one unit of the portfolio is read as: NT$ 1 of the shipped one as 1 yuan, one to one",
            ASSUMED,
        ),
        Stated(
            "outcome",
            "1 loan",
            "a default on the card in the month after the six seen is read as a default on the loan; "
            "a longer watch would show more of them",
            "the portfolio's label",
        ),
        Stated("used", _percent(a.used_e4), "of the line is drawn at once, as one loan", ASSUMED),
        Stated(
            "instalments", f"{a.instalments}", "equal principal, months of 365/12 days", "middle of the product's terms"
        ),
        Stated(
            "paid before default",
            f"{a.paid_before_default}",
            "instalments that who defaults pays, with interest, and nothing after",
            ASSUMED,
        ),
        Stated("loss given default", _percent(a.loss_given_default_e4), "of the principal then open", ASSUMED),
        Stated("funding", _percent(a.funding_e4), "a year on the principal as scheduled", ASSUMED),
        Stated("operating cost", f"{a.operating_fen} fen", "a loan", ASSUMED),
        Stated("take-up", "100 %", "of who is invited borrows; taxes and capital cost nothing", ASSUMED),
    )


def _percent(value_e4: int) -> str:
    return f"{value_e4 / 100:g} %"
