"""The plots of a model card, as small SVG: no library, no script, nothing fetched, the same bytes for one model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor

from grainline.scoring.card_evidence import Decile, Evidence

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 28, 42
INK, QUIET, GOOD, BAD = "#222222", "#8a8a8a", "#3b78b5", "#c4553d"
BAR, LABELS = 20, 170
Point = tuple[float, float]


@dataclass(frozen=True)
class Axes:
    """From values to places on the picture."""

    x: Point
    y: Point

    def at(self, x: float, y: float) -> Point:
        """Return where a value lies, in pixels from the left and from above."""
        (x0, x1), (y0, y1) = self.x, self.y
        across = LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)
        return round(across, 1), round(down, 1)

    def path(self, points: Sequence[Point], colour: str, *, dashed: bool = False) -> str:
        """Return a line through points."""
        told = " ".join(f"{x},{y}" for x, y in (self.at(*point) for point in points))
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        return f'<polyline points="{told}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>'


def roc_plot(evidence: Evidence) -> str:
    """Return the ROC curve with the greatest distance (KS) drawn in."""
    axes = Axes((0, 1), (0, 1))
    across, up = evidence.ks_at
    auc, ks = evidence.measures["auc"].value, evidence.measures["ks"].value
    return _picture(
        f"ROC: AUC {auc:.3f}, KS {ks:.3f}",
        [
            *_frame(axes, "share of good refused", "share of bad refused", _percent),
            axes.path([(0, 0), (1, 1)], QUIET, dashed=True),
            axes.path([(0.0, 0.0), *evidence.roc], GOOD),
            axes.path([(across, across), (across, up)], BAD),
            _text(*axes.at(min(across + 0.02, 0.8), (across + up) / 2), "KS", colour=BAD),
        ],
    )


def calibration_plot(evidence: Evidence) -> str:
    """Return predicted against observed default rates by decile, with intervals."""
    most = max(max(one.high, one.predicted) for one in evidence.deciles)
    axes = Axes((0, most), (0, most))
    return _picture(
        "Calibration by decile",
        [
            *_frame(axes, "predicted default rate", "observed default rate, 95 %", _percent),
            axes.path([(0, 0), (most, most)], QUIET, dashed=True),
            *(_whisker(axes, one) for one in evidence.deciles),
        ],
    )


def distribution_plot(evidence: Evidence) -> str:
    """Return how the probabilities of who paid and of who did not are spread, each with an area of one."""
    shares = [_shares(evidence.good), _shares(evidence.bad)]
    axes = Axes((evidence.edges[0], evidence.edges[-1]), (0, max(max(one) for one in shares) or 1))
    lines = [axes.path(_steps(evidence.edges, one), colour) for one, colour in zip(shares, (GOOD, BAD), strict=True)]
    legend = [
        _text(WIDTH - RIGHT - 96, TOP + 16, "paid", colour=GOOD),
        _text(WIDTH - RIGHT - 96, TOP + 32, "defaulted", colour=BAD),
    ]
    frame = _frame(axes, "probability of default", "share of each", _percent, across=_odds)
    return _picture("Score distribution", [*frame, *lines, *legend])


def importance_plot(title: str, weights: Sequence[tuple[str, float]]) -> str:
    """Return bars of what features weigh, in the order given; a weight is 0 or more."""
    most = max((weight for _, weight in weights), default=0) or 1
    room = WIDTH - LABELS - RIGHT - 40
    bars = []
    for n, (name, weight) in enumerate(weights):
        y = TOP + 8 + n * BAR
        wide = round(weight / most * room, 1)
        bars.append(_text(LABELS - 6, y + 12, name if len(name) <= 26 else f"{name[:25]}…", anchor="end"))
        bars.append(f'<rect x="{LABELS}" y="{y}" width="{wide}" height="{BAR - 6}" fill="{GOOD}"/>')
        bars.append(_text(LABELS + wide + 4, y + 12, f"{weight:.3g}", colour=QUIET))
    return _picture(title, bars, height=TOP + 16 + BAR * max(1, len(weights)))


def _picture(title: str, parts: Sequence[str], *, height: int = HEIGHT) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" font-family="sans-serif" font-size="11"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    )
    return "\n".join([head, _text(LEFT, 16, title, size=13), *parts, "</svg>\n"])


def _frame(
    axes: Axes,
    across_name: str,
    up_name: str,
    told: Callable[[float], str],
    *,
    across: Callable[[float], str] | None = None,
) -> list[str]:
    (left, bottom), (right, top) = axes.at(axes.x[0], axes.y[0]), axes.at(axes.x[1], axes.y[1])
    middle = (top + bottom) / 2
    lines = [
        f'<path d="M{left},{top} V{bottom} H{right}" fill="none" stroke="{INK}"/>',
        _text((left + right) / 2, HEIGHT - 8, across_name, anchor="middle"),
        f'<text x="13" y="{middle}" text-anchor="middle" fill="{INK}" transform="rotate(-90 13 {middle})">'
        f"{escape(up_name)}</text>",
    ]
    ticks = _whole_ticks(axes.x) if across else _ticks(axes.x)
    lines += [_text(axes.at(x, axes.y[0])[0], bottom + 15, (across or told)(x), anchor="middle") for x in ticks]
    lines += [_text(left - 5, axes.at(axes.x[0], y)[1] + 4, told(y), anchor="end") for y in _ticks(axes.y)]
    return lines


def _ticks(ends: Point) -> list[float]:
    low, high = ends
    return [low + (high - low) * n / 4 for n in range(5)]


def _whole_ticks(ends: Point) -> list[float]:
    whole = [float(n) for n in range(ceil(ends[0]), floor(ends[1]) + 1)]
    return whole or _ticks(ends)


def _whisker(axes: Axes, one: Decile) -> str:
    x, y = axes.at(one.predicted, one.observed)
    bar = axes.path([(one.predicted, one.low), (one.predicted, one.high)], QUIET)
    return f'{bar}<circle cx="{x}" cy="{y}" r="3" fill="{GOOD}"/>'


def _steps(edges: Sequence[float], heights: Sequence[float]) -> list[Point]:
    points = [(edges[0], 0.0)]
    for n, height in enumerate(heights):
        points += [(edges[n], height), (edges[n + 1], height)]
    return [*points, (edges[-1], 0.0)]


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _percent(value: float) -> str:
    return f"{value * 100:.3g}%"


def _odds(exponent: float) -> str:
    odds = 10**exponent
    return f"{100 * odds / (1 + odds):.3g}%"


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = INK, size: int = 11) -> str:
    return (
        f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">'
        f"{escape(words)}</text>"
    )
