"""What decides in tests: two small models of the shipped portfolio, registered and given their roles."""

from datetime import datetime
from functools import cache
from pathlib import Path

from grainline.entry.model_keys import signer_of
from grainline.entry.settings import Settings
from grainline.kit.db import transaction
from grainline.scoring import CreditModel, Portfolio, load_portfolio, train_portfolio_models
from grainline.scoring.registry import register, set_role
from grainline.scoring.routing import Role, RoleChange
from sandbox_process import SECRET
from stage import Borrower, Stage

PORTFOLIO = Path(__file__).resolve().parents[1] / "data" / "credit_card_default.parquet"
ROWS = 6_000


@cache
def models() -> tuple[CreditModel, CreditModel]:
    """Fit the champion and the challenger to a part of the portfolio, once a run."""
    return train_portfolio_models(Portfolio(load_portfolio(PORTFOLIO).frame.sort("person_id").head(ROWS)))


def change(product: str, role: Role, sha256: str, *, now: datetime, share_e4: int = 0) -> RoleChange:
    """Return a change of roles from now on."""
    return RoleChange(0, product, role, sha256, now, share_e4, True, now, "test")


async def cast(stage: Stage, *, share_e4: int = 0, shadow: bool = False) -> tuple[str, str]:
    """Register both models; the scorecard is the champion, the trees challenge a share of members or are a shadow."""
    platform, now = stage.platform, stage.clock()
    settings = Settings(data=stage.town.folder, partners_url=stage.town.url, partner_secret=SECRET.hex(), sandbox=True)
    signer, shelf = signer_of(settings), platform.underwriter.shelf
    champion, challenger = models()
    async with transaction(platform.pool) as tx:
        for model in (champion, challenger):
            await register(tx, model.to_bytes(), signer=signer, by="test", now=now)
        for product in platform.packs:
            await set_role(tx, shelf.models, change(product, Role.CHAMPION, champion.sha256, now=now))
            if share_e4:
                one = change(product, Role.CHALLENGER, challenger.sha256, now=now, share_e4=share_e4)
                await set_role(tx, shelf.models, one)
            if shadow:
                await set_role(tx, shelf.models, change(product, Role.SHADOW, challenger.sha256, now=now))
    return champion.sha256, challenger.sha256


async def applicant(stage: Stage, *, consents: tuple[str, ...] = ("bureau",)) -> Borrower:
    """An invited resident who is named, carded and consenting, and has not applied."""
    person = await stage.resident(invited=True)
    await person.sign_in()
    await person.post("/identity", person.identity())
    await person.post("/cards", person.card())
    if consents:
        await person.post("/consents", {"sources": list(consents)})
    return person
