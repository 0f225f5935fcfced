"""What every part of a pack is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[int, Field(gt=0, le=10**13)]
Days = Annotated[int, Field(gt=0, le=36_500)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")]


class Part(BaseModel):
    """A table of a pack: an unknown key is an error, and a number is a number, not a text or a truth."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Text(Part):
    """A name or sentence in both languages."""

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]
