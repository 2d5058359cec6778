"""A canvas as a PNG, painted by matplotlib's Agg without axes: artists in pixels and nothing to lay out.

The picture is the same byte for byte on every run: no dates, no user settings of matplotlib.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import CircleCollection, LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox, Transform, TransformedBbox

from sweeper.report import palette
from sweeper.report.canvas import Canvas
from sweeper.report.marks import Area, Box, Boxes, Dots, Frame, Line, Mark, Point, Words
from sweeper.report.svg import corners
from sweeper.report.units import clean

_PER_INCH = 72
"""With it a point is a pixel."""
_SCALE = 2
_TITLE_HEIGHT = 36
_MARGIN = 20
"""Pixels around a picture file; the page has margins of its own."""

_STYLE = {
    "font.family": ["DejaVu Sans"],  # ships with matplotlib, so pictures are alike everywhere; the page sets its own
    "text.parse_math": False,  # a name may hold a dollar sign
}
_NOT_OURS = {"backend", "backend_fallback", "interactive", "toolbar", "timezone"}


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib as shipped plus the report's own settings, whatever the user's matplotlibrc says."""
    shipped = {key: value for key, value in mpl.rcParamsDefault.items() if key not in _NOT_OURS}
    settings: dict[Any, Any] = {**shipped, **_STYLE}
    with warnings.catch_warnings(), mpl.rc_context(settings):
        # A script that DejaVu lacks shows as boxes in the PNG; the page has the reader's own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def painted(sheet: Canvas, title: str) -> bytes:
    """The picture at twice the size on white, with its title above."""
    with style():
        figure = _figure(sheet, title)
        buffer = io.BytesIO()
        figure.savefig(
            buffer, format="png", facecolor=palette.PAPER, metadata={"Software": None}, pil_kwargs={"compress_level": 3}
        )
        return buffer.getvalue()


def _figure(sheet: Canvas, title: str) -> Figure:
    width, height = sheet.width + 2 * _MARGIN, sheet.height + _TITLE_HEIGHT + 2 * _MARGIN
    figure = Figure(figsize=(width / _PER_INCH, height / _PER_INCH), dpi=_SCALE * _PER_INCH)
    FigureCanvasAgg(figure)
    place = placed(sheet)
    size = min(15.0, 1.4 * sheet.width / max(len(title), 1))
    heading = Words((0, -_TITLE_HEIGHT / 2 - 2), clean(title), palette.INK, size, bold=True)
    for mark in (heading, *sheet.marks):
        for artist in _artists(mark, place):
            figure.add_artist(artist)
    return figure


def placed(sheet: Canvas) -> Affine2D:
    """From pixels of the sheet to those of the picture."""
    return Affine2D().scale(1, -1).translate(_MARGIN, sheet.height + _MARGIN).scale(_SCALE)


def _artists(mark: Mark, place: Transform) -> Iterator[Artist]:
    if isinstance(mark, Words):
        yield _text(mark, place)
    elif isinstance(mark, Boxes):
        shapes = [_outline(box) for box in mark.boxes]
        yield PolyCollection(shapes, facecolors=list(mark.colors), linewidths=0, transform=place)
    elif isinstance(mark, Frame):
        box = [_outline(mark.box)]
        yield PolyCollection(box, facecolors="none", edgecolors=mark.color, linewidths=mark.width, transform=place)
    elif isinstance(mark, Line):
        dashes: Any = "solid" if mark.dash is None else [(0, tuple(length / mark.width for length in mark.dash))]
        lines = LineCollection(mark.parts, colors=mark.color, linewidths=mark.width, linestyles=dashes, transform=place)
        yield _clipped(lines, mark.clip, place)
    elif isinstance(mark, Area):
        area = PolyCollection([mark.points], facecolors=mark.color, alpha=mark.alpha, linewidths=0, transform=place)
        yield _clipped(area, mark.clip, place)
    else:
        yield from _dots(mark, place)


def _text(mark: Words, place: Transform) -> Text:
    return Text(
        *mark.at,
        mark.text,
        color=mark.color,
        fontsize=mark.size,
        fontweight="bold" if mark.bold else "normal",
        horizontalalignment=mark.align,  # type: ignore[arg-type]
        verticalalignment="baseline" if mark.angle else "center_baseline",
        rotation=mark.angle,
        rotation_mode="anchor",
        transform=place,
    )


def _dots(mark: Dots, place: Transform) -> Iterator[Artist]:
    half = mark.size / 2
    if mark.marker == "x":
        strokes = [line for at in mark.points for line in _cross(at, half)]
        yield LineCollection(strokes, colors=mark.edge, linewidths=mark.edge_width, transform=place)
        return
    look: dict[str, Any] = {"facecolors": mark.face, "edgecolors": mark.edge, "linewidths": mark.edge_width}
    if mark.alpha < 1:
        look["alpha"] = mark.alpha
    if mark.marker == "o":
        yield CircleCollection([math.pi * half**2], offsets=list(mark.points), offset_transform=place, **look)
        return
    yield PolyCollection([corners(mark.marker, at, mark.size) for at in mark.points], transform=place, **look)


def _cross(at: Point, half: float) -> Iterator[list[Point]]:
    x, y = at
    yield [(x - half, y - half), (x + half, y + half)]
    yield [(x - half, y + half), (x + half, y - half)]


def _outline(box: Box) -> list[Point]:
    x, y, width, height = box
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _clipped(artist: Artist, clip: Box | None, place: Transform) -> Artist:
    if clip is not None:
        x, y, width, height = clip
        artist.set_clip_box(TransformedBbox(Bbox([[x, y], [x + width, y + height]]), place))
    return artist
