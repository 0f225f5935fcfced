"""The clock, randomness, the environment, commits and SQL each have their place, and money knows no floats."""

import ast
import re
from collections.abc import Callable

import house

# Read where the platform touches the world, and handed down from there as arguments.
WORLD = (
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.localtime",
    "uuid.uuid1",
    "uuid.uuid4",
    "os.environ",
    "os.getenv",
    "os.urandom",
    "secrets.",
    "random.",
    "numpy.random.rand",
    "numpy.random.seed",
)
# A generator with a seed draws the same numbers each time: that is a function, not chance.
SEEDED = ("random.Random", "numpy.random.default_rng")
WORLD_IN_SQL = re.compile(
    r"\b(?:(?:now|clock_timestamp|transaction_timestamp|statement_timestamp|timeofday|random|gen_random_uuid)\s*\("
    r"|current_(?:timestamp|date|time)\b|localtime(?:stamp)?\b)"
)
MONEY_ROOMS = ("ledger", "lines", "loans", "guard")
# An annual rate by IRR is shown and never booked; it is solved in floats and handed out as text.
FLOATS_ALLOWED = ("loans/apr.py",)
FLOAT_IN_SQL = re.compile(r"\b(?:real|double\s+precision|float[48]?)\b")
SQL = re.compile(
    r"\s*(?:select\s+[^.]*?(?:\sfrom\s|\()|with\s+\w+\s+as\s*\(|insert\s+into\s|update\s+[\w.]+\s+set\s"
    r"|delete\s+from\s|(?:create|alter|drop)\s+(?:table|role|schema|index|function|database)\s|truncate\s+\w)",
    re.IGNORECASE,
)


def reads_world(module: house.Module) -> list[str]:
    """Report uses of the clock, randomness and the environment outside entry/."""
    if module.room == "entry":
        return []
    seeded = {id(node.func) for node in ast.walk(module.tree) if isinstance(node, ast.Call) and node.args}
    breaches = []
    for node, name in house.dotted_names(module):
        if name in SEEDED and id(node) in seeded:
            continue
        if name in WORLD or name in SEEDED or name.startswith(tuple(w for w in WORLD if w.endswith("."))):
            breaches.append(module.breach(node, f"{name}: only entry/ reads the world; take it as an argument"))
    return breaches


def reads_world_in_sql(path: str, text: str) -> list[str]:
    """Report SQL that reads the database's clock or draws lots: the sandbox's time is not the database's."""
    return [
        f"{path}:{house.line_of(text, found.start())}: {found[0]}…: pass the time and ids in"
        for found in WORLD_IN_SQL.finditer(text)
    ]


def uses_floats(module: house.Module) -> list[str]:
    """Report float literals and float() near money."""
    near_money = module.room in MONEY_ROOMS or module.path == "kit/money.py"
    if not near_money or module.path in FLOATS_ALLOWED:
        return []
    # A length of time is not money; its unit is in its name.
    times = {
        id(node.value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign)
        and all(isinstance(name, ast.Name) and name.id.endswith(("_S", "_SECONDS")) for name in node.targets)
    }
    return [
        module.breach(node, "a float near money: use integers of fen, or Decimal for text")
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float) and id(node) not in times)
        or (isinstance(node, ast.Name) and node.id == "float" and isinstance(node.ctx, ast.Load))
    ]


def commits(module: house.Module) -> list[str]:
    """Report commits and rollbacks that are not at the edge. The sandbox's partners keep books of their own."""
    if module.room in {"entry", "sandbox"} or module.path == "kit/db.py":
        return []
    return [
        module.breach(node, f"{node.func.attr}(): a transaction is ended only at the edge")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"commit", "rollback"}
    ]


def may_hold_sql(module: house.Module) -> bool:
    return module.path.endswith("store.py") or module.room in {"kit", "desk", "entry"}


def speaks_sql(module: house.Module) -> list[str]:
    """Report SQL in strings, and the database driver, where only a store may have them."""
    if may_hold_sql(module):
        return []
    texts = {id(part) for node in ast.walk(module.tree) for part in _docstring(node)}
    breaches = [
        module.breach(node, "SQL belongs into store.py or a .sql file of the room")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in texts
        and SQL.match(node.value)
    ]
    for node in ast.walk(module.tree):
        imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(name.partition(".")[0] in {"psycopg", "psycopg_pool", "sqlite3"} for name in imported):
            breaches.append(module.breach(node, "only a store talks to the database"))
    return breaches


