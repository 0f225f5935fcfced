"""How a campaign is shown to whoever asks what a product offers."""

from datetime import date

from pydantic import BaseModel

from grainline.kit.web import Language
from grainline.loans.campaigns import campaign_words
from grainline.products import Audience, Campaign
from grainline.underwriting.words import AUDIENCES


class CampaignOut(BaseModel):
    """A campaign that runs today: for whom, until when (that day excluded), what it gives back."""

    code: str
    name: str
    text: str
    audience: Audience
    audience_name: str
    from_on: date
    until_on: date
    min_draw_fen: int | None

    @classmethod
    def of(cls, campaign: Campaign, language: Language) -> "CampaignOut":
        """Shape a campaign."""
        return cls(
            code=campaign.code,
            name=getattr(campaign.name, language),
            text=campaign_words(campaign, language),
            audience=campaign.audience,
            audience_name=AUDIENCES[campaign.audience][language],
            from_on=campaign.from_on,
            until_on=campaign.until_on,
            min_draw_fen=campaign.min_draw_fen,
        )
