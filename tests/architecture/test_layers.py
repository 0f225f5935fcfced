"""Two rooms run alone at a data party, so they take nothing of ours along but the kit.

The order of the rooms themselves is in .importlinter, which cannot speak of rooms that do not exist yet.
"""

import ast
import configparser

import house

ALONE = frozenset({"federated", "behaviour"})


def strangers(module: house.Module) -> list[str]:
    """Report what a room that must run alone imports of ours besides itself and the kit."""
    if module.room not in ALONE:
        return []
    found = []
    for node in ast.walk(module.tree):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            first, _, room = name.partition(".")
            if first == "grainline" and room.partition(".")[0] not in {module.room, "kit"}:
                found.append(module.breach(node, f"{name}: {module.room}/ runs where there is only kit/"))
    return found


def test_rooms_that_run_alone_import_only_the_kit() -> None:
    found = [breach for module in house.modules() for breach in strangers(module)]
    assert not found, house.show(found)


def test_every_room_has_its_layer() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(house.PROJECT / ".importlinter")
    layers = contracts["importlinter:contract:layers"]["layers"]
    named = {room.strip(" ()") for layer in layers.split("\n") for room in layer.split("|")} - {""}
    rooms = {module.room for module in house.modules() if "/" in module.path}
    assert rooms <= named, f"not in .importlinter: {sorted(rooms - named)}"
    assert named >= ALONE


def test_strangers_are_found() -> None:
    for text in ("from grainline.loans import fold", "import grainline.ledger.store", "from grainline import lines"):
        assert strangers(house.sample("federated/psi.py", text)), text
        assert not strangers(house.sample("scoring/model.py", text))
    for text in ("from grainline.kit.money import Fen", "from grainline.federated import he", "import polars"):
        assert not strangers(house.sample("federated/psi.py", text)), text
