"""How the days of grace read, in what is shown before a contract and in the contract itself."""

import pytest

pytestmark = pytest.mark.anyio

WORDS = {
    "en": (
        "after 1 day of grace, 1.5 times the daily rate",
        "after a due date there is 1 day of grace at the agreed rate",
    ),
    "zh": ("宽限 1 天后，逾期本金按日利率的 1.5 倍计息", "还款日后有 1 天宽限期"),
}


@pytest.mark.parametrize("language", WORDS)
async def test_one_day_of_grace_is_one_day(stage, language):
    person = await stage.borrower()
    person.headers["Accept-Language"] = language
    in_disclosure, in_contract = WORDS[language]
    shown = await person.disclosure(1_000)
    assert [item for item in shown["items"] if item["value"].startswith(in_disclosure)]
    stage.tick(61)
    named = {"disclosure_id": shown["disclosure_id"], "disclosure_hash": shown["hash"]}
    assert in_contract in (await person.post("/contracts", named))["text"]
