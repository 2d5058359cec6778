"""What can stand on a sheet: words, lines, dots, boxes, areas. Positions are pixels from its top left corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""`(x, y, width, height)`."""
Marker = Literal["o", "x", "^", "v", "<", ">", "d"]


@dataclass(frozen=True)
class Words:
    """Text on one line, vertically centred at a point; `angle` in degrees, counterclockwise about the point."""

    at: Point
    text: str
    color: str
    size: float
    align: str = "left"
    bold: bool = False
    angle: float = 0.0


@dataclass(frozen=True)
class Line:
    """Broken lines of one look; `dash` is on and off in pixels, `clip` the box outside of which nothing shows."""

    parts: tuple[tuple[Point, ...], ...]
    color: str
    width: float
    dash: tuple[float, float] | None = None
    clip: Box | None = None


@dataclass(frozen=True)
class Dots:
    """Markers of one look; `size` is the diameter. A cross has no face."""

    points: tuple[Point, ...]
    marker: Marker
    size: float
    face: str
    edge: str
    edge_width: float = 0.0
    alpha: float = 1.0


@dataclass(frozen=True)
class Boxes:
    """Filled boxes, one colour each."""

    boxes: tuple[Box, ...]
    colors: tuple[str, ...]


@dataclass(frozen=True)
class Area:
    """A filled polygon without an edge."""

    points: tuple[Point, ...]
    color: str
    alpha: float = 1.0
    clip: Box | None = None


@dataclass(frozen=True)
class Frame:
    """The outline of a box."""

    box: Box
    color: str
    width: float


Mark = Union[Words, Line, Dots, Boxes, Area, Frame]
