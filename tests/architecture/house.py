"""Reads our own sources once, so that each house rule is a function from a module to its breaches."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = PROJECT / "src" / "grainline"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file: its path under src/grainline (with slashes), its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.path.partition("/")[0]

    def breach(self, node: ast.AST | int, what: str) -> str:
        """Word a breach so that an editor can jump to it."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return f"src/grainline/{self.path}:{line}: {what}"


def sample(path: str, text: str) -> Module:
    """Make a module of a few lines, to prove that a rule can fail."""
    return Module(path, text, ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the package, in the order of their paths."""
    files = sorted(SOURCE.rglob("*.py"))
    assert len(files) > 20, f"no sources under {SOURCE}: every rule would pass"
    return tuple(sample(str(file.relative_to(SOURCE)), file.read_text(encoding="utf-8")) for file in files)


@cache
def scripts() -> tuple[tuple[str, str], ...]:
    """Return path (from the project's root) and text of every SQL file of ours, comments taken out."""
    files = sorted([*SOURCE.rglob("*.sql"), *(PROJECT / "migrations").rglob("*.sql")])
    return tuple((str(file.relative_to(PROJECT)), plain_sql(file.read_text(encoding="utf-8"))) for file in files)


def plain_sql(text: str) -> str:
    """Return SQL in lower case without its `--` comments; every line stays where it is."""
    return "\n".join(line.partition("--")[0] for line in text.lower().splitlines())


def line_of(text: str, position: int) -> int:
    """Return the number of the line on which a position of a text lies."""
    return text.count("\n", 0, position) + 1


def functions(module: Module) -> Iterator[Function]:
    """Yield every function and method of a module, nested ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            yield node


def length(node: Function) -> int:
    """Return the number of lines of a function without its decorators, docstring and blank lines."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    lines = {line for part in body for line in range(part.lineno, (part.end_lineno or part.lineno) + 1)}
    signature = range(node.lineno, node.body[0].lineno)
    return len(lines) + max(1, len(signature))


def dotted_names(module: Module) -> Iterator[tuple[ast.expr, str]]:
    """Yield each name or attribute that is used, spelled from the module it was imported from."""
    known: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            known |= {a.asname or a.name.partition(".")[0]: a.name if a.asname else a.name.partition(".")[0]
                      for a in node.names}  # fmt: skip
        elif isinstance(node, ast.ImportFrom):
            known |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = _spell(node, known)
            if name is not None:
                yield node, name


def _spell(node: ast.expr, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        before = _spell(node.value, known)
        return f"{before}.{node.attr}" if before else None
    return None


def show(breaches: list[str]) -> str:
    """Put breaches one to a line, for the message of an assertion."""
    return "\n" + "\n".join(breaches)
