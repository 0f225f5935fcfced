"""The same seed is the same town, however it is cut; what cannot be made is refused; the command line makes it too."""

import json
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from town_files import Files
from typer.testing import CliRunner

from grainline.behaviour.events import Party
from grainline.entry.cli import app
from grainline.sandbox.lives import generate

UNTIL = date(2026, 3, 31)


def made(folder, *, residents: int = 1_200, seed: int = 5, processes: int = 1, chunk: int = 2_000) -> Files:
    generate(folder, residents=residents, seed=seed, until=UNTIL, months=2, processes=processes, chunk=chunk)
    return Files(folder)


def test_neither_processes_nor_the_size_of_files_change_a_row(tmp_path) -> None:
    one, two = made(tmp_path / "one"), made(tmp_path / "two", processes=2, chunk=1_000)
    assert len(list((tmp_path / "one" / "social").iterdir())) == 1
    assert len(list((tmp_path / "two" / "social").iterdir())) == 2
    for party in Party:
        assert_frame_equal(one.party(party), two.party(party))
    assert_frame_equal(one.truth, two.truth)
    assert_frame_equal(one.residents, two.residents)


def test_a_resident_lives_the_same_life_in_a_smaller_town(tmp_path) -> None:
    large, small = made(tmp_path / "large"), made(tmp_path / "small", residents=250)
    for party in Party:
        assert_frame_equal(large.party(party).filter(pl.col("resident") <= 250), small.party(party))
    assert_frame_equal(large.truth.head(250), small.truth)
    assert small.residents["resident"].to_list() == list(range(1, 251))


def test_another_seed_is_another_town(tmp_path) -> None:
    one, other = made(tmp_path / "one", residents=300), made(tmp_path / "other", residents=300, seed=6)
    assert not one.truth["prudence"].equals(other.truth["prudence"])
    assert not one.payment["amount_fen"].head(100).equals(other.payment["amount_fen"].head(100))


def test_blocks_are_told_apart(tmp_path) -> None:
    """The second thousand does not repeat the first."""
    truth = made(tmp_path / "town", residents=2_000).truth
    assert truth["prudence"].n_unique() == 2_000
    assert truth["resident"].to_list() == list(range(1, 2_001))


def test_files_hold_whole_residents_in_order(tmp_path) -> None:
    made(tmp_path / "town", residents=2_500, chunk=1_000)
    spans = [
        (file["resident"].min(), file["resident"].max())
        for file in map(pl.read_parquet, sorted((tmp_path / "town" / "payment").glob("events-*.parquet")))
    ]
    assert spans == [(1, 1_000), (1_001, 2_000), (2_001, 2_500)]
    assert sorted(path.name for path in (tmp_path / "town").iterdir()) == [
        *("bureau", "payment", "residents.parquet", "social", "truth.parquet"),
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"residents": 0}, "residents"),
        ({"residents": 10_000_001}, "residents"),
        ({"months": 1}, "months"),
        ({"until": date(2036, 1, 1)}, "festivals"),
        ({"until": date(2019, 6, 1)}, "festivals"),
        ({"chunk": 1_500}, "blocks"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(tmp_path, changed, said) -> None:
    asked = {"residents": 100, "seed": 1, "until": UNTIL, "months": 18} | changed
    with pytest.raises(ValueError, match=said):
        generate(tmp_path / "town", **asked)
    assert not (tmp_path / "town").exists()


def test_a_folder_in_use_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        generate(tmp_path, residents=100, seed=1, until=UNTIL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_command_line_writes_the_same_town_and_counts_it(tmp_path) -> None:
    asked = ["--residents", "250", "--seed", "5", "--until", "2026-03-31", "--months", "2", "--json"]
    done = CliRunner().invoke(app, ["sandbox", "town", *asked, "--out", str(tmp_path / "told")])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    small = made(tmp_path / "small", residents=250)
    assert told["events"]["payment"] == len(small.payment)
    assert told["events"]["all"] == sum(len(small.party(party)) for party in Party)
    assert (told["first"], told["until"]) == ("2026-02-01", "2026-03-31")
    assert_frame_equal(Files(tmp_path / "told").payment, small.payment)
    again = CliRunner().invoke(app, ["sandbox", "town", *asked, "--out", str(tmp_path / "told")])
    assert again.exit_code == 2
    assert "not empty" in again.output
