"""Powers of one base to many exponents, by tables made once.

An exponent is cut into windows of w bits, and the power is the product of one table entry a window: no squarings are
left (Brickell, Gordon, McCurley, Wilson, "Fast exponentiation with precomputation", Eurocrypt 1992). The work goes
window by window over the whole batch, so that one window's table stays in the processor's cache.

Not in constant time: which entry is read depends on the exponent. Exponents are used once and drawn afresh.
"""

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from grainline.federated import kernel

BATCH = 8192  # numbers worked on at once: enough that fetching a window's table into the cache does not count


class FixedBase:
    """The tables of one base modulo one modulus, with windows of up to 16 bits; they grow as asked for."""

    def __init__(self, base: mpz, modulus: mpz, window_bits: int) -> None:
        self.modulus = modulus
        self.window_bits = window_bits
        self._next = base % modulus  # base ** 2**(window_bits * number of tables)
        self._tables: list[list[mpz]] = []
        self._base = base % modulus
        self._kernel = kernel.modulus(modulus)
        self._kernel_tables: kernel.Rows | None = None

    def times(self, factors: list[mpz], windows: NDArray[np.uint32]) -> list[mpz]:
        """Return each factor times the base to the exponent whose windows are its column, lowest first."""
        if self._kernel is not None:
            return self._times_in_kernel(self._kernel, factors, windows)
        modulus = self.modulus
        while len(self._tables) < len(windows):
            self._grow()
        for table, column in zip(self._tables, windows.tolist(), strict=False):
            entries = map(table.__getitem__, column)
            factors = [factor * entry % modulus for factor, entry in zip(factors, entries, strict=True)]
        return factors

    def _times_in_kernel(
        self, arithmetic: kernel.Modulus, factors: list[mpz], windows: NDArray[np.uint32]
    ) -> list[mpz]:
        tables = self._kernel_tables
        if tables is None or len(tables) < len(windows):
            tables = self._kernel_tables = arithmetic.powers(self._base, self.window_bits, len(windows))
        rows = arithmetic.rows([factor % self.modulus for factor in factors])
        return arithmetic.numbers(arithmetic.times(rows, tables, windows))

    def _grow(self) -> None:
        base, modulus = self._next, self.modulus
        table = [mpz(1)]
        for _ in range((1 << self.window_bits) - 1):
            table.append(table[-1] * base % modulus)
        self._next = table[-1] * base % modulus
        self._tables.append(table)


def windows_of(exponents: NDArray[np.uint8], bits: int, window_bits: int) -> NDArray[np.uint32]:
    """Return the windows of exponents of so many bits, given as rows of bytes, lowest first; a row for each window."""
    count = -(-bits // window_bits)
    padded = np.zeros((count * window_bits // 8 + 4, len(exponents)), np.uint32)
    padded[: exponents.shape[1]] = exponents.T
    windows = np.empty((count, len(exponents)), np.uint32)
    for number in range(count):
        at, low = divmod(number * window_bits, 8)
        three = padded[at] | padded[at + 1] << 8 | padded[at + 2] << 16
        windows[number] = three >> low & ((1 << window_bits) - 1)
    return windows


def raised(numbers: list[mpz], exponent: mpz, modulus: mpz, arithmetic: kernel.Modulus | None) -> list[mpz]:
    """Return numbers below the modulus, each to the same power, by a kernel if there is one."""
    if arithmetic is None:
        return list(gmpy2.powmod_base_list(numbers, exponent, modulus))
    return arithmetic.numbers(arithmetic.power(arithmetic.rows(numbers), exponent))


def product(numbers: list[mpz], modulus: mpz) -> mpz:
    """Return the product, of nothing 1.

    Reducing after every factor is fastest: GMP divides long numbers by short ones no better than step by step, and a
    tree of products or several factors at a time cost 8 to 60 % more when measured.
    """
    result = mpz(1)
    for number in numbers:
        result = result * number % modulus
    return result
