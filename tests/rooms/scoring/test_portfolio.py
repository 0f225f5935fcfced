"""A portfolio is taken as it is or refused by the name of the column that is wrong."""

from pathlib import Path

import polars as pl
import pytest

from grainline.scoring import COLUMNS, LABEL, BadPortfolio, Portfolio, load_portfolio
from grainline.scoring.portfolio import checked


def test_the_shipped_people_are_those_of_the_publication(shipped: Portfolio) -> None:
    assert shipped.rows == 30_000
    assert shipped.frame[LABEL].sum() == 6_636
    assert shipped.frame["person_id"].to_list() == list(range(1, 30_001))
    first = shipped.frame.row(0, named=True)
    assert (first["card_limit"], first["sex"], first["education"], first["marriage"], first["age"]) == (
        20_000,
        2,
        2,
        1,
        24,
    )
    assert [first[f"status_{month}"] for month in range(1, 7)] == [2, 2, -1, -1, -2, -2]
    assert [first[f"bill_{month}"] for month in range(1, 7)] == [3_913, 3_102, 689, 0, 0, 0]
    assert first[LABEL] is True


def test_csv_and_parquet_of_the_same_people_are_the_same(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_csv(tmp_path / "people.csv")
    frame.with_columns(pl.col(LABEL).cast(pl.Int8), unasked=pl.lit(1)).write_parquet(tmp_path / "people.parquet")
    from_csv = load_portfolio(tmp_path / "people.csv")
    from_parquet = load_portfolio(tmp_path / "people.parquet")
    assert from_csv.frame.equals(from_parquet.frame)
    assert from_csv.content_hash() == from_parquet.content_hash()


def test_the_content_hash_sees_one_changed_cent(frame: pl.DataFrame) -> None:
    changed = frame.with_columns(paid_3=pl.when(pl.col("person_id") == 7).then(1).otherwise(pl.col("paid_3")))
    assert checked(changed).content_hash() != checked(frame).content_hash()


@pytest.mark.parametrize("name", [*(column.name for column in COLUMNS), LABEL])
def test_a_missing_column_is_named(frame: pl.DataFrame, name: str) -> None:
    with pytest.raises(BadPortfolio, match=f"^{name}: no such column") as refused:
        checked(frame.drop(name))
    assert refused.value.column == name


@pytest.mark.parametrize("name", [*(column.name for column in COLUMNS), LABEL])
def test_a_gap_is_named_with_its_row(frame: pl.DataFrame, name: str) -> None:
    gap = frame.with_columns(pl.when(pl.int_range(pl.len()) == 41).then(None).otherwise(pl.col(name)).alias(name))
    with pytest.raises(BadPortfolio, match=f"^{name}: row 42 has no value"):
        checked(gap)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pl.col("bill_2").cast(pl.Float64), "bill_2: whole numbers are needed, the file has Float64"),
        (pl.lit("many").alias("paid_6"), "paid_6: row 1: 'many' is not a whole number"),
        (pl.lit("1e5").alias("card_limit"), "card_limit: row 1: '1e5' is not a whole number"),
        (pl.lit(0).alias("card_limit"), "card_limit: row 1: 0 is outside 1"),
        (pl.lit(-1).alias("paid_1"), "paid_1: row 1: -1 is outside 0"),
        (pl.lit(17).alias("age"), "age: row 1: 17 is outside 18"),
        (pl.lit(-3).alias("status_4"), "status_4: row 1: -3 is outside -2"),
        (pl.lit(2).alias(LABEL), "defaulted: row 1: 2 is neither true/1 nor false/0"),
        (pl.lit(0.5).alias(LABEL), "defaulted: true/1 and false/0 are needed, the file has Float64"),
        (pl.lit(True).alias(LABEL), "defaulted: every row has the same value: true"),
        (pl.lit("0").alias(LABEL), "defaulted: every row has the same value: false"),
        (pl.int_range(pl.len()).lt(99).alias(LABEL), "defaulted: 99 of 1000 are true; at least 100"),
        (pl.lit(3).alias("person_id"), "person_id: the same value is there more than once"),
    ],
)
def test_a_wrong_column_is_named(frame: pl.DataFrame, column: pl.Expr, says: str) -> None:
    with pytest.raises(BadPortfolio) as refused:
        checked(frame.with_columns(column))
    assert str(refused.value).startswith(says)


def test_no_rows_is_no_portfolio(frame: pl.DataFrame) -> None:
    with pytest.raises(BadPortfolio, match=r"^person_id.*defaulted: the file has no rows"):
        checked(frame.clear())


def test_what_is_no_table_is_refused(frame: pl.DataFrame, tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    frame.write_parquet(whole)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:2_000])
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"person_id\n\xff\xfe\n")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "people.xlsx").write_bytes(b"PK\x03\x04")
    expected = {
        cut: "cannot be read as parquet",
        latin: "cannot be read as CSV",
        tmp_path / "empty.csv": "the file is empty",
        tmp_path / "people.xlsx": "neither parquet nor a .csv",
        tmp_path / "nowhere.csv": "there is no such file",
        tmp_path: "there is no such file",
    }
    for path, says in expected.items():
        with pytest.raises(BadPortfolio, match=says):
            load_portfolio(path)
