"""Campaigns for tests, and a stage on which they run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, cast

from grainline.products import Campaign, Pack
from stage import Stage

HALF = {"discount_e4": 5_000, "days": 30}


def campaign(
    from_on: date, *, code: str = "week", audience: str = "everyone", days_long: int = 7, **what: Any
) -> Campaign:
    """A campaign from a day on, by default half of the first 30 days' interest to everyone for a week."""
    table = {"code": code, "name": {"zh": "周年礼遇", "en": "Anniversary"}, "for": audience} | (what or HALF)
    table |= {"from": from_on.isoformat(), "until": (from_on + timedelta(days=days_long)).isoformat()}
    return Campaign.model_validate_json(json.dumps(table))


@contextmanager
def running(stage: Stage, *campaigns: Campaign) -> Iterator[None]:
    """Have the platform's first product run campaigns for the length of a block, and none after it."""
    packs = cast("dict[str, Pack]", stage.platform.packs)
    code, plain = stage.platform.pack.product.code, stage.platform.pack
    packs[code] = plain.model_copy(update={"campaign": campaigns})
    try:
        yield
    finally:
        packs[code] = plain
