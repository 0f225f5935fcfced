"""The page docs/federated-messages.md: every message that may pass between parties, from its declaration."""

from grainline.federated import messages, scorecard_messages, session_messages
from grainline.federated.wire import Kind, Octets, Row, Shape, Text, Whole, shapes

MODULES = (session_messages, messages, scorecard_messages)

_HEAD = """# Messages between the parties of the federated model

Made by `grainline party messages --out docs/federated-messages.md`; a test holds it to the code. Nothing else passes:
what is not in this table, or not within its limits, is refused by who would send it and by who receives it. How they
are written is told in `federated/wire.py`, what they are for in [federated.md](federated.md).

The fingerprint is of names, kinds and limits of all fields. It is part of every message, so that two programs that do
not mean the same by a name cannot talk past each other.

| message | fields | bytes at most | fingerprint | what it says |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the page, in the order of the declarations."""
    ours = [shape for module in MODULES for shape in _of(module.__name__)]
    return _HEAD + "".join(_row(shape) for shape in ours)


def _of(module: str) -> list[Shape]:
    found = [shape for shape in shapes() if getattr(shape.make, "__module__", "") == module]
    return sorted(found, key=lambda shape: list(vars(_module(module))).index(getattr(shape.make, "__name__", "")))


def _module(name: str) -> object:
    return next(module for module in MODULES if module.__name__ == name)


def _row(shape: Shape) -> str:
    fields = "; ".join(f"`{name}` {_said(kind)}" for name, kind in shape.kind_by_field)
    says = (shape.make.__doc__ or "").split("\n")[0]
    return f"| `{shape.name}` | {fields} | {shape.bytes_max:,} | `{shape.fingerprint.hex()}` | {says} |\n"


def _said(kind: Kind) -> str:
    match kind:
        case Whole(low, high):
            return f"{low:,}…{high:,}"
        case Octets(most, least):
            return f"{most:,} bytes" if least == most else f"{least:,}…{most:,} bytes"
        case Text(most):
            return f"text of 0…{most:,} bytes"
        case Row(of, most):
            return f"0…{most:,} × ({_said(of)})"
