"""Modular arithmetic on many numbers at once in C, where a kernel was compiled and the processor can run it.

`kernel_build.py` compiles kernel.c into the virtual environment. Without it, and wherever `use` says so, gmpy2 does all
of it, with the same results: a kernel is only ever faster. `use` and `in_use` are of the whole process; a key stays
with what it first calculated with.

Here is checked what the kernel trusts: shapes, types, and that every index is in range.
"""

import ctypes
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import overload

import numpy as np
from gmpy2 import invert, mpz
from numpy.typing import NDArray

Rows = NDArray[np.uint64]
Places = NDArray[np.integer]

PORTABLE = "gmpy2"
IFMA = "avx512-ifma"
NATIVE = "native"  # for `use`: the fastest there is, and an error where there is none
FLAGS = ("-O3", "-shared", "-fPIC")
SOURCE = Path(__file__).with_name("kernel.c")
MODULUS_BITS_MAX = 16384
LIMB_BITS = 52
_HEAD = 8
_chosen: list[str] = []


class NoKernel(Exception):
    """A backend that cannot run on this machine."""


def library_path() -> Path:
    """Return where the kernel lies once compiled: of this very source, in the virtual environment."""
    digest = hashlib.sha256(" ".join((*FLAGS, sys.platform)).encode() + SOURCE.read_bytes())
    return Path(sys.prefix) / "lib" / "grainline" / f"kernel-{digest.hexdigest()[:16]}.so"


def backends() -> list[str]:
    """Return what can run here, fastest first; gmpy2 is the last and always there."""
    library = _library()
    return [PORTABLE] if library is None or not library.grainline_kernel_runs() else [IFMA, PORTABLE]


def use(name: str | None) -> None:
    """Have keys that are made from now on use a backend of `backends`; without a name, the fastest.

    `native` and `portable` are names too. Raises NoKernel for one that cannot run here.
    """
    wanted = {NATIVE: IFMA, "portable": PORTABLE}.get(name or "", name)
    if wanted is not None and wanted not in backends():
        raise NoKernel(f"no backend {name} on this machine, only {', '.join(backends())}")
    _chosen[:] = [] if wanted is None else [wanted]


def in_use() -> str:
    """Return the backend that is used for what is made now."""
    return _chosen[0] if _chosen else backends()[0]


def modulus(number: mpz) -> "Modulus | None":
    """Return what calculates modulo an odd number above 1, or None where gmpy2 is to."""
    if in_use() == PORTABLE or number % 2 == 0 or number.bit_length() > MODULUS_BITS_MAX:
        return None
    return Modulus(number)


@cache
def _library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(library_path()))
    except OSError:
        return None


