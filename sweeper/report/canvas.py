"""A sheet to draw on, measured in pixels from the top left corner, and its two forms: SVG for the page, PNG for a file.

A sheet only remembers its marks. `svg` writes them down and `png` paints them, so a figure is computed once and costs
milliseconds in the page; the picture file is the only one that needs matplotlib.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from sweeper.report import palette
from sweeper.report.marks import Area, Box, Boxes, Dots, Frame, Line, Mark, Marker, Point, Words
from sweeper.report.units import clean


class Canvas:
    """A sheet of a fixed size in pixels; what is drawn later lies on top."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.marks: list[Mark] = []

    def panel(self, x: float, y: float, width: float, height: float) -> Panel:
        """Axes at a place, bare: the limits are set next."""
        return Panel(self, (x, y, width, height))

    def text(self, at: Point, words: str, *, color: str = palette.INK, size: float = 12, align: str = "left") -> None:
        """Words on one line, vertically centred at a point; `align` is `left`, `center` or `right`."""
        self._say(Words(at, clean(words), color, size, align))

    def strong(self, at: Point, words: str, *, color: str = palette.INK, size: float = 12, align: str = "left") -> None:
        """The same in bold."""
        self._say(Words(at, clean(words), color, size, align, bold=True))

    def slanted(self, at: Point, words: str, *, size: float = 12) -> None:
        """Words that rise by 45 degrees from a point."""
        self._say(Words(at, clean(words), palette.INK, size, angle=45))

    def boxes(self, boxes: Sequence[Box], colors: Sequence[str]) -> None:
        """Filled boxes, one colour each."""
        if boxes:
            self.marks.append(Boxes(tuple(boxes), tuple(colors)))

    def frame(self, box: Box, color: str, width: float = 2) -> None:
        """The outline of a box."""
        self.marks.append(Frame(box, color, width))

    def line(self, points: Sequence[Point], color: str, width: float, dash: tuple[float, float] | None = None) -> None:
        """A broken line."""
        self.marks.append(Line((tuple(points),), color, width, dash))

    def dots(self, points: Sequence[Point], marker: Marker, size: float, color: str) -> None:
        """Filled markers (for crosses: strokes)."""
        if points:
            self.marks.append(Dots(tuple(points), marker, size, color, color, 1.4 if marker == "x" else 0.0))

    def svg(self, name: str, label: str) -> str:
        """An inline `<svg>` in the colours of the page; `label` is read out by screen readers."""
        from sweeper.report import svg

        return svg.written(self, name, label)

    def png(self, title: str) -> bytes:
        """A picture of twice the size on white, with its title above."""
        from sweeper.report import png

        return png.painted(self, title)

    def _say(self, words: Words) -> None:
        if words.text:
            self.marks.append(words)


