"""Options of `grainline federated train`: their types, what they may be, and what is said where they may not."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from grainline.entry.party_addresses import addresses_in
from grainline.federated.identity import Identity
from grainline.federated.ids import IdKind
from grainline.federated.keys import SCHEMES
from grainline.kit.calendar import at
from grainline.kit.errors import Kind, Refusal

BITS = (2048, 3072)
LIMITS: Mapping[str, tuple[float, float]] = {
    "--trees": (1, 1000),
    "--depth": (1, 10),
    "--learning-rate": (0.001, 1.0),
    "--bins": (2, 255),
    "--leaf-rows": (1, 2**24),
    "--smallest-bin": (1, 2**24),
    "--validation-share": (0.01, 0.5),
    "--patience": (1, 1000),
    "--split-seed": (0, 2**63),
}

Guest = Annotated[Path | None, typer.Option(help="The lender's CSV or Parquet, with `id` and the label.")]
Hosts = Annotated[list[Path] | None, typer.Option(help="A data party's CSV or Parquet, with `id`; may be given again.")]
Parties = Annotated[
    list[str] | None,
    typer.Option("--party", help="NAME=HOST:PORT of a running party, by its pinned name; may be given again."),
]
LenderFolder = Annotated[Path | None, typer.Option(help="With --party: the lender's party folder.")]
Labels = Annotated[Path | None, typer.Option(help="With --party: CSV or Parquet of `id`, the label, own features.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="With --party: parties make features as of this day's start, in Shanghai."),
]
LabelsIdKind = Annotated[IdKind, typer.Option("--id-kind", help="With --party: what the ids are.")]
Label = Annotated[str, typer.Option(help="The lender's column of 0 and 1.")]
Trees = Annotated[int, typer.Option(help="1 to 1000.")]
Depth = Annotated[int, typer.Option(help="Of a tree, 1 to 10.")]
LearningRate = Annotated[float, typer.Option(help="0.001 to 1.")]
Bins = Annotated[int | None, typer.Option(help="2 to 255; 32 if left out, of a scorecard 10.")]
LeafRows = Annotated[int, typer.Option(help="Fewest rows in a leaf.")]
SmallestBin = Annotated[
    int | None, typer.Option(help="Fewest rows a host lets stand out: 10; in a scorecard's bin 30.")
]
GuestFirst = Annotated[bool, typer.Option(help="Grow the first tree of the lender's features only.")]
Sample = Annotated[bool, typer.Option(help="GOSS: the 20 % with the largest gradients, 10 % of the rest.")]
ValidationShare = Annotated[float | None, typer.Option(help="Share of the training rows that only validate.")]
Patience = Annotated[int | None, typer.Option(help="Trees without a better validation loss before it stops.")]
Scheme = Annotated[str, typer.Option(help="okamoto-uchiyama or paillier.")]
Bits = Annotated[int, typer.Option(help="Of the modulus: 2048 or 3072.")]
SplitSeed = Annotated[int, typer.Option(help="Which fifth of the ids is held out, and which rows validate.")]
Target = Annotated[Path | None, typer.Option("--out", help="File for the lender's part of the model, signed.")]
Signer = Annotated[Path | None, typer.Option(help="The lender's party folder, whose key signs; else one of the run's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


class BadOption(Refusal):
    """An option outside its range."""

    code: ClassVar[str] = "federated_bad_option"
    kind: ClassVar[Kind] = Kind.INVALID


class BadChoice(Refusal):
    """An option that is none of what there is to choose from."""

    code: ClassVar[str] = "federated_bad_choice"
    kind: ClassVar[Kind] = Kind.INVALID


class OptionAlone(Refusal):
    """An option that means nothing without another."""

    code: ClassVar[str] = "federated_option_alone"
    kind: ClassVar[Kind] = Kind.INVALID


def check_options(given: Mapping[str, float | str | None]) -> None:
    """Check options by their names on the command line, None for those left out.

    Raises BadOption, BadChoice, OptionAlone.
    """
    for option, (least, most) in LIMITS.items():
        value = given.get(option)
        if isinstance(value, int | float) and not least <= value <= most:
            raise BadOption(option=option, least=least, most=most)
    _check_choice("--scheme", given.get("--scheme"), SCHEMES)
    _check_choice("--bits", given.get("--bits"), BITS)
    if given.get("--patience") is not None and given.get("--validation-share") is None:
        raise OptionAlone(option="--patience", other="--validation-share")


def _check_choice(option: str, value: object, choices: Sequence[object]) -> None:
    if value is not None and value not in choices:
        raise BadChoice(option=option, choices=", ".join(str(one) for one in choices))


def files_of(guest: Path | None, hosts: Sequence[Path] | None) -> tuple[Path, Sequence[Path]]:
    """Return the files of both sides; raise OptionAlone where one side is missing."""
    if guest is None:
        raise OptionAlone(option="--host", other="--guest")
    if not hosts:
        raise OptionAlone(option="--guest", other="--host")
    return guest, hosts


def lender_of(identity: Path | None, labels: Path | None, patience: int | None) -> tuple[Identity, Path]:
    """Return what running parties are asked with; raise OptionAlone where some of it is missing, and with patience.

    The rows that only validate are those the calibration is fitted on, so they may not choose how many trees there are.
    """
    if patience is not None:
        raise OptionAlone(option="--patience", other="--guest")
    if identity is None or labels is None:
        raise OptionAlone(option="--party", other="--identity" if identity is None else "--labels")
    return Identity(identity), labels


def addresses_of(parties: Sequence[str]) -> dict[str, str]:
    """Return addresses by name; raise BadChoice for what is not NAME=HOST:PORT, or names a party twice."""
    try:
        return addresses_in(",".join(parties))
    except ValueError:
        raise BadChoice(option="--party", choices="NAME=HOST:PORT") from None


def moment_of(day: datetime | None) -> datetime | None:
    """Return the beginning of a day in Shanghai."""
    return day and at(day.date(), time(0))
