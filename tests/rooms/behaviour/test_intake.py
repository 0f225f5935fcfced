"""Bad input: each fault is counted by its kind and set aside, and what is valid is what it was without it."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from event_lists import MOMENT, event, frame

from grainline.behaviour import Fault, NoEvents, Party, apart, files_of, read, together

NOW = MOMENT + timedelta(days=10)
DAY = timedelta(days=1)


def meal(days, *, event_id, **more):
    given = {"scene": "dining", "tool": "balance", "amount_fen": 10_00} | more
    return event("payment", MOMENT - days * DAY, event_id=event_id, **given)


def kept(tmp_path, *frames):
    """Write frames as a party's files and return their paths."""
    folder = tmp_path / "payment"
    folder.mkdir(exist_ok=True)
    for place, one in enumerate(frames):
        one.write_parquet(folder / f"events-{place:05d}.parquet")
    return files_of(tmp_path, Party.PAYMENT)


def taken_in(paths, *, as_of=MOMENT, known_by=MOMENT, now=NOW):
    found = read(paths, party=Party.PAYMENT, as_of=as_of, known_by=known_by, now=now)
    report = found.report
    whole = sum(count for fault, count in report.faults.items() if fault not in FILES)
    assert report.read == report.valid + report.not_known_yet + whole
    assert report.valid == len(found.events)
    assert sum(report.faults.values()) == len(found.quarantined)
    return found


FILES = {Fault.UNREADABLE_FILE, Fault.MISSING_COLUMNS, Fault.WRONG_TYPES}
GOOD = [meal(3, event_id=1), meal(2, event_id=2), event("ride", MOMENT - DAY, event_id=3, scene="bus")]
BAD = {
    Fault.WITHOUT_RESIDENT: meal(2, event_id=90) | {"resident": None},
    Fault.WITHOUT_TIME: meal(2, event_id=90) | {"at": None},
    Fault.UNKNOWN_KIND: meal(2, event_id=90) | {"kind": "gambling"},
    Fault.UNKNOWN_SCENE: meal(2, event_id=90, scene="casino"),
    Fault.UNKNOWN_TOOL: meal(2, event_id=90, tool="shells"),
    Fault.NEGATIVE_AMOUNT: meal(2, event_id=90, amount_fen=-1),
    Fault.WITHOUT_VALUE: meal(2, event_id=90, amount_fen=None),
    Fault.BEFORE_EARLIEST: meal(2, event_id=90) | {"at": datetime(1970, 1, 1, tzinfo=UTC)},
    Fault.IN_THE_FUTURE: meal(-11, event_id=90),
    Fault.INGESTED_BEFORE: meal(2, event_id=90) | {"ingested_at": MOMENT - 3 * DAY},
    Fault.DUPLICATE: meal(1, event_id=2),
}


def test_good_files_are_taken_whole(tmp_path):
    found = taken_in(kept(tmp_path, frame(GOOD[:2]), frame(GOOD[2:])))
    assert found.report.faults == {}
    assert found.events.equals(frame(GOOD))
    assert found.quarantined.is_empty()


@pytest.mark.parametrize(("fault", "bad"), BAD.items())
def test_a_bad_event_is_counted_set_aside_and_not_used(tmp_path, fault, bad):
    found = taken_in(kept(tmp_path, frame([*GOOD, bad])))
    assert found.report.faults == {fault: 1}
    assert found.events.equals(frame(GOOD))
    [aside] = found.quarantined.rows(named=True)
    assert (aside["fault"], aside["file"]) == (fault, "events-00000.parquet")
    assert all(aside[name] == bad[name] for name in bad)


def test_an_event_without_a_number_is_set_aside(tmp_path):
    without = frame(GOOD).with_columns(
        pl.when(pl.col("event_id") == 2).then(None).otherwise("event_id").alias("event_id")
    )
    assert taken_in(kept(tmp_path, without.cast(frame([]).schema))).report.faults == {Fault.WITHOUT_ID: 1}


def test_an_event_of_another_party_or_with_a_scene_it_cannot_have(tmp_path):
    strangers = [event("login", MOMENT - DAY, event_id=80, scene="normal"),
                 event("transfer_out", MOMENT - DAY, event_id=81, scene="salary", amount_fen=1),
                 meal(2, event_id=82, scene=None)]  # fmt: skip
    found = taken_in(kept(tmp_path, frame([*GOOD, *strangers])))
    assert found.report.faults == {Fault.UNKNOWN_KIND: 1, Fault.UNKNOWN_SCENE: 2}


