"""Routes of the products: what each offers, and all of them side by side."""

from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from grainline.kit.calendar import business_date
from grainline.kit.web import Lang, Language, Now
from grainline.loans.apr import simple_percent
from grainline.loans.quote import Quote
from grainline.members import SignedIn
from grainline.products import AdmissionKind, ChosenPack, Pack, Prepayment, Shape, ThePacks
from grainline.underwriting.campaign_shape import CampaignOut
from grainline.underwriting.comparison import Compared, compare
from grainline.underwriting.words import CANNOT, PREPAYMENTS, SHAPES

router = APIRouter(tags=["products"])


class MetaOut(BaseModel):
    """What a page must know before anybody has signed in."""

    sandbox: bool
    today: date
    now: datetime
    inbox_url: str | None
    product_name: str


class NameOut(BaseModel):
    code: str
    name: str


class ShapeOut(BaseModel):
    code: Shape
    name: str


class PrepaymentOut(BaseModel):
    code: Prepayment
    name: str


class ScoreOut(BaseModel):
    """A score in points: its scale, the least that is admitted, and the member's own where one is asked for."""

    name: str
    low: int
    high: int
    min: int
    points: int | None = None

    @classmethod
    def of(cls, pack: Pack, language: Language, pd_e6: int | None = None) -> "ScoreOut | None":
        """Shape a product's scale, with the points of a probability in 10⁻⁶; None where no score is asked for."""
        scale = pack.admission.score
        if scale is None:
            return None
        points = None if pd_e6 is None else scale.points_of(pd_e6)
        name = getattr(scale.name, language)
        return cls(name=name, low=scale.low, high=scale.high, min=scale.min, points=points)


class AdmissionOut(BaseModel):
    kind: AdmissionKind
    score: ScoreOut | None


class RateBandOut(BaseModel):
    """The lowest and the highest rate, in percent; the annual ones are simple."""

    daily_min_percent: str
    daily_max_percent: str
    annual_min_percent: str
    annual_max_percent: str


class DrawRuleOut(BaseModel):
    min_fen: int
    step_fen: int
    max_fen: int
    day_max_fen: int
    funded_within_minutes: int


class DisclosureRuleOut(BaseModel):
    reading_seconds: int


class ProductOut(BaseModel):
    """What the product's pack says to a borrower, with the campaigns of today."""

    code: str
    name: str
    version: str
    admission: AdmissionOut
    line_min_fen: int
    line_max_fen: int
    rate: RateBandOut
    draw: DrawRuleOut
    instalments: list[int]
    shapes: list[ShapeOut]
    prepayment: PrepaymentOut
    purposes: list[NameOut]
    debit_times: list[time]
    disclosure: DisclosureRuleOut
    campaigns: list[CampaignOut]

    @classmethod
    def of(cls, pack: Pack, language: Language, today: date) -> "ProductOut":
        """Shape a pack."""
        return cls(
            code=pack.product.code,
            name=getattr(pack.product.name, language),
            version=pack.product.version,
            admission=AdmissionOut(kind=pack.admission.kind, score=ScoreOut.of(pack, language)),
            line_min_fen=pack.line.min_fen,
            line_max_fen=pack.line.max_fen,
            rate=_band(pack),
            draw=DrawRuleOut(**pack.draw.model_dump(exclude={"purpose"})),
            instalments=list(pack.schedule.instalments),
            shapes=[ShapeOut(code=shape, name=SHAPES[shape][language]) for shape in pack.schedule.shapes],
            prepayment=PrepaymentOut(
                code=pack.repayment.prepayment, name=PREPAYMENTS[pack.repayment.prepayment][language]
            ),
            purposes=[NameOut(code=p.code, name=getattr(p.name, language)) for p in pack.draw.purpose],
            debit_times=list(pack.debit.times),
            disclosure=DisclosureRuleOut(reading_seconds=pack.disclosure.reading_seconds),
            campaigns=[CampaignOut.of(campaign, language) for campaign in pack.campaigns_on(today)],
        )


class AmountsOut(BaseModel):
    """The amounts one draw of some product may have, in fen."""

    min_fen: int
    max_fen: int
    step_fen: int


class ProductsOut(BaseModel):
    """Every product; what may be asked for of at least one of them."""

    items: list[ProductOut]
    amounts: AmountsOut
    instalments: list[int]
    shapes: list[ShapeOut]


class CannotOut(BaseModel):
    code: str
    text: str


