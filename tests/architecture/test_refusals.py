"""Every refusal has a code of its own and a sentence in both languages."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable

import house

TEXTS = house.SOURCE / "entry" / "texts.toml"
LANGUAGES = ("zh", "en")
CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def refusals(modules: Iterable[house.Module]) -> list[tuple[house.Module, ast.ClassDef]]:
    """Return every class that descends from Refusal, whatever lies between."""
    classes = [(m, node) for m in modules for node in ast.walk(m.tree) if isinstance(node, ast.ClassDef)]
    known = {"Refusal"}
    found: dict[int, tuple[house.Module, ast.ClassDef]] = {}
    while True:
        new = [
            (module, node)
            for module, node in classes
            if id(node) not in found and {_last_name(base) for base in node.bases} & known
        ]
        if not new:
            return list(found.values())
        found |= {id(node): (module, node) for module, node in new}
        known |= {node.name for _, node in new}


def code_of(node: ast.ClassDef) -> str | None:
    """Return the code that a refusal's class sets, or None."""
    for part in node.body:
        targets = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", None)]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if "code" in names and isinstance(value := getattr(part, "value", None), ast.Constant):
            return value.value if isinstance(value.value, str) else None
    return None


def breaches(modules: Iterable[house.Module], texts: dict[str, dict[str, str]] | None) -> list[str]:
    """Report refusals without a code, with another's code, or without their sentences."""
    modules = tuple(modules)
    found = []
    codes: Counter[str] = Counter()
    kinds = _bases_only(modules)
    for module, node in refusals(modules):
        code = code_of(node)
        if code is None and node.name in kinds:
            continue
        if code is None or not CODE.fullmatch(code):
            found.append(module.breach(node, f"{node.name} needs a code like not_enough_line"))
            continue
        codes[code] += 1
        if codes[code] > 1:
            found.append(module.breach(node, f"the code {code} is taken by another refusal"))
        for language in LANGUAGES if texts is not None else ():
            if not (texts or {}).get(code, {}).get(language, "").strip():
                found.append(module.breach(node, f"{TEXTS.name} has no {language} sentence for {code}"))
    return found


def _bases_only(modules: Iterable[house.Module]) -> set[str]:
    """Return the names of classes that others descend from and nobody raises: a family, not a refusal."""
    nodes = [node for module in modules for node in ast.walk(module.tree)]
    bases = {_last_name(base) for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases}
    raised = [node.exc for node in nodes if isinstance(node, ast.Raise) and node.exc is not None]
    return bases - {_last_name(exc.func if isinstance(exc, ast.Call) else exc) for exc in raised}


def _last_name(base: ast.expr) -> str:
    return base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")


def test_refusals_have_codes_and_sentences() -> None:
    texts = tomllib.loads(TEXTS.read_text(encoding="utf-8")) if TEXTS.exists() else None
    assert len(refusals(house.modules())) > 10
    assert not (found := breaches(house.modules(), texts)), house.show(found)


def test_bad_refusals_are_found() -> None:
    texts = {"late": {"zh": "太晚", "en": "Too late"}, "half": {"zh": "一半", "en": " "}}
    good = house.sample("a.py", "class Late(Refusal):\n    code = 'late'")
    family = house.sample("a.py", "class A(Refusal): pass\nclass B(A):\n    code = 'late'\nraise B()")
    assert breaches([good], texts) == breaches([family], texts) == []
    for text, what in (
        ("class A(Refusal): pass", "needs a code"),
        ("class A(Refusal):\n    code = ''", "needs a code"),
        ("class A(errors.Refusal):\n    code: ClassVar[str] = 'Late!'", "needs a code"),
        ("class A(Refusal):\n    code = 'half'", "no en sentence"),
        ("class A(Refusal):\n    code = 'late'\nclass B(A):\n    code = 'late'", "taken"),
        ("class A(Refusal):\n    code = 'late'\nclass B(A): pass", "needs a code"),
        ("class A(Refusal): pass\nclass B(A):\n    code = 'late'\nraise A(n=1)", "A needs a code"),
    ):
        [breach] = breaches([house.sample("a.py", text)], texts)
        assert what in breach
