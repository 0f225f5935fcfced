"""What a watch over models says, and by which thresholds."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How grave something is; `ripening` are outcomes that are still to come, which are judged when they have."""

    TOO_FEW = "too_few"
    RIPENING = "ripening"
    STABLE = "stable"
    WATCH = "watch"
    ALARM = "alarm"


class Population(StrEnum):
    """Of whom a report is: of a file that somebody gave, of those who applied, or of lines that were reviewed."""

    GIVEN = "given"
    APPLICATION = "application"
    REVIEW = "review"


@dataclass(frozen=True)
class Thresholds:
    """By what is judged; each is explained in monitoring.toml. Those in …_e6 are 10⁻⁶."""

    version: str
    bins: int
    rows_least: int
    psi_watch_e6: int
    psi_alarm_e6: int
    chance_e6: int
    class_least: int
    auc_fall_watch_e6: int
    auc_fall_alarm_e6: int
    calibration_confidence_e6: int
    calibration_alarm_e6: int
    baseline_rows: int
    outcome_months: int
    vintage_months: int
