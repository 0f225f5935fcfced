"""`grainline features` as a data party runs it on its own files."""

import json
from datetime import timedelta

import polars as pl
from event_lists import MOMENT, event, frame
from typer.testing import CliRunner

from grainline.behaviour import Party, all_features, compute, features
from grainline.behaviour.catalogue import page
from grainline.entry.cli import app

RIDES = [event("ride", MOMENT - timedelta(days=days), event_id=days, scene="bus") for days in (1, 2, 40)]


def ran(*words):
    return CliRunner().invoke(app, ["features", *map(str, words)])


def kept(tmp_path, events):
    (tmp_path / "payment").mkdir()
    frame(events).write_parquet(tmp_path / "payment" / "events-00000.parquet")


def run(tmp_path, *words, as_of="2026-11-01"):
    return ran(
        "run", "--events", tmp_path, "--party", "payment", "--as-of", as_of, "--out", tmp_path / "f.parquet", *words
    )


def test_a_party_computes_its_features(tmp_path):
    stray = event("ride", MOMENT - timedelta(days=3), event_id=9, scene="camel")
    kept(tmp_path, [*RIDES, stray])
    done = run(tmp_path, "--quarantine", tmp_path / "aside", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["residents"], told["features"], told["read"], told["valid"]) == (1, len(features(Party.PAYMENT)), 4, 3)
    assert told["faults"] == {"unknown_scene": 1}
    made = pl.read_parquet(tmp_path / "f.parquet")
    assert made.equals(compute(frame(RIDES), party=Party.PAYMENT, as_of=MOMENT, known_by=MOMENT))
    aside = pl.read_parquet(tmp_path / "aside" / "payment.parquet")
    assert aside["event_id"].to_list() == [9]


def test_a_moment_may_be_an_instant_and_what_is_known_another(tmp_path):
    kept(tmp_path, RIDES)
    known_by = (MOMENT - timedelta(days=30)).isoformat()
    done = run(tmp_path, "--known-by", known_by, "--json", as_of=MOMENT.isoformat())
    assert json.loads(done.stdout)["not_known_yet"] == 2
    assert pl.read_parquet(tmp_path / "f.parquet")["ride.count.90d"].to_list() == [1]
    assert "2 were not known yet" in run(tmp_path, "--known-by", known_by, as_of=MOMENT.isoformat()).output


def test_a_file_that_cannot_be_used_is_told_and_ends_with_one(tmp_path):
    kept(tmp_path, RIDES)
    (tmp_path / "payment" / "events-00001.parquet").write_bytes(b"PAR1")
    done = run(tmp_path)
    assert done.exit_code == 1
    assert "unreadable_file 1" in done.output
    assert len(pl.read_parquet(tmp_path / "f.parquet")) == 1


def test_what_cannot_be_done_is_told_in_a_line(tmp_path):
    kept(tmp_path, RIDES)
    for words, why in (
        (("--as-of", "yesterday"), "must be a date"),
        (("--as-of", "2026-11-01T10:00:00"), "with its zone"),
        (("--events", tmp_path / "nowhere"), "no event files"),
        (("--out", tmp_path / "nowhere" / "f.parquet"), "cannot be written"),
    ):
        done = run(tmp_path, *words)
        assert (done.exit_code, why in done.stderr) == (2, True), done.output


def test_the_catalogue_is_the_page_or_a_list(tmp_path):
    assert ran("catalogue").stdout == page()
    assert ran("catalogue", "--out", tmp_path / "page.md").exit_code == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page()
    listed = json.loads(ran("catalogue", "--json").stdout)
    assert [one["name"] for one in listed] == [feature.name for feature in all_features()]
    [dining] = [one for one in listed if one["name"] == "payment.dining.amount_sum.90d"]
    assert (dining["zh"], dining["unit"], dining["windows"]) == ("近90天餐饮消费金额合计", "fen", [90])
