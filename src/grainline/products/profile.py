"""A regulatory profile: what the law of a place asks of every product there, dated and with its sources."""

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from grainline.kit.errors import Refusal
from grainline.kit.money import E8
from grainline.products.load import BadPack
from grainline.products.pack import DAYS_QUOTED, RateMethod
from grainline.products.part import Amount, Code, Part
from grainline.products.rules import YearBasis

Source = Annotated[str, Field(min_length=1)]


class RateAboveCap(Refusal):
    """A rate costs more a year than the profile allows; both measures are told, and which of them binds."""

    code = "rate_above_cap"


class OwedAboveCap(Refusal):
    """With this line a borrower could owe more over all lenders than the profile allows."""

    code = "owed_above_cap"


@dataclass(frozen=True)
class YearlyCost:
    """What a rate costs a year by either measure, in 10⁻⁴, each rounded up."""

    simple_e4: int
    irr_e4: int


class Profile(Part):
    """Caps on cost (10⁻⁴ a year) and on what one borrower may owe (fen); to whom and for what nothing may be lent."""

    profile: Annotated[str, Field(pattern=r"^[a-z]{2}-\d{4}$")]
    effective_from: date
    annual_rate_max_e4: Annotated[int, Field(gt=0, le=100_000)]
    annual_rate_method: RateMethod
    annual_rate_source: Source
    borrower_max_fen: Amount
    borrower_max_source: Source
    age_min: Annotated[int, Field(ge=0, le=150)]
    students: bool
    people_source: Source
    forbidden_purposes: tuple[Code, ...]
    purposes_source: Source

    def cost(self, rate_e8: int, basis: YearBasis) -> YearlyCost:
        """Return what a rate costs a year: times 365 days, and compounded monthly over months of 365/12 days."""
        daily = Decimal(rate_e8) / E8 / DAYS_QUOTED.get(basis, 365)
        return YearlyCost(_up(daily * 365), _up((1 + daily * 365 / 12) ** 12 - 1))

    def check_rate(self, rate_e8: int, basis: YearBasis) -> YearlyCost:
        """Return what a rate costs a year; raise RateAboveCap where the measure that binds is above the cap."""
        cost = self.cost(rate_e8, basis)
        bound = cost.simple_e4 if self.annual_rate_method is RateMethod.SIMPLE else cost.irr_e4
        if bound > self.annual_rate_max_e4:
            raise RateAboveCap(
                profile=self.profile,
                simple=percent_e4(cost.simple_e4),
                irr=percent_e4(cost.irr_e4),
                binds=str(self.annual_rate_method),
                cap=percent_e4(self.annual_rate_max_e4),
            )
        return cost

    def room_fen(self, owed_all_fen: int) -> int:
        """Return how much more a borrower may owe, in fen, who owes so much to all lenders together."""
        return max(0, self.borrower_max_fen - owed_all_fen)

    def check_line(self, line_fen: int, owed_all_fen: int) -> None:
        """Raise OwedAboveCap where a line, drawn whole, would bring a borrower above the cap over all lenders."""
        if line_fen > self.room_fen(owed_all_fen):
            raise OwedAboveCap(
                profile=self.profile, line_fen=line_fen, owed_all_fen=owed_all_fen, cap_fen=self.borrower_max_fen
            )


def load_profile(path: Path) -> Profile:
    """Read and validate one profile; raise BadPack naming file and key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        found = Profile.model_validate_json(json.dumps(raw, default=str))
    except FileNotFoundError:
        raise BadPack(f"{path}: there is no such profile") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPack(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        said = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise BadPack("\n".join(f"{path}: {line}" for line in said)) from error
    if found.profile != path.stem:
        raise BadPack(f"{path}: profile: is {found.profile!r}, the file is named {path.stem!r}")
    return found


def percent_e4(share: int) -> str:
    """Write a share in 10⁻⁴ as percent with two decimals."""
    return f"{share // 100}.{share % 100:02d}"


def _up(annual: Decimal) -> int:
    return int((annual * 10_000).to_integral_value(ROUND_CEILING))