class CostOut(BaseModel):
    """What it costs at one rate if every instalment is paid when due: percent as shown, fen an instalment."""

    daily_rate_percent: str
    annual_rate_percent: str
    annual_rate_irr_percent: str
    interest_fen: int
    total_fen: int
    instalments_fen: list[int]


class ComparedOut(BaseModel):
    """One product in one shape: whether it can do it, else why not.

    The costs are for `instalments`, the nearest of its terms; they are not there where it cannot lend the amount.
    """

    product: str
    shape: Shape
    possible: bool
    cannot: CannotOut | None
    instalments: int | None
    lowest: CostOut | None
    highest: CostOut | None


class ComparisonOut(BaseModel):
    """All products for one amount and term, from today."""

    amount_fen: int
    instalments: int
    starts_on: date
    items: list[ComparedOut]


@router.get("/meta")
async def meta(request: Request, pack: ChosenPack, now: Now, language: Lang) -> MetaOut:
    """Tell whether this is the sandbox, what day it is, and the product's name."""
    inbox: str | None = request.app.state.inbox_url
    return MetaOut(
        sandbox=inbox is not None,
        today=business_date(now),
        now=now,
        inbox_url=inbox,
        product_name=getattr(pack.product.name, language),
    )


@router.get("/product")
async def product(pack: ChosenPack, _: SignedIn, language: Lang, now: Now) -> ProductOut:
    """Show what may be drawn, for how long and for what."""
    return ProductOut.of(pack, language, business_date(now))


@router.get("/products")
async def products(packs: ThePacks, language: Lang, now: Now) -> ProductsOut:
    """List every product with its terms and the campaigns that run today, to anybody."""
    offered = list(packs.values())
    terms = sorted({term for pack in offered for term in pack.schedule.instalments})
    shapes = dict.fromkeys(shape for pack in offered for shape in pack.schedule.shapes)
    return ProductsOut(
        items=[ProductOut.of(pack, language, business_date(now)) for pack in offered],
        amounts=AmountsOut(
            min_fen=min(pack.draw.min_fen for pack in offered),
            max_fen=max(pack.draw.max_fen for pack in offered),
            step_fen=min(pack.draw.step_fen for pack in offered),
        ),
        instalments=terms,
        shapes=[ShapeOut(code=shape, name=SHAPES[shape][language]) for shape in shapes],
    )


@router.get("/products/comparison")
async def comparison(
    packs: ThePacks,
    now: Now,
    language: Lang,
    amount_fen: Annotated[int, Query(gt=0, le=10**12)],
    instalments: Annotated[int, Query(gt=0, le=360)],
) -> ComparisonOut:
    """Compare the products for an amount in fen and a number of monthly instalments, to anybody.

    Campaigns are left out, since who has one depends on who asks.
    """
    starts_on = business_date(now)
    compared = compare(packs.values(), amount_fen=amount_fen, instalments=instalments, starts_on=starts_on)
    return ComparisonOut(
        amount_fen=amount_fen,
        instalments=instalments,
        starts_on=starts_on,
        items=[_compared(one, language) for one in compared],
    )


def _band(pack: Pack) -> RateBandOut:
    basis = pack.schedule.year_basis
    return RateBandOut(
        daily_min_percent=pack.daily_percent(pack.rate.min_e8),
        daily_max_percent=pack.daily_percent(pack.rate.max_e8),
        annual_min_percent=simple_percent(pack.rate.min_e8, basis),
        annual_max_percent=simple_percent(pack.rate.max_e8, basis),
    )


def _compared(one: Compared, language: Language) -> ComparedOut:
    lowest, highest = (_cost(one.pack, quote) for quote in one.quotes) if one.quotes else (None, None)
    return ComparedOut(
        product=one.pack.product.code,
        shape=one.shape,
        possible=one.cannot is None,
        cannot=one.cannot and CannotOut(code=one.cannot, text=CANNOT[one.cannot][language]),
        instalments=one.quotes and one.quotes[0].terms.instalments,
        lowest=lowest,
        highest=highest,
    )


def _cost(pack: Pack, quote: Quote) -> CostOut:
    return CostOut(
        daily_rate_percent=pack.daily_percent(quote.terms.rate_e8),
        annual_rate_percent=quote.annual_simple_percent,
        annual_rate_irr_percent=quote.annual_irr_percent,
        interest_fen=quote.interest_fen,
        total_fen=quote.total_fen,
        instalments_fen=[row.total_fen for row in quote.rows],
    )
