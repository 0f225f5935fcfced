"""The contract's text, from its template and the terms that were disclosed; hashed and stored as it is signed."""

from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from uuid import UUID

from jinja2 import Environment, StrictUndefined

from grainline.kit.money import Fen, percent, yuan
from grainline.kit.web import Language
from grainline.loans.apr import simple_percent
from grainline.loans.campaigns import campaign_words, plan_with
from grainline.loans.disclosure import SHAPES
from grainline.loans.model import Contract, Disclosure
from grainline.loans.schedule import plan
from grainline.products import Pack

TEXT = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701  plain text


def write_contract(
    pack: Pack, disclosure: Disclosure, *, contract_id: UUID, borrower: str, card: str, language: Language
) -> Contract:
    """Write a contract for what was disclosed. The borrower's name is masked; the identity is on record."""
    terms = disclosure.terms
    purpose = pack.purpose_named(disclosure.purpose)
    if purpose is None:
        raise ValueError(f"a contract for the unknown purpose {disclosure.purpose!r}")
    template = TEXT.from_string(files("grainline.loans").joinpath(f"contract.{language}.txt").read_text("utf-8"))
    rows, campaign = plan(terms), disclosure.campaign
    rows, saved_fen = plan_with(terms, rows, campaign) if campaign else (rows, Fen(0))
    text = template.render(
        number=contract_id,
        product=getattr(pack.product.name, language),
        version=pack.product.version,
        borrower=borrower,
        card=card,
        purpose=getattr(purpose.name, language),
        amount=yuan(terms.amount_fen),
        daily=percent(terms.rate_e8),
        annual=simple_percent(terms.rate_e8, terms.rules.year_basis),
        shape=SHAPES[language][terms.rules.shape].format(terms.instalments),
        grace_days=terms.rules.grace_days,
        penalty=f"{Decimal(terms.rules.penalty_e4) / 10_000:f}",
        starts_on=terms.started_on,
        disclosure_hash=disclosure.content_hash.hex(),
        rows=[
            (row.number, row.due_on, yuan(row.principal_fen), yuan(row.interest_fen), yuan(row.total_fen))
            for row in rows
        ],
        campaign=campaign and getattr(campaign.name, language),
        campaign_words=campaign and campaign_words(campaign, language),
        saved=yuan(saved_fen),
    )
    return Contract(contract_id, disclosure.disclosure_id, text, sha256(text.encode()).digest(), None)
