"""A few features by name are the same, to the last bit, as when all are made."""

import random
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grainline.behaviour import Party, compute, features, files_of
from grainline.behaviour.families import Told
from grainline.behaviour.kernel import plan
from grainline.sandbox.lives.generate import generate

MOMENT = {"as_of": date(2026, 9, 1), "known_by": date(2026, 9, 1)}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named") / "lives"
    generate(folder, residents=150, seed=12, until=date(2026, 9, 30), months=8)
    return folder


@pytest.mark.parametrize("party", Party)
def test_features_by_name_have_the_values_they_have_among_all(party, town):
    events = pl.read_parquet(files_of(town, party))
    whole = compute(events, party=party, **MOMENT)
    chance, known = random.Random(4), [one.name for one in features(party)]
    told = [one.name for one in features(party) if isinstance(one.of, Told)]
    for names in ([], known[-1:], chance.sample(told, 5), *(chance.sample(known, size) for size in (3, 10, 40))):
        few = compute(events, party=party, **MOMENT, names=names)
        assert_frame_equal(few, whole.select("resident", *names), check_exact=True)
    every = compute(events, party=party, **MOMENT, names=[*reversed(known)])
    assert_frame_equal(every, whole.select("resident", *reversed(known)), check_exact=True)


def test_what_is_not_needed_is_not_planned():
    known = {one.name: one for one in features(Party.PAYMENT)}
    share = next(one for one in known.values() if isinstance(one.of, Told) and len(one.of.over) == 1)
    planned = plan(Party.PAYMENT, (share.name,))
    assert set(planned.names) == {share.name, *share.of.over, *share.of.under}
    assert sum(len(step.wanted) for step in planned.steps) == 1
    with pytest.raises(ValueError, match=r"not of payment: no\.such"):
        plan(Party.PAYMENT, ("no.such",))
