"""Compile the kernel into the virtual environment, where there is a compiler (`python -m` this module).

Without a compiler, or where compiling fails, it says nothing and ends well: the platform runs without, only slower.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from grainline.federated import kernel

COMPILERS = ("cc", "gcc", "clang")


def build(target: Path, compilers: Sequence[str]) -> bool:
    """Compile to `target` unless it is there; return whether it is. Older ones beside it are removed."""
    if target.exists():
        return True
    for compiler in filter(None, map(shutil.which, compilers)):
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / target.name
            ended = subprocess.run(
                [compiler, *kernel.FLAGS, "-o", str(made), str(kernel.SOURCE)], capture_output=True, check=False
            )
            if ended.returncode == 0 and made.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                for old in target.parent.glob("kernel-*.so"):
                    old.unlink(missing_ok=True)
                aside = target.with_suffix(".new")
                shutil.copy(made, aside)
                aside.replace(target)
                return True
    return False


def main() -> int:
    """Compile; return 0 whatever came of it."""
    with suppress(OSError):
        build(kernel.library_path(), COMPILERS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
