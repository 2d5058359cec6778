"""What a figure is before it is drawn, and what its panels have in common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeper.report import palette
from sweeper.report.material import Material
from sweeper.report.units import clean, number
from sweeper.trial import Stage

if TYPE_CHECKING:
    from sweeper.report.canvas import Canvas


EXPLORED = "Exploration · single runs on validation rows"
RACED = "Exploration and race · single runs on validation rows"
CONFIRMED = "Confirmation · fresh seeds, sealed test rows"
CONFIRMED_COURSES = "Confirmation · fresh seeds, validation rows"
NIGHTS = "After the study · the frozen pick on fresh seeds of each night"
KEPT = "The kept model · one training, sealed test rows"


def screened(material: Material) -> str:
    """The stage of figures that show every trial before confirmation."""
    return RACED if any(record.spec.stage is Stage.RACE for record in material.records) else EXPLORED


@dataclass(frozen=True)
class Plan:
    """A figure that can be drawn at any width.

    Attributes:
        name: of its file.
        stage: what it rests on; never left out, because only confirmation is evidence.
        title: a sentence that says what to see.
        caption: how to read it: axes, marks, what was left out.
        draw: width in pixels -> canvas.
    """

    name: str
    stage: str
    title: str
    caption: str
    draw: Callable[[int], Canvas]


@dataclass(frozen=True)
class Grid:
    """Panels of equal size in rows, below each other's titles.

    Attributes:
        left, top: margins before the first panel, in pixels.
        gap_x, gap_y: between panels; `gap_y` holds tick labels and the next title.
    """

    columns: int
    width: float
    height: float
    left: float
    top: float
    gap_x: float = 18
    gap_y: float = 56

    @classmethod
    def fitting(cls, count: int, sheet: float, *, smallest: float, largest: float, height: float) -> Grid:
        """As many columns as fit, evenly filled: 4 panels become 2 x 2 rather than 3 + 1."""
        left, gap = 48.0, 18.0
        most = max(int((sheet - left + gap) // (smallest + gap)), 1)
        rows = math.ceil(count / most)
        columns = math.ceil(count / rows)
        width = min((sheet - left + gap) / columns - gap - 8, largest)
        return cls(columns, width, height, left, 44, gap)

    def place(self, index: int) -> tuple[float, float]:
        """Top left corner of a panel."""
        row, column = divmod(index, self.columns)
        return self.left + column * (self.width + self.gap_x), self.top + row * (self.height + self.gap_y)

    def bottom(self, count: int) -> float:
        """Where the last row of panels ends."""
        return self.top + math.ceil(count / self.columns) * (self.height + self.gap_y) - self.gap_y


def even_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers inside an interval, at most about `most` of them."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    raw = span / most
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Ticks with the decimals that tell them apart."""
    gaps = [b - a for a, b in itertools.pairwise(ticks)]
    step = min(gaps) if gaps else abs(ticks[0]) / 10 or 1
    decimals = next((d for d in range(8) if abs(round(step, d) - step) < step * 1e-6), 8)
    if max(abs(tick) for tick in ticks) >= 1e5 or decimals > 6:
        return [f"{tick:.3g}" for tick in ticks]
    return [f"{tick:.{decimals}f}" for tick in ticks]


def decade_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten inside an interval, every second or third one where they are too many."""
    first, last = math.ceil(math.log10(low) - 1e-6), math.floor(math.log10(high) + 1e-6)
    exponents = list(range(first, last + 1))
    every = math.ceil(len(exponents) / most) if exponents else 1
    return [10.0**e for e in exponents[::every]] or [low]


def rate_label(rate: float) -> str:
    """A learning rate on an axis."""
    return f"{rate:g}" if 1e-3 <= rate < 1e4 else number(float(rate))


def fitting_words(width: float, size: float = 12) -> int:
    """How many characters of a size fit into a width; DejaVu is up to 0.65 em wide on average."""
    return max(int(width / (0.65 * size)), 4)


def label_room(labels: Iterable[object], width: float) -> float:
    """Pixels for row labels at the left of a sheet: what the longest needs, at most two fifths of the width."""
    longest = max((len(clean(label)) for label in labels), default=0)
    return min(longest * 7.6 + 18, 0.4 * width, 260.0)


def panel_title(sheet: Canvas, at: tuple[float, float], width: float, name: str, value: str) -> None:
    """A name at the left and a value at the right end of a panel; the value only where both fit."""
    name = clean(name)
    if fitting_words(width) < len(name) + len(value) + 1:
        value = ""
    sheet.text(at, clean(name, fitting_words(width - 8 * len(value))))
    sheet.text((at[0] + width, at[1]), value, color=palette.ACCENT, size=11, align="right")
