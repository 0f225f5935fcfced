"""Servicing: every event of a loan's life, the rules it is computed by, days that are closed."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Lay down rule sets, events, classifications and closings, and carry over what is there."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