def _docstring(node: ast.AST) -> list[ast.expr]:
    if not isinstance(node, ast.Module | ast.ClassDef | house.Function) or not node.body:
        return []
    first = node.body[0]
    return [first.value] if isinstance(first, ast.Expr) else []


def _all(rule: Callable[[house.Module], list[str]]) -> list[str]:
    return [breach for module in house.modules() for breach in rule(module)]


def test_only_entry_reads_clock_randomness_and_environment() -> None:
    assert not (breaches := _all(reads_world)), house.show(breaches)


def test_sql_reads_neither_clock_nor_chance() -> None:
    breaches = [breach for path, text in house.scripts() for breach in reads_world_in_sql(path, text)]
    for module in house.modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
                breaches += reads_world_in_sql(module.breach(node, "in SQL"), house.plain_sql(node.value))
    assert not breaches, house.show(breaches)


def test_money_rooms_have_no_floats() -> None:
    breaches = _all(uses_floats)
    for path, text in house.scripts():
        if "/sandbox/" not in path:  # the partners' own book, in a database of theirs
            breaches += [f"{path}:{house.line_of(text, f.start())}: {f[0]}" for f in FLOAT_IN_SQL.finditer(text)]
    assert not breaches, house.show(breaches)


def test_only_the_edge_ends_a_transaction() -> None:
    assert not (breaches := _all(commits)), house.show(breaches)


def test_only_stores_speak_sql() -> None:
    assert not (breaches := _all(speaks_sql)), house.show(breaches)


def test_readers_of_the_world_are_found() -> None:
    for text in (
        "from datetime import datetime\ndef f(): return datetime.now()",
        "import datetime as dt\nx = dt.date.today()",
        "import time\ndef f(clock=time.time): pass",
        "from time import monotonic\nmonotonic()",
        "from uuid import uuid4\nuuid4()",
        "import os\nx = os.environ['A']",
        "import secrets\nsecrets.token_bytes(3)",
        "import random\nrandom.choice([])",
        "import random\nrandom.Random()",
        "import numpy as np\nnp.random.default_rng()",
    ):
        assert reads_world(house.sample("loans/bad.py", text)), text
        assert not reads_world(house.sample("entry/good.py", text))
    for text in ("import random\nrandom.Random(7)", "from datetime import datetime\ndatetime(2026, 1, 1)"):
        assert not reads_world(house.sample("loans/good.py", text))
    assert reads_world_in_sql("a.sql", "select now()") and reads_world_in_sql("a.sql", "default current_date")
    assert not reads_world_in_sql("a.sql", "select p_now, known_random_walk from t")


def test_floats_are_found() -> None:
    for text in ("RATE = 0.05", "def f(x: float): pass", "x = float('1')"):
        assert uses_floats(house.sample("loans/bad.py", text)), text
        assert uses_floats(house.sample("kit/money.py", text)), text
        assert not uses_floats(house.sample("scoring/good.py", text))
        assert not uses_floats(house.sample("loans/apr.py", text))
    assert not uses_floats(house.sample("loans/good.py", "WAIT_S = 0.5"))
    assert FLOAT_IN_SQL.search("rate double precision") and not FLOAT_IN_SQL.search("really bigint")


def test_stray_commits_and_sql_are_found() -> None:
    assert commits(house.sample("loans/bad.py", "def f(tx): tx.commit()"))
    assert not commits(house.sample("kit/db.py", "def f(tx): tx.commit()"))
    for text in (
        "q = 'select a, b from loans.loans'",
        "q = '  INSERT INTO t VALUES (1)'",
        "q = f'update t set a = {1}'",
        "q = 'select post(%s)'",
        "import psycopg",
        "from psycopg.rows import dict_row",
    ):
        assert speaks_sql(house.sample("loans/service.py", text)), text
        assert not speaks_sql(house.sample("loans/store.py", text))
    for text in ("'''Select who is due from the calendar.'''", "x = 'Select a card'", "x = 'update the set'"):
        assert not speaks_sql(house.sample("loans/service.py", text)), text
