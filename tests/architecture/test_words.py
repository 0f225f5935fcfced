"""What things are called and what is said about them: names, docstrings, addresses."""

import ast
import re
import subprocess
from pathlib import Path

import house

EMPTY_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|commons?|managers?|misc)(?:$|_)")
# Third person ("Returns …") where the house writes what to do ("Return …"); these only look like it.
IMPERATIVES_IN_S = frozenset({"pass", "process", "address", "express", "press", "guess", "discuss", "cross", "assess"})

# Hosts that a file of ours may name: this machine, and the sources of what we quote.
HOSTS = frozenset(
    {
        "127.0.0.1",
        "www.apache.org",
        "creativecommons.org",
        "doi.org",
        "archive.ics.uci.edu",
        "www.w3.org",
        "www.rfc-editor.org",
    }
)
RESERVED = (".example", ".test", ".invalid", ".localhost", "example.com", "example.org")  # RFC 2606
URL = re.compile(r"\b(?:https?|wss?|ftp)://(?:[^\s/@'\"]*@)?(\[[0-9a-f:]+\]|[\w.-]+)", re.IGNORECASE)
# Written in pieces, or these lines would be breaches of what they check.
REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs|npmmirror|yarnpkg|unpkg|jsdelivr|conda)\.(?:org|com|io|net|cn)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|opt|home/[a-z]+|Users/[A-Za-z]+)/[\w.]")
BINARY = frozenset({".parquet", ".png", ".jpg", ".webp", ".ico", ".woff2", ".gz"})


def empty_names(module: house.Module) -> list[str]:
    """Report names that say nothing of what a thing is."""
    names: list[tuple[ast.AST | int, str]] = [(1, part) for part in Path(module.path).with_suffix("").parts]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            names.append((node, re.sub(r"(?<!^)(?=[A-Z])", "_", node.name).lower()))
        elif isinstance(node, house.Function):
            names.append((node, node.name))
    return [module.breach(node, f"{name}: name it by its noun") for node, name in names if EMPTY_NAMES.search(name)]


def undocumented(module: house.Module) -> list[str]:
    """Report public functions, methods and modules without a docstring, and first lines that only describe."""
    silent = module.text.strip() and ast.get_docstring(module.tree) is None
    breaches = [] if not silent else [module.breach(1, "the module says nothing of itself")]
    for node in _public(module.tree.body):
        text = ast.get_docstring(node)
        if text is None:
            breaches.append(module.breach(node, f"{node.name}() has no docstring"))
            continue
        first = text.split(maxsplit=1)[0].lower()
        if re.fullmatch(r"[a-z]+[^s\W]s", first) and first not in IMPERATIVES_IN_S and not first.endswith("ss"):
            breaches.append(module.breach(node, f"{node.name}(): begin with what to do, not {first!r}"))
    return breaches


def _public(body: list[ast.stmt]) -> list[house.Function]:
    """Return public functions at the top, and public methods of public classes; what is nested is nobody's."""
    found: list[house.Function] = []
    for node in body:
        if isinstance(node, house.Function) and not node.name.startswith("_"):
            found.append(node)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += _public(node.body)
    return found


def strange_addresses(path: str, text: str) -> list[str]:
    """Report hosts that are not on the list, package registries, and paths of one person's machine."""
    # npm writes where a package's authors take donations into its lock file, which is not ours to edit.
    urls = [] if path.endswith("package-lock.json") else URL.finditer(text)
    strange = [found for found in urls if _is_strange(found[1].lower())]
    strange += [*REGISTRY.finditer(text), *MACHINE_PATH.finditer(text)]
    return [f"{path}:{house.line_of(text, found.start())}: {found[0]}" for found in strange]


def _is_strange(host: str) -> bool:
    # A name without a dot is nobody's on the public network.
    return "." in host and host not in HOSTS and not host.endswith(RESERVED)


def tracked() -> list[Path]:
    """Return the files that git has or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=house.PROJECT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        names = [name for name in done.stdout.split("\0") if name]
    else:  # a source archive without .git
        folders = ("src", "web", "tests", "docs", "packs", "migrations", "benchmarks", "tools", "data")
        names = [
            str(path.relative_to(house.PROJECT))
            for folder in folders
            for path in (house.PROJECT / folder).rglob("*")
            if not {"node_modules", "dist", "__pycache__"} & set(path.parts)
        ]
    paths = [house.PROJECT / name for name in names]
    return [path for path in paths if path.is_file() and path.suffix not in BINARY]


def test_nothing_is_called_by_an_empty_name() -> None:
    breaches = [breach for module in house.modules() for breach in empty_names(module)]
    assert not breaches, house.show(breaches)


def test_every_public_function_says_what_it_does() -> None:
    breaches = [breach for module in house.modules() for breach in undocumented(module)]
    assert not breaches, house.show(breaches)


def test_no_file_names_a_strange_host_or_a_machine_of_ours() -> None:
    files = tracked()
    assert len(files) > 50
    breaches: list[str] = []
    for file in files:
        breaches += strange_addresses(str(file.relative_to(house.PROJECT)), file.read_text(encoding="utf-8"))
    assert not breaches, house.show(breaches)


def test_empty_names_are_found() -> None:
    for path in ("loans/utils.py", "common/model.py", "loans/date_helpers.py"):
        assert empty_names(house.sample(path, "")), path
    assert empty_names(house.sample("loans/a.py", "class LoanManager: pass"))
    assert empty_names(house.sample("loans/a.py", "def helper(): pass"))
    assert not empty_names(house.sample("loans/a.py", "class Commonwealth: pass"))


def test_missing_docstrings_are_found() -> None:
    assert len(undocumented(house.sample("a/b.py", "def f(): pass\nclass C:\n  def g(self): pass"))) == 3
    assert undocumented(house.sample("a/b.py", "'''A.'''\ndef f():\n  '''Returns a thing.'''"))
    fine = (
        "'''A.'''\ndef f():\n  '''Process it.'''\n  def nested(): pass\ndef _g(): pass\nclass _C:\n  def h(self): pass"
    )
    assert not undocumented(house.sample("a/b.py", fine))


def test_strange_addresses_are_found() -> None:
    scheme, registry = "https:/" + "/", "files.python" + "hosted.org"
    for text in (f"see {scheme}news.site.io/x", registry, "cd /ro" + "ot/project", "/ho" + "me/li/x"):
        assert strange_addresses("a.md", text), text
    for text in ("http://127.0.0.1:8800/x", "https://bank.example/x", "http://{host}:1", "/opt, say", "and/or/opt/x"):
        assert not strange_addresses("a.md", text), text
    assert not strange_addresses("web/package-lock.json", f"{scheme}git.site.com/sponsors/x")
    assert strange_addresses("web/package-lock.json", registry)
