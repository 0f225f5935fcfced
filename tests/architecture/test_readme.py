"""The documents mention only commands that exist."""

import re

import click
import house
import pytest
import typer

READMES = ("README.md", "README.zh-CN.md")
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
MAKE = re.compile(r"(?:^|[\s;&|(])make((?:\s+[A-Z_]+=\S+)*)((?:\s+[a-z][a-z-]*)+)")
GRAINLINE = re.compile(r"(?:^|[\s;&|(/])grainline((?:\s+[a-z][a-z-]*)+)")


def commands(text: str) -> list[str]:
    """Return the code of a document, line by line: fenced blocks and inline."""
    fenced = "".join(FENCED.findall(text)).splitlines()
    return fenced + INLINE.findall(FENCED.sub("", text))


def unknown(text: str, *, targets: frozenset[str], program: click.Command) -> list[str]:
    """Report targets of make and commands of grainline that a document names and that do not exist."""
    found = []
    for line in commands(text):
        code = line.partition(" #")[0]
        for make in MAKE.finditer(code):
            found += [f"make {name}" for name in make[2].split() if name not in targets]
        for call in GRAINLINE.finditer(code):
            found += _unknown_command(call[1].split(), program)
    return found


def _unknown_command(words: list[str], program: click.Command) -> list[str]:
    """Follow the words down the groups; what comes after a command that is no group are its arguments."""
    path = ["grainline"]
    for word in words:
        if not isinstance(program, click.Group):
            return []
        path.append(word)
        if word not in program.commands:
            return [" ".join(path)]
        program = program.commands[word]
    return []


def targets_of(makefile: str) -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))


@pytest.mark.parametrize("name", READMES)
def test_documents_name_only_commands_that_exist(name: str) -> None:
    file = house.PROJECT / name
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if not text.strip():
        pytest.skip(f"{name} is not written yet")
    from grainline.entry.cli import app  # noqa: PLC0415  (it loads much, and only this test needs it)

    targets = targets_of((house.PROJECT / "Makefile").read_text(encoding="utf-8"))
    assert commands(text), f"{name} shows no command"
    found = unknown(text, targets=targets, program=typer.main.get_command(app))
    assert not found, house.show(found)


def test_unknown_commands_are_found() -> None:
    targets = targets_of("run: setup\n\ttouch x\nPYTHON := a\n")
    assert targets == {"run"}
    group = click.Group("grainline", {"sandbox": click.Group("sandbox", {"advance": click.Command("advance")}),
                                      "bench": click.Command("bench")})  # fmt: skip
    text = "Run `make run` and\n```sh\nmake fly PYTHON=x # make tea\n.venv/bin/grainline sandbox advance --days 3\n"
    text += (
        "grainline sandbox fly\ngrainline bench ledger --json\n```\n`grainline swim`, and make sense of grainline it"
    )
    assert unknown(text, targets=targets, program=group) == ["make fly", "grainline sandbox fly", "grainline swim"]
