"""Read packs from TOML files, with errors that name the file and the key."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

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
        pack = Pack.model_validate(raw)
    except ValidationError as error:
        lines = [f"{path}: {_key(e['loc'])}: {e['msg']}" for e in error.errors()]
        raise BadPack("\n".join(lines)) from error
    if pack.product.code != path.stem:
        raise BadPack(f"{path}: product.code: is {pack.product.code!r}, the file is named {path.stem!r}")
    return pack


def load_packs(folder: Path) -> dict[str, Pack]:
    """Read every pack of a folder, by product code; raise BadPack where there is none or one is bad."""
    packs = [load_pack(path) for path in sorted(folder.glob("*.toml"))]
    if not packs:
        raise BadPack(f"{folder}: there is no pack in it")
    return {pack.product.code: pack for pack in packs}


def _key(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) or "(the whole)"
