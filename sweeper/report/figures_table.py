"""A table of two compared parameters: one cell a combination, headings that tilt where they do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sweeper.report import palette
from sweeper.report.canvas import Canvas
from sweeper.report.figures_plan import fitting_words
from sweeper.report.marks import Box
from sweeper.report.material import Material
from sweeper.report.units import clean
from sweeper.trial import Combination

_WIDEST = 150.0
_MANY = 16
"""From this many rows on they are low, so that the table stays on a screen."""


def axes_of(material: Material) -> tuple[list[object], list[object]]:
    """Values down and across: the second compared parameter goes across."""
    first, second = material.space.compare
    combinations = material.combinations()
    return list(dict.fromkeys(c[first] for c in combinations)), list(dict.fromkeys(c[second] for c in combinations))


def is_table(material: Material) -> bool:
    """Whether two parameters with several values each are compared."""
    return len(material.space.compare) == 2 and min(map(len, axes_of(material))) > 1


@dataclass(frozen=True)
class Table:
    """The places of the cells, in pixels.

    Attributes:
        left, top: of the first cell.
        wide, tall: of a cell.
        across: room to the right for the last slanted heading.
    """

    names: tuple[str, str]
    rows: list[object]
    columns: list[object]
    left: float
    top: float
    wide: float
    tall: float
    across: float
    tilted: bool

    @classmethod
    def fitting(cls, material: Material, width: int, lines: int) -> Table:
        """The table for a width, with room for some lines of words in a cell where it is wide enough."""
        (first, second), (rows, columns) = material.space.compare, axes_of(material)
        longest = max(len(clean(value, 22)) for value in rows)
        widest_left = 90.0 if width < 500 else 170.0
        left = min(max(longest * 7.4, len(clean(first, 22)) * 6.8) + 16, widest_left)
        widest = max(len(clean(value, 18)) for value in columns) * 7.6
        tilted = widest > min((width - left) / len(columns), _WIDEST) - 4
        across = widest * 0.71 + 4 if tilted else 2.0  # 45 degrees
        wide = max(min((width - left - across) / len(columns), _WIDEST), 20.0)
        tall = 27.0 if len(rows) > _MANY else 20.0 + 18.0 * lines if wide > 76 else 42.0
        top = 42.0 + across if tilted else 52.0
        return cls((first, second), rows, columns, left, top, wide, tall, across, tilted)

    def sheet(self) -> Canvas:
        """A canvas with the headings on it."""
        width = self.left + self.wide * len(self.columns) + self.across
        sheet = Canvas(width, self.top + self.tall * len(self.rows) + 6)
        sheet.text((self.left, 10), clean(self.names[1], 30), color=palette.MUTED, size=11)
        first = clean(self.names[0], fitting_words(self.left, 11))
        sheet.text((0, self.top - 14), first, color=palette.MUTED, size=11)
        for index, value in enumerate(self.columns):
            x = self.left + self.wide * (index + 0.5)
            if self.tilted:
                sheet.slanted((x - 4, self.top - 10), clean(value, 18))
            else:
                sheet.text((x, self.top - 14), clean(value, 18), align="center")
        for index, value in enumerate(self.rows):
            label = clean(value, fitting_words(self.left - 12))
            sheet.text((self.left - 10, self.top + self.tall * (index + 0.5)), label, align="right")
        return sheet

    def cells(self) -> Iterator[tuple[Combination, Box]]:
        """Every combination and its box, with a gap of two pixels to its neighbours."""
        for r, row in enumerate(self.rows):
            for c, column in enumerate(self.columns):
                combination = Combination(dict(zip(self.names, (row, column), strict=True)))  # type: ignore[arg-type]
                x, y = self.left + c * self.wide, self.top + r * self.tall
                yield combination, (x + 1, y + 1, self.wide - 2, self.tall - 2)

    def size(self, words: str, largest: float) -> float:
        """The font size at which words fit into a cell; 0 where they could not be read."""
        size = min(largest, (self.wide - 6) / (0.62 * max(len(words), 1)))
        return size if size >= 7 else 0.0
