"""A row becomes what it stands for, or an error; a page of a list can be asked for after any of its rows."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.kit.db import record
from grainline.kit.web import BadCursor, Page, cursor_after, language_of


class Mood(StrEnum):
    CALM = "calm"


@dataclass(frozen=True)
class Row:
    number: int
    mood: Mood
    note: str | None


def test_columns_become_fields_in_order_and_text_becomes_its_enum():
    row = record(Row, (1, "calm", None))
    assert row == Row(1, Mood.CALM, None)
    assert isinstance(row.mood, Mood)


@pytest.mark.parametrize("row", [(1, "calm"), (1, "calm", None, "more")])
def test_a_row_of_another_width_is_no_record(row):
    with pytest.raises(ValueError, match="zip"):
        record(Row, row)


def test_a_state_that_nobody_knows_is_an_error():
    with pytest.raises(ValueError, match="angry"):
        record(Row, (1, "angry", None))


@given(st.dates(), st.uuids(), st.integers())
def test_a_cursor_gives_back_the_key_it_was_made_of(day, loan_id, number):
    cursor = cursor_after(str(day), str(loan_id), str(number))
    assert Page(cursor=cursor).offset(date.fromisoformat, UUID, int) == (day, loan_id, number)


def test_the_first_page_has_no_cursor():
    assert Page().offset(date.fromisoformat) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "a",
        "甲乙",
        "____",
        cursor_after("2026-11-02")[:-2],
        cursor_after("yesterday"),
        cursor_after("2026-11-02", "1"),
        cursor_after("2026-11-02") + "!",
        "",
    ],
)
def test_a_cursor_that_we_never_gave_is_refused(cursor):
    with pytest.raises(BadCursor):
        Page(cursor=cursor).offset(date.fromisoformat)


@pytest.mark.parametrize(
    ("header", "language"),
    [(None, "zh"), ("", "zh"), ("zh-CN,en;q=0.5", "zh"), ("en-GB,en;q=0.9", "en"), (" EN", "en"), ("fr", "zh")],
)
def test_chinese_is_the_language_unless_english_comes_first(header, language):
    assert language_of(header) == language
