"""What a decision's rules are told: each fact has a name, a kind and a range, and one that does not fit is refused.

The engine compares what it is given with what a cell says, and what is missing or of another kind merely does not
match: it would fall into whatever row comes next. So nothing reaches it that was not checked here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from grainline.kit.errors import Refusal
from grainline.products.misfit import Misfit
from grainline.products.part import Code, Part, Text

Value = int | bool | str
Bound = Annotated[int, Field(ge=-(10**15), le=10**15)]  # every one of them is a double, exactly
Line = Annotated[str, Field(min_length=1, max_length=200)]


class RuleInputMissing(Refusal):
    """A fact that the rules need is not there."""

    code = "rule_input_missing"


class RuleInputInvalid(Refusal):
    """A fact is of another kind than the rules need, or outside its range."""

    code = "rule_input_invalid"


class FactKind(StrEnum):
    """integer: whole, from low to high. truth: true or false. choice: one of some words."""

    INTEGER = "integer"
    TRUTH = "truth"
    CHOICE = "choice"


class Fact(Part):
    """One fact. All are required: who does not know says so, by a choice that means it."""

    name: Code
    kind: FactKind
    low: Bound | None = None
    high: Bound | None = None
    choices: tuple[Code, ...] = ()
    unit: Line
    source: Line
    says: Text

    @model_validator(mode="after")
    def _fits(self) -> Self:
        whole = self.kind is FactKind.INTEGER
        if (self.low is None) is whole or (self.high is None) is whole:
            raise Misfit("low", "and high must be there for an integer, and for nothing else")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise Misfit("low", "is above high")
        if (self.kind is FactKind.CHOICE) is not (len(self.choices) > 1):
            raise Misfit("choices", "must be two or more for a choice, and none for anything else")
        if len(set(self.choices)) != len(self.choices):
            raise Misfit("choices", "names one twice")
        return self

    @property
    def first(self) -> int:
        """Return the least value as a number; of a truth or a choice, the place of its first."""
        return self.low if self.low is not None else 0

    @property
    def last(self) -> int:
        """Return the greatest value as a number; of a truth or a choice, the place of its last."""
        if self.high is not None:
            return self.high
        return 1 if self.kind is FactKind.TRUTH else len(self.choices) - 1

    def number_of(self, value: object) -> int:
        """Return a value as a number, a choice by its place; raise RuleInputInvalid where it is none of this fact's."""
        match self.kind:
            case FactKind.INTEGER:
                # A truth is an int to Python, and 5.0 or NaN is a number: neither is a whole number here.
                if type(value) is int and self.first <= value <= self.last:
                    return value
            case FactKind.TRUTH:
                if type(value) is bool:
                    return int(value)
            case FactKind.CHOICE:
                if type(value) is str and value in self.choices:
                    return self.choices.index(value)
        raise RuleInputInvalid(fact=self.name, value=shown(value), allowed=self.allowed())

    def value_of(self, number: int) -> Value:
        """Return the value that a number stands for."""
        if self.kind is FactKind.INTEGER:
            return number
        return bool(number) if self.kind is FactKind.TRUTH else self.choices[number]

    def allowed(self) -> str:
        """Write what a value may be."""
        match self.kind:
            case FactKind.INTEGER:
                return f"{self.low} … {self.high}"
            case FactKind.TRUTH:
                return "true, false"
            case FactKind.CHOICE:
                return ", ".join(self.choices)


def shown(value: object) -> str:
    """Write a value for a message, never longer than forty characters."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def checked(facts: tuple[Fact, ...], given: Mapping[str, object]) -> dict[str, Value]:
    """Return what the rules are told, in the order of their facts; what they do not ask for is left out.

    Raises RuleInputMissing, RuleInputInvalid.
    """
    told: dict[str, Value] = {}
    for fact in facts:
        if given.get(fact.name) is None:
            raise RuleInputMissing(fact=fact.name)
        told[fact.name] = fact.value_of(fact.number_of(given[fact.name]))
    return told