class Modulus:
    """Numbers modulo an odd number, as rows of limbs in Montgomery form."""

    def __init__(self, number: mpz) -> None:
        library = _library()
        if library is None or IFMA not in backends():
            raise NoKernel("no kernel that runs here")
        if number < 3 or number % 2 == 0 or number.bit_length() > MODULUS_BITS_MAX:
            raise ValueError("no odd number above 1, or too long a one")
        self._library, self.number = library, number
        self._size = -(-int(number.bit_length()) // 8)
        # two bits to spare, in blocks of four limbs, in rows of whole registers of eight
        limbs = -(-(int(number.bit_length()) + 2) // LIMB_BITS)
        limbs += -limbs % 4
        self._stride = limbs + -limbs % 8
        self._context = np.zeros(_HEAD + 3 * self._stride, np.uint64)
        limb = mpz(1) << LIMB_BITS
        self._context[:3] = limbs, self._stride, int(-invert(number, limb) % limb)
        radix = limb**limbs
        for place, value in enumerate((number, radix * radix % number, radix % number)):
            row = [int(value >> LIMB_BITS * at & limb - 1) for at in range(limbs)]
            self._context[_HEAD + place * self._stride :][:limbs] = row

    def rows(self, numbers: Sequence[mpz]) -> Rows:
        """Take in numbers of 0 … modulus-1; raise ValueError for others."""
        if not all(0 <= number < self.number for number in numbers):
            raise ValueError("a number out of range")
        size = self._size
        return self._entered(b"".join([number.to_bytes(size, "little") for number in numbers]), is_big=False)

    def read(self, data: bytes) -> Rows:
        """Take in numbers as long as the modulus, highest byte first; raise ValueError for one that is not below it."""
        size, limit = self._size, self.number.to_bytes(self._size, "big")
        if len(data) % size or not all(data[at : at + size] < limit for at in range(0, len(data), size)):
            raise ValueError("a number out of range")
        return self._entered(data, is_big=True)

    def numbers(self, rows: Rows) -> list[mpz]:
        """Give out numbers of 0 … modulus-1."""
        out = np.empty(len(self._checked(rows)) * self._size, np.uint8)
        self._call("leave", out, rows, len(rows), self._size)
        data, size = out.tobytes(), self._size
        return [mpz.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]

    def multiplied(self, one: Rows, other: Rows) -> Rows:
        """Return the products row by row, or of all rows with the only one of `other`."""
        if len(self._checked(other)) not in (1, len(self._checked(one))):
            raise ValueError("another number of rows")
        out = np.empty_like(one)
        self._call("multiply", out, one, other, len(one), int(len(other) == 1))
        return out

    def squared(self, rows: Rows, times: int) -> Rows:
        """Return each row squared so many times."""
        out = self._checked(rows).copy()
        self._call("square", out, len(rows), times)
        return out

    def totals(self, rows: Rows, groups: Places, count: int) -> Rows:
        """Return the product of each group 0 … count-1, of none 1."""
        groups = np.ascontiguousarray(groups, np.int64)
        if groups.shape != (len(self._checked(rows)),) or (len(rows) and not 0 <= groups.min() <= groups.max() < count):
            raise ValueError("groups out of range")
        out = np.empty((count, self._stride), np.uint64)
        if not self._call("totals", out, rows, groups, len(rows), count):
            raise MemoryError
        return out

    def power(self, rows: Rows, exponent: mpz) -> Rows:
        """Return each row to a power of 0 or more."""
        out = self._checked(rows).copy()
        digits = np.array([int(digit, 16) for digit in f"{int(exponent):x}"], np.uint8)
        if not self._call("power", out, len(rows), digits, len(digits)):
            raise MemoryError
        return out

    def powers(self, base: mpz, window_bits: int, windows: int) -> Rows:
        """Return tables of base ** (i * 2 ** (window_bits * k)), one table for each k."""
        tables = np.empty((windows, 1 << window_bits, self._stride), np.uint64)
        power, one = self.rows([base]), self.rows([mpz(1)])
        for table in tables:
            table[0] = one[0]
            for bit in range(window_bits):
                table[1 << bit : 2 << bit] = self.multiplied(table[: 1 << bit], power)
                power = self.multiplied(power, power)
        return tables

    def times(self, rows: Rows, tables: Rows, windows: NDArray[np.uint32]) -> Rows:
        """Return each row times the entry of each table that its column of `windows` names."""
        windows = np.ascontiguousarray(windows, np.uint32)
        out = self._checked(rows).copy()
        if tables.dtype != np.uint64 or not tables.flags.c_contiguous or tables.shape[2:] != (self._stride,):
            raise ValueError("tables of another shape")
        if windows.shape[1:] != (len(rows),) or len(windows) > len(tables):
            raise ValueError("windows of another shape")
        if windows.size and windows.max() >= tables.shape[1]:
            raise ValueError("a window out of range")
        self._call("fixed", out, len(rows), tables, windows, len(windows), tables.shape[1])
        return out

    def packed(self, rows: Rows, together: int, bits: int) -> Rows:
        """Return for every `together` rows their product, each to the power 2**bits once more than the one before."""
        count = -(-len(self._checked(rows)) // together)
        slots = np.tile(self.rows([mpz(1)]), (count * together, 1))
        slots[: len(rows)] = rows
        slots = slots.reshape(count, together, self._stride)
        found = np.ascontiguousarray(slots[:, -1])
        for slot in range(together - 2, -1, -1):
            found = self.multiplied(self.squared(found, bits), np.ascontiguousarray(slots[:, slot]))
        return found

    def _entered(self, data: bytes, *, is_big: bool) -> Rows:
        out = np.empty((len(data) // self._size, self._stride), np.uint64)
        self._call("enter", out, np.frombuffer(data, np.uint8), len(out), self._size, int(is_big))
        return out

    def _checked(self, rows: Rows) -> Rows:
        if rows.ndim != 2 or rows.shape[1] != self._stride or rows.dtype != np.uint64 or not rows.flags.c_contiguous:
            raise ValueError("rows of another shape")
        return rows

    def _call(self, name: str, *arguments: np.ndarray | int) -> int:
        handed = [
            ctypes.c_long(one) if isinstance(one, int) else ctypes.c_void_p(one.ctypes.data)
            for one in (self._context, *arguments)
        ]
        return int(getattr(self._library, f"grainline_{name}")(*handed))


@dataclass(frozen=True)
class Held(Sequence[mpz]):
    """Numbers that stay in the kernel's form until somebody looks at them."""

    modulus: Modulus
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[mpz]:
        return iter(self.modulus.numbers(self.rows))

    @overload
    def __getitem__(self, place: int) -> mpz: ...
    @overload
    def __getitem__(self, place: slice) -> list[mpz]: ...
    def __getitem__(self, place: int | slice) -> mpz | list[mpz]:
        if isinstance(place, slice):
            return self.modulus.numbers(np.ascontiguousarray(self.rows[place]))
        return self.modulus.numbers(self.rows[place][None, :])[0]


def chosen(numbers: Sequence[mpz], places: Places) -> Sequence[mpz]:
    """Return the numbers at some places, held as they were."""
    if isinstance(numbers, Held):
        return Held(numbers.modulus, numbers.rows[places])
    return [numbers[place] for place in places.tolist()]


def joined(parts: Sequence[Sequence[mpz]]) -> Sequence[mpz]:
    """Return the numbers of all parts one after the other, held if all of them are, by the same modulus."""
    if len(parts) == 1:
        return parts[0]
    held = [part for part in parts if isinstance(part, Held)]
    if held and len(held) == len(parts) and all(part.modulus is held[0].modulus for part in held):
        return Held(held[0].modulus, np.concatenate([part.rows for part in held]))
    return [number for part in parts for number in part]
