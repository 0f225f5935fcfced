"""A message has one spelling, and nothing outside the allow-list gets onto the wire or off it."""

from dataclasses import replace
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.federated import session_messages, wire
from grainline.federated.session_messages import Ask, PsiOffer, PsiRows
from grainline.federated.wire import BadMessage, Octets, Row, Text, Whole, decode, encode, exactly, message


@message("schema-sample")
class Sample:
    key: Annotated[bytes, exactly(4)]
    name: Annotated[str, Text(12)]
    small: Annotated[int, Whole(-5, 200)]
    large: Annotated[int, Whole(0, 2**64 - 1)]
    numbers: Annotated[tuple[int, ...], Row(Whole(10, 70_000), 6)]
    parts: Annotated[tuple[bytes, ...], Row(Octets(3, least=1), 4)]
    words: Annotated[tuple[str, ...], Row(Text(6), 4)]


GOOD = Sample(b"abcd", "名", -5, 2**64 - 1, (10, 70_000), (b"a", b"bcd"), ("x", ""))

samples = st.builds(
    Sample,
    st.binary(min_size=4, max_size=4),
    st.text(max_size=3),
    st.integers(-5, 200),
    st.integers(0, 2**64 - 1),
    st.lists(st.integers(10, 70_000), max_size=6).map(tuple),
    st.lists(st.binary(min_size=1, max_size=3), max_size=4).map(tuple),
    st.lists(st.text(max_size=1), max_size=4).map(tuple),
)


@given(samples)
def test_what_is_sent_is_what_arrives(sample: Sample) -> None:
    assert decode(encode(sample)) == sample


@given(samples, st.data())
def test_cut_off_or_prolonged_it_is_no_message(sample: Sample, data: st.DataObject) -> None:
    whole = encode(sample)
    with pytest.raises(BadMessage):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(BadMessage):
        decode(whole + data.draw(st.binary(min_size=1, max_size=9)))


@given(samples, st.data())
def test_tampered_with_it_is_no_message_or_another_one_in_its_only_spelling(
    sample: Sample, data: st.DataObject
) -> None:
    changed = bytearray(encode(sample))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        arrived = decode(bytes(changed))
    except BadMessage:
        return
    assert arrived != sample
    assert encode(arrived) == bytes(changed)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_spelled_so(data: bytes) -> None:
    for start in (b"", encode(GOOD)[:19]):  # with a right beginning, the fields are read too
        try:
            arrived = decode(start + data)
        except BadMessage:
            continue
        assert encode(arrived) == start + data


@pytest.mark.parametrize(
    "change",
    [
        {"key": b"abc"},
        {"key": bytearray(b"abcd")},
        {"key": "abcd"},
        {"name": b"x"},
        {"name": "字字字字字"},
        {"name": "\ud800"},
        {"small": -6},
        {"small": 201},
        {"small": 1.0},
        {"small": True},
        {"large": 2**64},
        {"numbers": (9,)},
        {"numbers": [10]},
        {"numbers": (10,) * 7},
        {"numbers": (10, "11")},
        {"parts": (b"",)},
        {"parts": (b"abcd",)},
        {"words": ("1234567",)},
        {"words": None},
    ],
)
def test_a_field_outside_its_kind_is_not_sent(change: dict[str, Any]) -> None:
    with pytest.raises(BadMessage, match=f"schema-sample.{next(iter(change))}"):
        encode(replace(GOOD, **change))


def test_limits_hold_for_what_arrives_too() -> None:
    whole = encode(GOOD)
    small = whole.index("名".encode()) + 3
    assert decode(whole) == GOOD
    for place, byte in ((small, 206), (14 + 1 + 4, 255)):  # -5 + 206 = 201; four bytes said to be many
        with pytest.raises(BadMessage):
            decode(whole[:place] + bytes((byte,)) + whole[place + 1 :])


def test_an_unknown_message_is_refused() -> None:
    whole = encode(PsiOffer(1, bytes(32)))
    with pytest.raises(BadMessage, match="unknown message"):
        decode(whole.replace(b"psi-offer", b"psi-other"))
    with pytest.raises(BadMessage, match="version"):
        decode(b"\2" + whole[1:])
    with pytest.raises(BadMessage, match="allow-list"):
        encode(object())
    with pytest.raises(BadMessage, match="allow-list"):
        encode({"name": "psi-offer"})


@pytest.mark.parametrize(
    "other",
    [
        {"count": Annotated[int, Whole(0, 9)]},
        {"count": Annotated[int, Whole(0, 9)], "more": Annotated[int, Whole(0, 9)], "yet": Annotated[int, Whole(0, 9)]},
        {"count": Annotated[int, Whole(0, 9)], "more": Annotated[int, Whole(0, 10)]},
        {"count": Annotated[int, Whole(0, 9)], "most": Annotated[int, Whole(0, 9)]},
    ],
    ids=["a field fewer", "a field more", "another limit", "another name"],
)
def test_a_sender_whose_program_means_something_else_is_refused(other: dict[str, Any]) -> None:
    here = _of_shape({"count": Annotated[int, Whole(0, 9)], "more": Annotated[int, Whole(0, 9)]})
    frame = encode(here(*([1] * 2)))
    there = _of_shape(other)
    assert decode(encode(there(*([1] * len(other))))) is not None
    with pytest.raises(BadMessage, match="means something else"):
        decode(frame)


def _of_shape(hints: dict[str, Any]) -> Any:
    """Register a message anew, as the program at another party would have it."""
    wire._shape_by_name.pop("schema-twice", None)
    return message("schema-twice")(type("Twice", (), {"__annotations__": hints, "__module__": __name__}))


@pytest.mark.parametrize(
    "hint",
    [
        int,
        float,
        Annotated[float, Whole(0, 1)],
        Annotated[dict[str, int], Whole(0, 1)],
        Annotated[list[int], Row(Whole(0, 1), 3)],
        Annotated[str, Octets(3)],
        Annotated[int, Whole(0, 2**64)],
        Annotated[bytes, Octets(wire.MAX_MESSAGE_BYTES + 5000)],
    ],
)
def test_only_fields_of_the_allow_list_can_be_declared(hint: Any) -> None:
    with pytest.raises(TypeError):
        message("schema-wrong")(type("Wrong", (), {"__annotations__": {"field": hint}, "__module__": __name__}))
    assert "schema-wrong" not in {shape.name for shape in wire.shapes()}


def test_a_name_is_taken_once() -> None:
    with pytest.raises(TypeError, match="taken"):
        message("schema-sample")(type("Again", (), {"__annotations__": {}, "__module__": __name__}))


def test_too_many_bytes_are_no_message() -> None:
    with pytest.raises(BadMessage, match="no message"):
        decode(bytes(wire.MAX_MESSAGE_BYTES + 5000))
    with pytest.raises(BadMessage):
        encode(Ask(bytes(16), 1, bytes(wire.MAX_MESSAGE_BYTES + 1)))
    assert decode(encode(Ask(bytes(16), 1, bytes(wire.MAX_MESSAGE_BYTES)))).round == 1
    with pytest.raises(BadMessage):
        encode(PsiRows(tuple(range(session_messages.BATCH + 1)), 1))
