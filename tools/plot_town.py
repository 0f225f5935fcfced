"""Draw docs/images/town-*.png from a town that `grainline sandbox town` wrote; docs/town.md names the town.

    python tools/plot_town.py TOWN [TARGET]

matplotlib comes with optbinning; nothing that runs at a lender's imports it for drawing.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import polars as pl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images"
HOUR = pl.col("local").dt.hour()
TERTILES = ("least prudent third", "middle", "most prudent third")


def events(town: Path, party: str) -> pl.LazyFrame:
    """Return a party's events, with the local time beside the instant."""
    local = pl.col("at").dt.convert_time_zone("Asia/Shanghai").alias("local")
    return pl.scan_parquet(town / party / "*.parquet").with_columns(local)


def truth(town: Path) -> pl.DataFrame:
    """Return the truth with a tertile of prudence and the strain of the last told month."""
    found = pl.read_parquet(town / "truth.parquet")
    third = pl.col("prudence").rank("ordinal").sub(1).mul(3).floordiv(pl.len())
    tertile = third.replace_strict(list(range(3)), list(TERTILES), return_dtype=pl.String).alias("tertile")
    return found.with_columns(tertile, pl.col("strain").list.get(-13).alias("last_strain"))


def panels(titles: Sequence[str]) -> tuple[plt.Figure, list[Axes]]:
    """Return a figure with one panel for each title, side by side."""
    figure, axes = plt.subplots(1, len(titles), figsize=(4.6 * len(titles), 3.3), layout="constrained")
    for axis, title in zip(np.atleast_1d(axes), titles, strict=True):
        axis.set_title(title, fontsize=10)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(np.atleast_1d(axes))


def save(figure: plt.Figure, target: Path, name: str) -> None:
    """Write a figure as a small PNG with few colours."""
    figure.savefig(target / f"town-{name}.png", dpi=90, pil_kwargs={"optimize": True})
    plt.close(figure)


def days(town: Path, target: Path) -> None:
    """Draw events a day over all months: the festivals stand out."""
    figure, (axis, month) = panels(("events a day and resident", "payments by day since the payday's date"))
    residents = truth(town)
    shopping = pl.col("scene").is_in(["apparel", "electronics", "home"])
    for label, chosen, factor in (
        ("payments", pl.col("kind") == "payment", 1),
        ("shopping (× 5)", (pl.col("kind") == "payment") & shopping, 5),
        ("red packets sent (× 5)", pl.col("kind") == "red_packet_sent", 5),
        ("rides", pl.col("kind") == "ride", 1),
    ):
        of_kind = events(town, "payment").filter(chosen)
        daily = of_kind.group_by(pl.col("local").dt.date()).len().sort("local").collect()
        axis.plot(daily["local"], daily["len"] / len(residents) * factor, linewidth=0.8, label=label)
    axis.legend(fontsize=7)
    axis.tick_params(axis="x", labelrotation=30)
    paid = events(town, "payment").filter(pl.col("kind") == "payment").select("resident", "local").collect()
    since = (pl.col("local").dt.day() - pl.col("payday")).alias("since")
    counts = paid.join(residents.select("resident", "payday"), on="resident").group_by(since).len().sort("since")
    near = counts.filter(pl.col("since").is_between(-4, 3))
    month.bar(near["since"], near["len"] / near["len"][0], color="tab:blue")
    save(figure, target, "days")


def hours(town: Path, target: Path) -> None:
    """Draw the hours of a day by kind, and the share of nights by strain."""
    figure, (axis, night) = panels(("share of events by hour", "payments between 23:00 and 6:00, by strain"))
    for kind, label in (("payment", "payments"), ("ride", "rides"), ("red_packet_sent", "red packets sent")):
        found = events(town, "payment").filter(pl.col("kind") == kind).group_by(HOUR).len().sort("local").collect()
        axis.plot(found["local"], found["len"] / found["len"].sum(), label=label)
    axis.legend(fontsize=7)
    axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    recent = events(town, "payment").filter((pl.col("kind") == "payment") & (pl.col("local").dt.year() == 2026))
    share = recent.group_by("resident").agg(((HOUR >= 23) | (HOUR < 6)).mean().alias("night")).collect()
    decile = pl.col("last_strain").rank("ordinal").sub(1).mul(10).floordiv(pl.len()).alias("decile")
    by = share.join(truth(town), on="resident").group_by(decile).agg(pl.col("night").mean()).sort("decile")
    night.bar(by["decile"] + 1, by["night"], color="tab:purple")
    night.set_xlabel("decile of strain in the last month", fontsize=8)
    night.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    save(figure, target, "hours")


