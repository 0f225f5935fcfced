"""What the simulated partners are told by whoever starts them."""

from dataclasses import dataclass
from pathlib import Path

OPENING_FEN = 2_000_000  # 20,000 yuan on every card
HOUSE_OPENING_FEN = 1_000_000_000_000  # 10 billion yuan: thirty thousand lines cannot empty it


@dataclass(frozen=True)
class SandboxSettings:
    """Settings of one sandbox; `secret` is shared with the platform.

    `callback_url` is where the rail calls back: nowhere when None. `settlement_delay_s` counts
    seconds of the sandbox's clock.
    """

    database: Path
    secret: bytes
    callback_url: str | None = None
    settlement_delay_s: int = 0
    callback_attempts_max: int = 12
    fault_seed: int = 1
