"""Files and functions stay small enough to be read at one sitting, and the limits only ever tighten."""

from statistics import median, quantiles

import house

FILE_LINES_MAX = 500
FILE_LINES_SOFT = 300
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_SOFT = 40
FILE_LINES_MEDIAN_MAX = 130
FUNCTION_LINES_MEDIAN_MAX = 12

# Above the soft limit today. Never add to these two: split instead, and strike out what has become smaller.
LONG_FILES: frozenset[str] = frozenset()
LONG_FUNCTIONS = frozenset()


def file_lengths(modules: tuple[house.Module, ...]) -> dict[str, int]:
    return {module.path: len(module.text.splitlines()) for module in modules}


def function_lengths(modules: tuple[house.Module, ...]) -> dict[str, int]:
    lengths: dict[str, int] = {}
    for module in modules:
        for node in house.functions(module):
            name = f"{module.path}:{node.name}"
            lengths[name] = max(lengths.get(name, 0), house.length(node))
    return lengths


def ratchet(lengths: dict[str, int], *, soft: int, known: frozenset[str]) -> list[str]:
    """Report what is above the soft limit and not known for it, and what is known and no longer above."""
    above = {name for name, lines in lengths.items() if lines > soft}
    grown = [f"{name}: {lengths[name]} lines, above {soft}; split it by noun" for name in sorted(above - known)]
    shrunk = [f"{name} is within {soft} lines now: strike it from the list" for name in sorted(known - above)]
    return grown + shrunk


def too_long(lengths: dict[str, int], limit: int) -> list[str]:
    return [f"{name}: {lines} lines, the limit is {limit}" for name, lines in lengths.items() if lines > limit]


def test_no_file_and_no_function_is_above_its_hard_limit() -> None:
    breaches = too_long(file_lengths(house.modules()), FILE_LINES_MAX)
    breaches += too_long(function_lengths(house.modules()), FUNCTION_LINES_MAX)
    assert not breaches, house.show(breaches)


def test_soft_limits_only_tighten() -> None:
    breaches = ratchet(file_lengths(house.modules()), soft=FILE_LINES_SOFT, known=LONG_FILES)
    breaches += ratchet(function_lengths(house.modules()), soft=FUNCTION_LINES_SOFT, known=LONG_FUNCTIONS)
    assert not breaches, house.show(breaches)


def test_typical_file_and_function_are_short() -> None:
    assert median(file_lengths(house.modules()).values()) <= FILE_LINES_MEDIAN_MAX
    lengths = list(function_lengths(house.modules()).values())
    assert median(lengths) <= FUNCTION_LINES_MEDIAN_MAX
    assert quantiles(lengths, n=20)[-1] <= FUNCTION_LINES_SOFT


def test_limits_can_be_broken() -> None:
    long = house.sample("loans/long.py", "def f():\n" + "    g()\n" * 80 + "x = 1\n" * 500)
    assert too_long(file_lengths((long,)), FILE_LINES_MAX) == ["loans/long.py: 581 lines, the limit is 500"]
    assert too_long(function_lengths((long,)), FUNCTION_LINES_MAX) == ["loans/long.py:f: 81 lines, the limit is 70"]
    assert len(ratchet({"a": 301, "b": 10}, soft=300, known=frozenset({"b"}))) == 2
    assert ratchet({"a": 301}, soft=300, known=frozenset({"a"})) == []
