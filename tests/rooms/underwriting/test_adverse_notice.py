"""The notice of a decision: both languages, at most four reasons, every source with its dates, the rights."""

import re
from datetime import UTC, datetime

import pytest

from grainline.kit.web import Language
from grainline.underwriting.adverse_notice import notice_of, texts
from grainline.underwriting.deciding import Inputs, Occasion, Outcome, Verdict

CHINESE = re.compile(r"[一-鿿]")
SOURCES = {
    "bureau": {
        "sha256": "00",
        "as_of": "2026-10-31T17:00:00+00:00",  # already the first of November in Shanghai
        "consent": "bureau/2026-11-01/2026-11-02T03:00:00+00:00",
    }
}
INPUTS = Inputs("weilidai", Occasion.APPLICATION, "", {}, None, None, SOURCES, "champion", "", None, (), "", "")
REASONS = {f"r{n}": f"reason {n}" for n in range(6)} | {"line_by_risk": "the line follows the risk"}


def outcome(result: Verdict, answered: dict[str, str] | None = None) -> Outcome:
    codes = tuple(f"r{n}" for n in range(6))
    return Outcome(result, None, 0, 0, None, None, {}, codes, ("line_by_risk",), {}, None, {}, {}, answered or {})


def written(result: Verdict, language: Language, answered: dict[str, str] | None = None):
    return notice_of(
        INPUTS,
        outcome(result, answered),
        product="微粒贷" if language == "zh" else "Weilidai",
        decided_at=datetime(2026, 11, 2, 17, tzinfo=UTC),
        reasons=REASONS,
        language=language,
    )


@pytest.mark.parametrize("result", Verdict)
def test_the_english_notice_holds_no_chinese_and_the_chinese_one_nothing_unfilled(result: Verdict) -> None:
    for language in ("zh", "en"):
        found = written(result, language)
        parts = [found.title, found.decision, found.decided_by, *found.sources, *found.rights]
        assert all(bool(CHINESE.search(part)) is (language == "zh") for part in parts)
        assert not any("{" in part for part in parts)
        assert "2026-11-03" in found.decision  # the day it was in Shanghai
        assert found.version == texts().version
        assert len(found.rights) >= 4


def test_four_reasons_are_told_at_most_the_weightiest_first() -> None:
    assert written(Verdict.DECLINED, "en").reasons == ("reason 0", "reason 1", "reason 2", "reason 3")
    assert written(Verdict.APPROVED, "en").reasons == ("the line follows the risk",)


def test_a_source_is_told_with_its_own_day_and_that_of_the_consent() -> None:
    [source] = written(Verdict.DECLINED, "en").sources
    assert "as of 2026-11-01" in source
    assert "consent of 2026-11-02" in source


def test_an_officers_words_are_told_as_they_are() -> None:
    assert "{braces} & <b>" in written(Verdict.DECLINED, "en", {"by": "chen", "why": "{braces} & <b>"}).decided_by
