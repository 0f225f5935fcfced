"""People of a file as a model reads them, with what else is told of them."""

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from grainline.scoring.feature_spec import FeatureSpec
from grainline.scoring.table import MISSING, BadTable


def load_people(path: Path, specs: Sequence[FeatureSpec], *, others: Collection[str] = ()) -> pl.DataFrame:
    """Read a CSV (also .gz) or parquet file: a model's inputs by their kind, `others` as text, missing values as null.

    An input that the file does not have is left out, and so is missing to the model. Raises BadTable, naming the
    column.
    """
    frame = _as_text(path)
    absent = [name for name in others if name not in frame.columns]
    if absent:
        raise BadTable(f"{', '.join(absent)}: no such column in the file; there are {', '.join(frame.columns)}")
    if frame.is_empty():
        raise BadTable("the file has no rows")
    inputs = {spec.name: _typed(_cleaned(frame[spec.name]), spec) for spec in specs if spec.name in frame.columns}
    return pl.DataFrame({**{name: _cleaned(frame[name]) for name in others}, **inputs})


def _as_text(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise BadTable("there is no such file")
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            return pl.read_parquet(path).select(pl.all().cast(pl.String))
        return pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        first_line = str(error).partition("\n")[0]
        raise BadTable(f"cannot be read as CSV or parquet: {first_line}") from error


def _cleaned(values: pl.Series) -> pl.Series:
    text = values.str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(list(MISSING)), None)


def _typed(text: pl.Series, spec: FeatureSpec) -> pl.Series:
    if spec.kind == "category":
        return text
    numbers = text.cast(pl.Float64, strict=False)
    wrong = numbers.is_null() & text.is_not_null()
    if wrong.any():
        row = wrong.arg_max() or 0
        raise BadTable(f"{spec.name}: row {row + 1}: {text[row]!r} is not a number")
    return numbers
