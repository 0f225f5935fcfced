"""What leaves a party: the features asked for by name, of the residents asked for, and nothing else."""

from datetime import date, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grainline.behaviour import (
    NoEvents,
    Party,
    UnknownFeatures,
    UnusableFiles,
    asked,
    compute,
    features,
    files_of,
    read,
)
from grainline.entry.parties import CHUNK, NoResidents, Parties
from grainline.invitation import policy_for
from grainline.invitation.preconditions import FACTS
from grainline.kit.calendar import at
from grainline.sandbox.lives import generate

UNTIL = date(2026, 6, 30)
NOW = at(date(2026, 7, 2), time(12))
AS_OF = at(date(2026, 7, 1), time(0))
POLICY = policy_for(date(2026, 7, 1))
PEOPLE = 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The parties' files of 600 residents, three to a party."""
    made = tmp_path_factory.mktemp("several") / "parties"
    generate(made, residents=PEOPLE, seed=8, until=UNTIL, months=7)
    for party in Party:
        (file,) = files_of(made, party)
        events = pl.read_parquet(file)
        for place in range(3):
            mine = pl.col("resident").is_between(200 * place + 1, 200 * (place + 1))
            events.filter(mine).write_parquet(file.with_name(f"events-{place:05d}.parquet"))
    return made


def ask(folder, party, names, *, of=range(1, PEOPLE + 1), as_of=AS_OF):
    return asked(folder, party, names, of=list(of), as_of=as_of, known_by=as_of, now=NOW)[0]


@pytest.mark.parametrize("party", Party)
def test_files_one_by_one_tell_the_same_as_all_at_once(folder, party):
    paths = files_of(folder, party)
    assert len(paths) == 3
    names = [feature.name for feature in features(party)][::97]
    events = read(paths, party=party, as_of=AS_OF, known_by=AS_OF, now=NOW).events
    at_once = compute(events, party=party, as_of=AS_OF, known_by=AS_OF).select("resident", *names)
    assert len(at_once) > PEOPLE // 2
    assert_frame_equal(ask(folder, party, names), at_once, check_row_order=False, check_exact=True)


def test_only_what_is_asked_for_leaves_of_whom_it_is_asked(folder):
    names = POLICY.asked_of(Party.PAYMENT)[:3]
    found = ask(folder, Party.PAYMENT, names, of=[3, 7, 599, 10_000])
    assert found.columns == ["resident", *names]
    assert sorted(found["resident"]) == [3, 7, 599]
    everybody = ask(folder, Party.PAYMENT, names)
    assert_frame_equal(found, everybody.filter(pl.col("resident").is_in([3, 7, 599])), check_exact=True)


def test_nothing_leaves_where_nobody_is_asked_for(folder):
    found = ask(folder, Party.SOCIAL, POLICY.asked_of(Party.SOCIAL), of=[])
    assert found.columns == ["resident", *POLICY.asked_of(Party.SOCIAL)]
    assert found.is_empty()
    assert ask(folder, Party.SOCIAL, []).columns == ["resident"]


def test_name_that_is_not_the_partys_is_refused(folder):
    bureau = POLICY.asked_of(Party.BUREAU)[0]
    with pytest.raises(UnknownFeatures) as refused:
        ask(folder, Party.PAYMENT, [*POLICY.asked_of(Party.PAYMENT), bureau, "amount_fen"])
    assert refused.value.params == {"party": "payment", "features": f"amount_fen, {bureau}"}
    with pytest.raises(NoEvents):
        ask(folder / "nowhere", Party.PAYMENT, [])


def test_resident_in_two_files_is_refused(folder, tmp_path):
    (tmp_path / "bureau").mkdir()
    for path in files_of(folder, Party.BUREAU):
        (tmp_path / "bureau" / path.name).symlink_to(path)
    again = pl.read_parquet(files_of(folder, Party.BUREAU)[0]).head(1)
    again.with_columns(pl.lit(1, dtype=pl.UInt64).alias("event_id")).write_parquet(
        tmp_path / "bureau" / "events-00009.parquet"
    )
    with pytest.raises(UnusableFiles, match=f"more than one file: \\[{again['resident'][0]}\\]"):
        ask(tmp_path, Party.BUREAU, POLICY.asked_of(Party.BUREAU))


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda path, _: path.write_bytes(path.read_bytes()[:-100]), "unreadable_file"),
        (lambda path, events: events.drop("scene").write_parquet(path), "missing_columns"),
        (lambda path, events: events.with_columns(pl.lit("x").alias("place")).write_parquet(path), "wrong_types"),
    ],
)
def test_file_that_is_no_use_is_refused(folder, tmp_path, spoil, fault):
    for path in files_of(folder, Party.BUREAU):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    spoiled = files_of(tmp_path, Party.BUREAU)[1]
    spoil(spoiled, pl.read_parquet(spoiled))
    with pytest.raises(UnusableFiles) as refused:
        ask(tmp_path, Party.BUREAU, [])
    assert refused.value.params == {"party": "bureau", "detail": f"{spoiled.name}: {fault}"}


