"""The lender's part ready to score: read as it was written or not at all, and one applicant's log-odds from bits."""

import json
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.federated import messages as says
from grainline.federated.ids import IdKind
from grainline.federated.inference import Rules, directions_of, score_together, score_told
from grainline.federated.model import BadModel, Condition, GuestPart, HostPart, dump_artefact
from grainline.federated.scoring_part import ScoringPart, read_scoring_part
from grainline.federated.trees import Leaf, Split
from grainline.federated.wire import BadMessage


def number(feature: str, threshold: float, *, missing_left: bool = False) -> Condition:
    return Condition(feature, False, threshold, None, False, missing_left)


OWN = [number("used", 0.5, missing_left=True), Condition("home", True, None, "rent", False, False)]
FIRST = HostPart(b"m" * 16, [number("late", 1.0), number("late", 3.0), number("owed", 0.0, missing_left=True)])
SECOND = HostPart(b"m" * 16, [number("talks", 7.0)])
TREES = (
    {1: Split(0, 0), 2: Split(1, 0), 3: Leaf(0.25), 4: Leaf(-0.5), 5: Split(2, 0), 10: Leaf(0.1), 11: Leaf(0.7)},
    {1: Split(1, 1), 2: Split(0, 1), 3: Split(1, 2), 4: Leaf(0.3), 5: Leaf(-0.3), 6: Leaf(1.1), 7: Leaf(-1.1)},
)
PART = GuestPart(b"m" * 16, -1.5, TREES, OWN, [FIRST.sha256, SECOND.sha256])
WHOLE = ScoringPart(PART, ("bureau", "social"), IdKind.PHONE, 1.25, -0.5, {"rows": 7})

numbers = st.none() | st.floats(-10, 10)


@given(numbers, st.none() | st.sampled_from(["rent", "own"]), numbers, numbers, numbers)
def test_one_applicant_from_bits_is_the_same_as_from_all_features_in_one_place(used, home, late, owed, talks) -> None:
    first = pl.DataFrame({"late": [late], "owed": [owed]}, schema={"late": pl.Float64, "owed": pl.Float64})
    second = pl.DataFrame({"talks": [talks]}, schema={"talks": pl.Float64})
    own = pl.DataFrame({"used": [used], "home": [home]}, schema={"used": pl.Float64, "home": pl.String})
    told = []
    for part, frame in ((FIRST, first), (SECOND, second)):
        rules = Rules(part.conditions)
        bits = says.Directions(pack(rules.lefts(rules.values(frame))[0].tolist()))
        told.append(directions_of(bits, len(part.conditions)))
    expected = score_together(PART, [FIRST, SECOND], [own, first, second])[0]
    assert score_told(PART, {"used": used, "home": home, "other": 1.0}, told) == expected


def pack(bits: list[bool]) -> bytes:
    return bytes([sum(128 >> place for place, bit in enumerate(bits) if bit)])


@pytest.mark.parametrize("told", [[], [b"\0"], [b"\0", b"\0", b"\0"], [b"", b"\0"], [b"\0\0", b"\0"], [b"\1", b"\0"]])
def test_directions_of_another_model_are_refused(told: list[bytes]) -> None:
    with pytest.raises((BadModel, BadMessage)):
        score_told(PART, {"used": 0.1, "home": "rent"}, told)


def test_it_is_read_as_it_was_written() -> None:
    again = read_scoring_part(WHOLE.dump())
    assert again.dump() == WHOLE.dump()
    assert (again.parties, again.id_kind, again.slope, again.shift) == (("bureau", "social"), IdKind.PHONE, 1.25, -0.5)


def changed(**other: object) -> bytes:
    body = json.loads(WHOLE.dump())
    del body["sha256"]
    return dump_artefact(body | other)


@pytest.mark.parametrize(
    "data",
    [
        WHOLE.dump().replace(b"1.25", b"1.24"),
        changed(calibration={"slope": 1.0, "shift": 0.0, "part_sha256": "0" * 64}),
        changed(part=replace(PART, base=0.0).dump().decode()),
        changed(parties=["bureau"]),
        changed(parties=["bureau", "bureau"]),
        changed(parties=5),
        changed(id_kind="name"),
        changed(more=1),
        PART.dump(),
        b"{}",
    ],
)
def test_what_was_changed_or_does_not_fit_is_refused(data: bytes) -> None:
    with pytest.raises(BadModel):
        read_scoring_part(data)