def test_all_at_once(tmp_path):
    bad = [
        one | {"event_id": 90 + place} if fault != Fault.DUPLICATE else one
        for place, (fault, one) in enumerate(BAD.items())
    ]
    found = taken_in(kept(tmp_path, frame([*bad, *GOOD])))
    assert found.report.faults == dict.fromkeys(BAD, 1)
    kept_numbers = found.events["event_id"].to_list()
    assert sorted(kept_numbers) == [1, 2, 3]


def test_of_doubles_the_first_ingested_counts_whatever_comes_later(tmp_path):
    first = meal(5, event_id=7)
    again = meal(5, event_id=7, amount_fen=99_99) | {"ingested_at": MOMENT - DAY}
    found = taken_in(kept(tmp_path, frame([again]), frame([first])))
    assert found.events["amount_fen"].to_list() == [10_00]
    assert found.quarantined["amount_fen"].to_list() == [99_99]
    early = taken_in(files_of(tmp_path, Party.PAYMENT), known_by=MOMENT - 2 * DAY)
    assert early.events.equals(found.events)  # nothing that is learned later changes what was known


def test_a_truncated_file_and_one_without_columns_are_told_and_the_rest_is_used(tmp_path):
    paths = kept(tmp_path, frame(GOOD), frame(GOOD), frame(GOOD).drop("kind", "tool"), frame(GOOD))
    paths[1].write_bytes(paths[1].read_bytes()[:-100])
    frame(GOOD).with_columns(pl.col("amount_fen").cast(pl.String)).write_parquet(paths[3])
    found = taken_in(paths)
    assert found.report.faults == {Fault.UNREADABLE_FILE: 1, Fault.MISSING_COLUMNS: 1, Fault.WRONG_TYPES: 1}
    assert found.events.equals(frame(GOOD))
    details = dict(found.quarantined.select("fault", "detail").rows())
    assert details[Fault.MISSING_COLUMNS] == "kind, tool"
    assert "amount_fen" in details[Fault.WRONG_TYPES]


def test_a_file_of_nothing_and_a_file_of_noise(tmp_path):
    paths = kept(tmp_path, frame([]), frame(GOOD))
    paths[1].write_bytes(b"")
    found = taken_in(paths)
    assert (found.report.faults, found.report.valid) == ({Fault.UNREADABLE_FILE: 1}, 0)


def test_numbers_too_large_for_their_column_are_told(tmp_path):
    huge = frame(GOOD).with_columns(pl.lit(2**40).alias("place"))
    assert taken_in(kept(tmp_path, huge)).report.faults == {Fault.WRONG_TYPES: 1}


def test_narrower_numbers_do(tmp_path):
    narrow = frame(GOOD).with_columns(
        pl.col("amount_fen", "resident").cast(pl.Int32), pl.col("event_id").cast(pl.Int64)
    )
    assert taken_in(kept(tmp_path, narrow)).events.equals(frame(GOOD))


def test_what_stands_out_of_order_is_sorted_and_counted(tmp_path):
    late = meal(4, event_id=4) | {"ingested_at": MOMENT - DAY}
    found = taken_in(kept(tmp_path, frame([late, *GOOD[::-1]])))
    assert found.events["at"].is_sorted()
    assert (found.report.out_of_order, found.report.valid) == (2, 4)
    in_order = taken_in(kept(tmp_path, frame([late, *GOOD])))
    assert (in_order.report.out_of_order, in_order.report.ingested_out_of_order) == (0, 1)


def test_what_comes_later_is_left_out_and_is_no_fault(tmp_path):
    learned = meal(2, event_id=8) | {"ingested_at": MOMENT + DAY}
    found = taken_in(kept(tmp_path, frame([*GOOD, meal(-1, event_id=9), learned])))
    assert (found.report.not_known_yet, found.report.faults) == (2, {})
    assert found.events.equals(frame(GOOD))
    assert taken_in(files_of(tmp_path, Party.PAYMENT), known_by=NOW).report.valid == 4


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(NoEvents):
        files_of(tmp_path, Party.SOCIAL)


def test_files_are_read_one_after_another_where_that_changes_nothing(tmp_path):
    others = [one | {"resident": 2, "event_id": 10 + one["event_id"]} for one in [*GOOD, BAD[Fault.UNKNOWN_SCENE]]]
    paths = kept(tmp_path, frame(GOOD), frame(others), frame(GOOD))
    paths[2].write_bytes(b"PAR1")
    assert apart(paths) == [[path] for path in paths]
    at_once, parts = taken_in(paths), [taken_in([path]) for path in paths]
    assert together(part.report for part in parts) == at_once.report
    assert pl.concat(part.events for part in parts).equals(at_once.events)
    for shared in ([meal(9, event_id=30)], [meal(9, event_id=2, resident=7)]):  # a resident, or a number, in two files
        frame(shared).write_parquet(paths[1])
        assert apart(paths) == [paths]