def gathered(folder, moment=AS_OF):
    return list(Parties(folder).people(POLICY, as_of=moment, now=NOW))


def test_everybody_is_there_once_with_facts_and_features(folder):
    people = pl.concat(gathered(folder))
    assert people["resident"].to_list() == list(range(1, PEOPLE + 1))
    assert people.columns == ["resident", *FACTS, *(name for party in Party for name in POLICY.asked_of(party))]
    facts = pl.read_parquet(folder / "residents.parquet").sort("resident").select("resident", *FACTS)
    assert_frame_equal(people.select("resident", *FACTS), facts)
    for party in (Party.PAYMENT, Party.BUREAU):
        names = POLICY.asked_of(party)
        told = people.filter(pl.any_horizontal(pl.col(names).is_not_null())).select("resident", *names)
        seen = ask(folder, party, names)
        assert_frame_equal(told, seen.filter(pl.any_horizontal(pl.col(names).is_not_null())), check_row_order=False)


def test_social_platform_is_asked_only_about_who_consents(folder):
    people = pl.concat(gathered(folder))
    names = POLICY.asked_of(Party.SOCIAL)
    silent = people.filter(~pl.col("consent_social"))
    assert len(silent) > 10
    assert silent.select(names).null_count().row(0) == (len(silent),) * len(names)
    assert people.filter("consent_social").select(names[0]).null_count().item() < PEOPLE // 10


def test_chunks_hold_the_same_people_as_the_whole(folder, monkeypatch):
    assert [len(chunk) for chunk in gathered(folder)] == [min(PEOPLE, CHUNK)]
    whole = pl.concat(gathered(folder))
    monkeypatch.setattr("grainline.entry.parties.CHUNK", 256)
    chunks = gathered(folder)
    assert [len(chunk) for chunk in chunks] == [256, 256, 88]
    assert_frame_equal(pl.concat(chunks), whole)


def test_what_comes_after_the_moment_changes_nothing(folder):
    """The features are those of the files cut off at the moment, whatever came in later."""
    earlier = AS_OF - timedelta(days=40)
    cut = [
        read(files_of(folder, party), party=party, as_of=earlier, known_by=earlier, now=NOW).events for party in Party
    ]
    found = pl.concat(gathered(folder, earlier))
    for party, events in zip(Party, cut, strict=True):
        names = POLICY.asked_of(party)
        direct = compute(events, party=party, as_of=earlier, known_by=earlier).select("resident", *names)
        there = found.filter("consent_social") if party is Party.SOCIAL else found
        expected = there.select("resident").join(direct, on="resident", how="left")
        assert_frame_equal(there.select("resident", *names), expected)
    assert not found.equals(pl.concat(gathered(folder)))


def test_list_of_residents_must_be_whole(folder, tmp_path):
    good = pl.read_parquet(folder / "residents.parquet")
    file = tmp_path / "residents.parquet"

    def lacking(frame):
        frame.write_parquet(file)
        with pytest.raises(NoResidents) as refused:
            Parties(tmp_path).check()
        return refused.value.params["lacking"]

    with pytest.raises(NoResidents):
        Parties(tmp_path).check()
    assert lacking(good.drop("born_on", "resident")) == "born_on, resident"
    assert lacking(pl.concat([good, good.tail(1)])) == "resident (once each)"
    assert lacking(good.with_columns(pl.lit(None, dtype=pl.Int64).alias("resident"))) == "resident (once each)"
    assert lacking(good.with_columns(pl.lit("soon").alias("born_on"))) == "residents.parquet"
    good.write_parquet(file)
    with pytest.raises(NoEvents):
        Parties(tmp_path).check()
    Parties(folder).check()
