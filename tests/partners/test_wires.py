"""Answers that do not fit are no answers: nothing is ever read as a yes that is not one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.partners.card_network import wire as card_wire
from grainline.partners.identity_authority import IdentityAnswer
from grainline.partners.identity_authority import wire as identity_wire
from grainline.partners.rail import Direction, Status
from grainline.partners.rail import wire as rail_wire
from grainline.partners.sms import wire as sms_wire
from grainline.partners.transport import BadAnswer

ORDER = {
    "direction": "payout",
    "key": "k",
    "amount_fen": 100,
    "status": "succeeded",
    "reason": None,
    "settled_at": "2026-01-15T04:00:00+00:00",
}
MATCHED = {"result": "matched", "agreement": "AG00000001", "bank": "沙盒", "last4": "1234"}
JUNK = [b"", b"null", b"[]", b"true", b'"matches"', b"{}", b"<html>", b"\xff\xfe"]

junk_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def read_ordered(**changed):
    body = json.dumps(ORDER | changed).encode()
    return rail_wire.read_ordered(body, direction=Direction.PAYOUT, key="k")


def read_asked(**changed):
    body = json.dumps(ORDER | changed).encode()
    return rail_wire.read_asked(body, direction=Direction.PAYOUT, key="k")


@pytest.mark.parametrize("body", JUNK)
def test_junk_is_no_answer_of_any_partner(body):
    for read in (
        identity_wire.read_answer,
        lambda body: card_wire.read_answer(body, card_number="9999000000000001234"),
        lambda body: sms_wire.read_accepted(body, key="k"),
        lambda body: rail_wire.read_asked(body, direction=Direction.PAYOUT, key="k"),
    ):
        with pytest.raises(BadAnswer):
            read(body)


@given(junk_json)
def test_only_the_three_agreed_words_are_an_identity_answer(result):
    body = json.dumps({"result": result}).encode()
    try:
        answer = identity_wire.read_answer(body)
    except BadAnswer:
        assert result not in list(IdentityAnswer)
    else:
        assert answer == result


@pytest.mark.parametrize(
    "changed",
    [
        {"last4": "9999"},
        {"agreement": ""},
        {"agreement": None},
        {"result": "refused"},
        {"result": "refused", "reason": "bad_weather"},
        {"reason": "unknown_card"},
        {"bank": 7},
    ],
)
def test_a_card_answer_that_does_not_fit_is_no_match(changed):
    with pytest.raises(BadAnswer):
        card_wire.read_answer(json.dumps(MATCHED | changed).encode(), card_number="9999000000000001234")


def test_an_acceptance_of_another_message_is_none():
    with pytest.raises(BadAnswer):
        sms_wire.read_accepted(b'{"key": "other", "status": "accepted"}', key="k")


def test_the_order_itself_is_read():
    assert (read_ordered().status, read_ordered().amount_fen) == (Status.SUCCEEDED, 100)
    assert read_asked() == read_ordered()


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "other"},
        {"direction": "collection"},
        {"status": "paid"},
        {"status": "SUCCEEDED"},
        {"settled_at": None},
        {"settled_at": "2026-01-15T04:00:00"},
        {"settled_at": 1768449600},
        {"reason": "limit"},
        {"status": "failed", "settled_at": None},
        {"status": "failed", "reason": "limit"},
        {"status": "processing"},
        {"amount_fen": "100"},
        {"amount_fen": 100.0},
        {"amount_fen": -100},
        {"amount_fen": 0},
        {"amount_fen": None},
        {"surprise": 1},
    ],
)
def test_an_order_that_does_not_fit_is_no_answer(changed):
    with pytest.raises(BadAnswer):
        read_ordered(**changed)
    with pytest.raises(BadAnswer):
        read_asked(**changed)


@given(st.integers(1, 10**13))
def test_the_amount_of_an_answer_is_the_rails(amount_fen):
    assert read_ordered(amount_fen=amount_fen).amount_fen == amount_fen
    assert read_asked(amount_fen=amount_fen).amount_fen == amount_fen


def test_not_found_is_an_answer_to_a_question_and_not_to_an_order():
    missing = {"status": "not_found", "amount_fen": None, "settled_at": None}
    assert (read_asked(**missing).status, read_asked(**missing).amount_fen) == (Status.NOT_FOUND, None)
    with pytest.raises(BadAnswer):
        read_ordered(**missing)
    with pytest.raises(BadAnswer):
        read_asked(**missing | {"amount_fen": 100})
