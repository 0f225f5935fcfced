"""With the first day's work of a month comes what the models did in the one before: of real decisions, once."""

from datetime import time

import pytest

from deciding_stage import applicant, cast
from grainline.entry.worker import day_work
from grainline.kit.calendar import at, first_of_next_month
from stage import Stage, new_key

pytestmark = pytest.mark.anyio


async def test_the_day_work_watches_the_month_that_is_over(stage: Stage) -> None:
    champion, challenger = await cast(stage, shadow=True)
    for _ in range(2):
        await (await applicant(stage)).post("/applications", {"student": False}, key=new_key())
    month, watched = stage.today().replace(day=1), "select month from scoring.watched_months where product = 'weilidai'"
    await day_work(stage.platform, stage.clock())
    assert month not in {row[0] for row in await stage.rows(watched)}

    stage.clock.advance_to(at(first_of_next_month(month), time(0, 5)))
    await day_work(stage.platform, stage.clock())
    assert month in {row[0] for row in await stage.rows(watched)}
    drifts = (
        "select encode(sha256, 'hex'), name, rows_current, level, computed_at from scoring.monitoring"
        " where product = 'weilidai' order by 1, 2"
    )
    found = await stage.rows(drifts)
    assert {row[0] for row in found} == {champion, challenger}
    # the scorecard's seven characteristics and its score; the trees read everything
    names = {sha: {row[1] for row in found if row[0] == sha} for sha in (champion, challenger)}
    assert {"pd_e6", "delay_now"} <= names[champion] < names[challenger]
    assert {row[2:4] for row in found} == {(2, "too_few")}

    stage.tick(60)
    await day_work(stage.platform, stage.clock())
    assert await stage.rows(drifts) == found
