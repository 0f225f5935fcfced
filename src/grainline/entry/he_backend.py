"""Which arithmetic encryption uses: the fastest this machine has, or what `GRAINLINE_HE_KERNEL` says."""

import os

from grainline.federated import kernel

VARIABLE = "GRAINLINE_HE_KERNEL"


def choose() -> str:
    """Have this process use the chosen backend, and return its name; raise kernel.NoKernel for one it cannot run.

    The variable is `portable` or `native`, or a backend's name; started processes inherit it. A key stays with
    what it first calculated with.
    """
    kernel.use(os.environ.get(VARIABLE) or None)
    return kernel.in_use()
