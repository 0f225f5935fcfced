"""What a profit estimate takes for granted, each with its source. It is worth no more than these."""

from dataclasses import dataclass

from grainline.products import Pack, Pricing

ASSUMED = "assumed"
FEN_PER_UNIT = 100  # what one unit of a portfolio's money is read as


@dataclass(frozen=True)
class Stated:
    """One assumption as it is printed."""

    name: str
    value: str
    says: str
    source: str


def stated(pack: Pack) -> tuple[Stated, ...]:
    """Return every assumption in words, with its value and its source: the pack's, and two of reading a portfolio."""
    at = pack.pricing
    return (
        Stated(
            "currency",
            f"{FEN_PER_UNIT} fen",
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
        Stated(
            "take-up",
            "100 %",
            "of who is invited borrows, with no line the riskier for its size; taxes and capital cost nothing",
            ASSUMED,
        ),
        *_of_loans(at),
    )


def _of_loans(at: Pricing) -> tuple[Stated, ...]:
    told = [
        ("used", _percent(at.used_e4), "of the line is drawn at once, as one loan"),
        (
            "elasticity",
            f"{at.elasticity_e4 / 10_000:g}",
            f"of that is lost for each {at.reference_rate_e8 / 1e6:g} % a day above {at.reference_rate_e8 / 1e6:g} %",
        ),
        ("instalments", f"{at.instalments}", "equal principal, months of 365/12 days"),
        (
            "paid before default",
            f"{at.paid_before_default}",
            "instalments that who defaults pays, with interest, and nothing after",
        ),
        ("loss given default", _percent(at.loss_given_default_e4), "of the principal then open"),
        ("funding", _percent(at.funding_e4), "a year on the principal as scheduled"),
        ("operating cost", f"{at.operating_fen} fen", "a loan"),
    ]
    return tuple(Stated(*one, source="[pricing] of the pack") for one in told)


def _percent(value_e4: int) -> str:
    return f"{value_e4 / 100:g} %"