def amounts(town: Path, target: Path) -> None:
    """Draw what payments come to by scene, and balances of the money market."""
    figure, (axis, held) = panels(("yuan a payment, by scene", "yuan in the money market after each move"))
    paid = events(town, "payment").filter(pl.col("kind") == "payment").select("scene", "amount_fen").collect()
    edges = np.logspace(0, 4.3, 60)
    for scene in ("groceries", "dining", "apparel", "electronics"):
        yuan = paid.filter(pl.col("scene") == scene)["amount_fen"].to_numpy() / 100
        axis.hist(yuan, edges, weights=np.full(len(yuan), 1 / len(yuan)), histtype="step", label=scene)
    axis.set_xscale("log")
    axis.legend(fontsize=7)
    moved = events(town, "payment").filter(pl.col("kind").str.starts_with("money_market"))
    balances = moved.select("resident", "balance_fen").collect().join(truth(town), on="resident")
    for tertile in TERTILES:
        yuan = balances.filter(pl.col("tertile") == tertile)["balance_fen"].to_numpy() / 100
        weights = np.full(len(yuan), 1 / len(yuan))
        held.hist(yuan + 1, np.logspace(0, 6, 60), weights=weights, histtype="step", label=tertile)
    held.set_xscale("log")
    held.legend(fontsize=7)
    save(figure, target, "amounts")


def punctuality(town: Path, target: Path) -> None:
    """Draw days late of bills by prudence, and how long a party takes to learn of an event."""
    figure, (axis, learning) = panels(("days after the due date a bill is paid", "not learned of yet, by time"))
    paid = events(town, "payment").filter(pl.col("kind") == "bill_paid").select("resident", "days_late").collect()
    known = paid.join(truth(town), on="resident")
    for tertile in TERTILES:
        late = known.filter(pl.col("tertile") == tertile)["days_late"].to_numpy()
        axis.hist(late, np.arange(-10, 77), density=True, histtype="step", label=tertile)
    axis.set_yscale("log")
    axis.legend(fontsize=7)
    for party in ("social", "payment", "bureau"):
        delay = events(town, party).select((pl.col("ingested_at") - pl.col("at")).dt.total_milliseconds()).collect()
        hours_later = np.sort(delay.to_series().gather_every(37).to_numpy()) / 3_600_000
        learning.plot(hours_later, 1 - np.arange(len(hours_later)) / len(hours_later), label=party)
    learning.set_xscale("log")
    learning.set_yscale("log")
    learning.set_ylim(1e-4, 1.1)
    learning.set_xlim(1 / 60, 200)
    learning.set_xlabel("hours", fontsize=8)
    learning.legend(fontsize=7)
    save(figure, target, "punctuality")


def defaults(town: Path, target: Path) -> None:
    """Draw who defaults in the 12 months after the last day, by the strain of then and by month."""
    figure, (axis, when) = panels(("defaults within 12 months, by strain", "defaults a month, per 1,000 residents"))
    known = truth(town)
    until = events(town, "social").select(pl.col("local").dt.date().max()).collect().item()
    alive = known.filter(pl.col("default_on").is_null() | (pl.col("default_on") > until))
    decile = pl.col("last_strain").rank("ordinal").sub(1).mul(10).floordiv(pl.len()).alias("decile")
    by = alive.group_by(decile).agg(pl.col("default_on").is_not_null().mean()).sort("decile")
    axis.bar(by["decile"] + 1, by["default_on"], color="tab:red")
    axis.set_xlabel("decile of strain in the last month", fontsize=8)
    axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    monthly = known.drop_nulls("default_on").group_by(pl.col("default_on").dt.truncate("1mo")).len().sort("default_on")
    when.bar(monthly["default_on"], monthly["len"] / len(known) * 1_000, width=24, color="tab:red")
    when.axvline(until, color="black", linewidth=0.8, linestyle=":")
    when.tick_params(axis="x", labelrotation=30)
    save(figure, target, "defaults")


def people(town: Path, target: Path) -> None:
    """Draw incomes and how many events a resident has."""
    figure, (axis, many) = panels(("yuan a month, by rhythm", "events a resident, all parties"))
    known = truth(town)
    for rhythm in ("salaried", "irregular", "business", "allowance", "pension"):
        yuan = known.filter(pl.col("rhythm") == rhythm)["income_fen"].to_numpy() / 100
        axis.hist(yuan, np.logspace(2.5, 5, 50), histtype="step", label=rhythm)
    axis.set_xscale("log")
    axis.legend(fontsize=7)
    counts = [events(town, party).select("resident") for party in ("social", "payment", "bureau")]
    each = pl.concat(counts).group_by("resident").len().collect()["len"].to_numpy()
    many.hist(each, np.arange(0, 3_000, 50), color="tab:green")
    many.axvline(each.mean(), color="black", linewidth=0.8, linestyle=":")
    save(figure, target, "people")


if __name__ == "__main__":
    folder, images = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else TARGET
    for draw in (days, hours, amounts, punctuality, defaults, people):
        draw(folder, images)
