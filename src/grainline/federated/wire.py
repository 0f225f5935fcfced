"""Messages between parties: an allow-list of shapes, and the only bytes each can be.

A message is a frozen dataclass, made by `@message`, whose fields are whole numbers in a range, bytes, texts, or rows of
these, each with a stated limit. There is no float, no mapping and no nesting, so nothing can ride along. On the wire it
is

    version 1 | length of name 1 | name | fingerprint of the shape 4 | the fields in order

A number takes the fewest of 1, 2, 4 or 8 bytes that hold its range, less its lower end; bytes and texts (UTF-8) come
after a length of 4; a row of numbers after a count of 4; a row of bytes or texts after a count, each with its length.
All big-endian. Every message has exactly one encoding, and `decode` takes no other.

The fingerprint is the start of the SHA-256 of names, kinds and limits of the fields: two parties whose programs do not
mean the same by a name learn it at the first message.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from types import GenericAlias
from typing import Annotated, Any, TypeAlias, dataclass_transform, get_args, get_origin, get_type_hints

Message: TypeAlias = object  # an instance of a class made by `@message`

VERSION = 1
MAX_MESSAGE_BYTES = 64 * 2**20  # what is longer is sent in parts
_LENGTH = struct.Struct(">I")
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class BadMessage(Exception):
    """What is no message of the allow-list: of an unknown name, another shape, over a limit, cut off or too long."""


@dataclass(frozen=True)
class Whole:
    """A whole number, low ≤ n ≤ high; at most 64 bit apart."""

    low: int
    high: int


@dataclass(frozen=True)
class Octets:
    """Bytes, least ≤ length ≤ most."""

    most: int
    least: int = 0


@dataclass(frozen=True)
class Text:
    """A text of at most so many bytes of UTF-8."""

    most: int


@dataclass(frozen=True)
class Row:
    """A row of at most so many items of one kind, as a tuple."""

    of: Whole | Octets | Text
    most: int


Kind = Whole | Octets | Text | Row
_TYPES: dict[type, Any] = {Whole: int, Octets: bytes, Text: str}


def exactly(length: int) -> Octets:
    """Return the kind of bytes of just this length."""
    return Octets(length, length)


@dataclass(frozen=True)
class Shape:
    """What a message is: its name, its fields, and the most bytes it takes."""

    name: str
    kind_by_field: tuple[tuple[str, Kind], ...]
    fingerprint: bytes
    bytes_max: int
    make: Callable[..., Message]


_shape_by_name: dict[str, Shape] = {}
_shape_by_class: dict[type, Shape] = {}


@dataclass_transform(frozen_default=True)
def message(name: str) -> Callable[[type], Any]:
    """Make a class a message of this name: a frozen dataclass on the allow-list.

    Raises TypeError for a field that is not annotated with a `Kind` of its type, for a name that is taken, and for
    limits that together pass `MAX_MESSAGE_BYTES`.
    """

    def register(cls: type) -> type:
        made: Any = dataclass(frozen=True)(cls)
        hints = get_type_hints(made, include_extras=True)
        kinds = tuple((field.name, _kind(name, field.name, hints[field.name])) for field in fields(made))
        described = repr((name, kinds)).encode()
        most = 2 + len(name.encode()) + 4 + sum(_most(kind) for _, kind in kinds)
        shape = Shape(name, kinds, sha256(described).digest()[:4], most, made)
        if name in _shape_by_name or not 0 < len(name.encode()) < 256 or not name.isascii():
            raise TypeError(f"no name for a message, or taken: {name}")
        if most > MAX_MESSAGE_BYTES + 4096:
            raise TypeError(f"{name} could take {most} bytes; send it in parts")
        _shape_by_name[name] = _shape_by_class[made] = shape
        return cls

    return register


def shapes() -> list[Shape]:
    """Return every message there is, by name."""
    return sorted(_shape_by_name.values(), key=lambda shape: shape.name)


def name_of(message: Message) -> str:
    """Return the name of a message; raise BadMessage for what is none."""
    shape = _shape_by_class.get(type(message))
    if shape is None:
        raise BadMessage(f"{type(message).__name__} is not on the allow-list")
    return shape.name


def encode(message: Message) -> bytes:
    """Return the bytes of a message; raise BadMessage if a field is not within its kind."""
    shape = _shape_by_name[name_of(message)]
    name = shape.name.encode()
    parts = [bytes((VERSION, len(name))), name, shape.fingerprint]
    for field, kind in shape.kind_by_field:
        try:
            _write(kind, getattr(message, field), parts)
        except BadMessage as wrong:
            raise BadMessage(f"{shape.name}.{field}: {wrong}") from None
    return b"".join(parts)


def decode(data: bytes) -> Message:
    """Return the message these bytes are, in the one way they can be one; raise BadMessage."""
    if len(data) > MAX_MESSAGE_BYTES + 4096:
        raise BadMessage(f"{len(data)} bytes are no message")
    reader = _Reader(data)
    version, length = reader.take(2)
    if version != VERSION:
        raise BadMessage(f"version {version}")
    name = reader.take(length)
    shape = _shape_by_name.get(name.decode("ascii", "replace"))
    if shape is None:
        raise BadMessage(f"unknown message {name[:40]!r}")
    if reader.take(4) != shape.fingerprint:
        raise BadMessage(f"{shape.name} means something else to the sender")
    values = {}
    for field, kind in shape.kind_by_field:
        try:
            values[field] = _read(kind, reader)
        except BadMessage as wrong:
            raise BadMessage(f"{shape.name}.{field}: {wrong}") from None
    if reader.at != len(data):
        raise BadMessage(f"{shape.name}: {len(data) - reader.at} bytes too many")
    return shape.make(**values)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, length: int) -> bytes:
        """Return the next bytes; raise BadMessage where they end early."""
        if self.at + length > len(self.data):
            raise BadMessage("cut off")
        self.at += length
        return self.data[self.at - length : self.at]


def _kind(name: str, field: str, hint: Any) -> Kind:
    extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    if len(extras) != 1 or not isinstance(extras[0], Kind):
        raise TypeError(f"{name}.{field} says no kind")
    kind: Kind = extras[0]
    one = _TYPES[type(kind.of if isinstance(kind, Row) else kind)]
    wanted = GenericAlias(tuple, (one, ...)) if isinstance(kind, Row) else one
    if get_args(hint)[0] != wanted:
        raise TypeError(f"{name}.{field} is not a {wanted}")
    whole = kind.of if isinstance(kind, Row) else kind
    if isinstance(whole, Whole) and not 0 <= whole.high - whole.low < 2**64:
        raise TypeError(f"{name}.{field} has a range of more than 64 bit")
    return kind


def _width(kind: Whole) -> int:
    return next(width for width in (1, 2, 4, 8) if kind.high - kind.low < 1 << 8 * width)


def _most(kind: Kind) -> int:
    match kind:
        case Whole():
            return _width(kind)
        case Octets() | Text():
            return 4 + kind.most
        case Row():
            return 4 + kind.most * _most(kind.of)


def _write(kind: Kind, value: Any, parts: list[bytes]) -> None:
    match kind:
        case Whole():
            _write_numbers(kind, (value,), parts)
        case Octets():
            if type(value) is not bytes or not kind.least <= len(value) <= kind.most:
                raise BadMessage(f"not {kind}")
            parts += (_LENGTH.pack(len(value)), value)
        case Text():
            if type(value) is not str:
                raise BadMessage(f"not {kind}")
            _write(Octets(kind.most), _utf8(value), parts)
        case Row():
            if type(value) is not tuple or len(value) > kind.most:
                raise BadMessage(f"not {kind}")
            parts.append(_LENGTH.pack(len(value)))
            if isinstance(kind.of, Whole):
                _write_numbers(kind.of, value, parts)
            else:
                for item in value:
                    _write(kind.of, item, parts)


def _write_numbers(kind: Whole, values: Sequence[Any], parts: list[bytes]) -> None:
    if any(type(value) is not int or not kind.low <= value <= kind.high for value in values):
        raise BadMessage(f"not {kind}")
    code = f">{len(values)}{_CODES[_width(kind)]}"
    parts.append(struct.pack(code, *(value - kind.low for value in values)))


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise BadMessage("no UTF-8") from None


def _read(kind: Kind, reader: _Reader) -> Any:
    match kind:
        case Whole():
            return _read_numbers(kind, 1, reader)[0]
        case Octets():
            (length,) = _LENGTH.unpack(reader.take(4))
            if not kind.least <= length <= kind.most:
                raise BadMessage(f"{length} bytes, not {kind}")
            return reader.take(length)
        case Text():
            try:
                return _read(Octets(kind.most), reader).decode()
            except UnicodeDecodeError:
                raise BadMessage("no UTF-8") from None
        case Row():
            (count,) = _LENGTH.unpack(reader.take(4))
            if count > kind.most:
                raise BadMessage(f"{count} items, not {kind}")
            if isinstance(kind.of, Whole):
                return _read_numbers(kind.of, count, reader)
            return tuple(_read(kind.of, reader) for _ in range(count))


def _read_numbers(kind: Whole, count: int, reader: _Reader) -> tuple[int, ...]:
    width = _width(kind)
    raw = struct.unpack(f">{count}{_CODES[width]}", reader.take(count * width))
    if raw and max(raw) > kind.high - kind.low:
        raise BadMessage(f"a number is not {kind}")
    return tuple(number + kind.low for number in raw) if kind.low else raw
