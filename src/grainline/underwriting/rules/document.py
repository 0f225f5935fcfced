"""The shape of a rules file: a graph that zen-engine and its editor read, with the facts and the reasons beside it."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from grainline.products.part import Code, Part, Text
from grainline.underwriting.rules.facts import Fact
from grainline.underwriting.rules.table import Hit

Id = Annotated[str, Field(min_length=1, max_length=64)]
Cell = Annotated[str, Field(max_length=500)]
Version = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(?:\.\d{1,3})?$")]


class Position(Part):
    """Where the editor draws a node."""

    x: float
    y: float


class Column(Part):
    """A column of a table: of an input the fact it looks at, of an output what it says."""

    id: Id
    name: Annotated[str, Field(max_length=100)] = ""
    field: Code


class Content(Part):
    """A table as the engine runs it; its result stands under the table's own name."""

    hitPolicy: Literal["first", "collect"]
    inputs: Annotated[tuple[Column, ...], Field(min_length=1, max_length=12)]
    outputs: Annotated[tuple[Column, ...], Field(min_length=1)]
    rules: Annotated[tuple[dict[str, Cell], ...], Field(min_length=1, max_length=500)]
    outputPath: Code
    passThrough: Literal[False]


class Ends(Part):
    """The beginning and the end of a graph have no content."""


class TableNode(Part):
    """A table of the graph; its id is its name."""

    id: Code
    type: Literal["decisionTableNode"]
    name: Annotated[str, Field(min_length=1)]
    position: Position | None = None
    content: Content


class EndNode(Part):
    """Where facts come in, or results go out."""

    id: Code
    type: Literal["inputNode", "outputNode"]
    name: Annotated[str, Field(min_length=1)]
    position: Position | None = None
    content: Ends = Ends()


class Edge(Part):
    """From one node to another."""

    id: Id
    type: Literal["edge"] = "edge"
    sourceId: Code
    targetId: Code


class Document(Part):
    """A rules file, whole."""

    product: Code
    version: Version
    effective_from: date
    profile: Annotated[str, Field(min_length=1)]
    facts: Annotated[tuple[Fact, ...], Field(min_length=1, max_length=60)]
    reasons: dict[Code, Text]
    tables: dict[Code, Hit]
    nodes: tuple[Annotated[TableNode | EndNode, Field(discriminator="type")], ...]
    edges: tuple[Edge, ...]
