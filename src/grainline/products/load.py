"""Read packs from TOML files, with errors that name the file and the key."""

import json
import tomllib
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from grainline.products.misfit import Misfit
from grainline.products.pack import Pack


class BadPack(ValueError):
    """A pack that cannot be used; the message names the file and every offending key."""


def load_pack(path: Path) -> Pack:
    """Read and validate one pack; raise BadPack naming file and key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadPack(f"{path}: there is no such pack") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPack(f"{path}: not TOML: {error}") from error
    try:
        # Read as JSON, which has no names and no dates of its own: what is a name in TOML may be one here.
        pack = Pack.model_validate_json(json.dumps(raw, default=str))
    except ValidationError as error:
        raise BadPack("\n".join(f"{path}: {_said(fault)}" for fault in error.errors())) from error
    if pack.product.code != path.stem:
        raise BadPack(f"{path}: product.code: is {pack.product.code!r}, the file is named {path.stem!r}")
    return pack


def load_packs(folder: Path) -> dict[str, Pack]:
    """Read every pack of a folder, by product code; raise BadPack where there is none or one is bad."""
    packs = [load_pack(path) for path in sorted(folder.glob("*.toml"))]
    if not packs:
        raise BadPack(f"{folder}: there is no pack in it")
    return {pack.product.code: pack for pack in packs}


def _said(fault: ErrorDetails) -> str:
    """Write a fault as its key and what is wrong with it."""
    place = ".".join(str(part) for part in fault["loc"])
    misfit = fault.get("ctx", {}).get("error")
    if isinstance(misfit, Misfit):
        return f"{place}.{misfit}" if place else str(misfit)
    return f"{place}: {fault['msg']}"