class Panel:
    """A part of a sheet with axes of its own: everything is given in their units and drawn in pixels."""

    def __init__(self, sheet: Canvas, place: Box) -> None:
        self.sheet, self.place = sheet, place
        self._x, self._y = (0.0, 1.0), (0.0, 1.0)
        self._log = False

    def limits(self, x: Sequence[float], y: Sequence[float], *, log_x: bool = False) -> Panel:
        """Set the ends of both axes: left and right, bottom and top."""
        self._log = log_x
        self._x, self._y = (self._scaled(x[0]), self._scaled(x[1])), (float(y[0]), float(y[1]))
        return self

    def at(self, x: float, y: float) -> Point:
        """Where a point lies on the sheet."""
        return self.x(x), self.y(y)

    def x(self, value: float) -> float:
        """Where a value of the x axis lies on the sheet."""
        low, high = self._x
        return self.place[0] + self.place[2] * (self._scaled(value) - low) / ((high - low) or 1.0)

    def y(self, value: float) -> float:
        """Where a value of the y axis lies on the sheet."""
        low, high = self._y
        return self.place[1] + self.place[3] * (1 - (value - low) / ((high - low) or 1.0))

    def ticks_x(
        self, ticks: Sequence[float], labels: Sequence[str], *, grid: bool = False, tight: bool = False
    ) -> None:
        """Labels below the panel; `tight` keeps the first and the last within it."""
        left, top, width, height = self.place
        places = [self.x(tick) for tick in ticks]
        if grid:
            self._hairs([((x, top), (x, top + height)) for x in places])
        for x, label in zip(places, labels, strict=True):
            share = (x - left) / width
            align = "left" if tight and share < 0.07 else "right" if tight and share > 0.93 else "center"
            self.sheet.text((x, top + height + 12), label, color=palette.MUTED, size=10.5, align=align)

    def ticks_y(self, ticks: Sequence[float], labels: Sequence[str], *, grid: bool = True) -> None:
        """Labels left of the panel, hairlines across it."""
        left, _, width, _ = self.place
        places = [self.y(tick) for tick in ticks]
        if grid:
            self._hairs([((left, y), (left + width, y)) for y in places])
        for y, label in zip(places, labels, strict=True):
            self.sheet.text((left - 6, y), label, color=palette.MUTED, size=10.5, align="right")

    def line(
        self,
        xs: Iterable[float],
        ys: Iterable[float],
        color: str,
        width: float,
        dash: tuple[float, float] | None = None,
    ) -> None:
        """A line, broken where a value is not finite, cut off at the edges of the panel."""
        self.lines([zip(xs, ys, strict=True)], color, width, dash)

    def lines(
        self,
        lines: Iterable[Iterable[Point]],
        color: str,
        width: float,
        dash: tuple[float, float] | None = None,
    ) -> None:
        """Several lines of one look."""
        parts = [part for line in lines for part in self._unbroken(line)]
        if parts:
            self.sheet.marks.append(Line(tuple(parts), color, width, dash, self._clip(parts)))

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], color: str, alpha: float) -> None:
        """The area between two lines."""
        there, back = list(zip(xs, low, strict=True)), list(zip(xs, high, strict=True))[::-1]
        points = tuple(self.at(x, y) for x, y in [*there, *back])
        if len(points) > 3:
            self.sheet.marks.append(Area(points, color, alpha, self._clip([points])))

    def dots(
        self,
        xs: Iterable[float],
        ys: Iterable[float],
        size: float,
        face: str,
        *,
        edge: str | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Round dots, with an edge if it has a colour."""
        points = tuple(self.at(x, y) for x, y in zip(xs, ys, strict=True))
        if points:
            rim = 0.8 if edge else 0.0
            self.sheet.marks.append(Dots(points, "o", size, face, edge or face, rim, alpha))

    def marks(self, marker: Marker, xs: Iterable[float], y: float, size: float, color: str) -> None:
        """Markers at one height; they may stand on the edge."""
        self.sheet.dots([self.at(x, y) for x in xs], marker, size, color)

    def upright(self, x: float, color: str, width: float, dash: tuple[float, float] | None = None) -> None:
        """A line from bottom to top."""
        _, top, _, height = self.place
        self.sheet.line([(self.x(x), top), (self.x(x), top + height)], color, width, dash)

    def level(self, y: float, color: str, width: float, dash: tuple[float, float] | None = None) -> None:
        """A line from left to right."""
        left, _, across, _ = self.place
        self.sheet.line([(left, self.y(y)), (left + across, self.y(y))], color, width, dash)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else float(value)

    def _hairs(self, lines: Sequence[tuple[Point, Point]]) -> None:
        if lines:
            self.sheet.marks.append(Line(tuple(lines), palette.HAIR, 0.8))

    def _unbroken(self, line: Iterable[Point]) -> list[tuple[Point, ...]]:
        parts: list[list[Point]] = [[]]
        for x, y in line:
            if math.isfinite(x) and math.isfinite(y):
                parts[-1].append(self.at(x, y))
            elif parts[-1]:
                parts.append([])
        return [tuple(part) for part in parts if len(part) > 1]

    def _clip(self, parts: Sequence[Sequence[Point]]) -> Box | None:
        """The panel, if anything reaches out of it."""
        left, top, width, height = self.place
        inside = all(
            left - 1 <= x <= left + width + 1 and top - 1 <= y <= top + height + 1 for part in parts for x, y in part
        )
        return None if inside else self.place
