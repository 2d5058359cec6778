"""A canvas as an inline `<svg>`: colours by role, the fonts of the page, a tenth of a pixel. Pure text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from sweeper.report import palette
from sweeper.report.canvas import Canvas
from sweeper.report.marks import Area, Box, Boxes, Dots, Frame, Line, Mark, Marker, Point, Words
from sweeper.report.units import clean

_ANCHORS = {"left": "", "center": ' text-anchor="middle"', "right": ' text-anchor="end"'}
_HALF_CAP = 0.36
"""From the middle of a capital letter to the baseline, in em; of every common sans serif."""

_SHAPES: dict[Marker, tuple[Point, ...]] = {
    "^": ((0, -1), (1, 1), (-1, 1)),
    "v": ((0, 1), (1, -1), (-1, -1)),
    "<": ((-1, 0), (1, -1), (1, 1)),
    ">": ((1, 0), (-1, -1), (-1, 1)),
    "d": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
}
"""Corners in units of half the size."""


def written(sheet: Canvas, name: str, label: str) -> str:
    """The drawing; ids begin with `name`, so that two figures of a page share none."""
    clips: dict[Box, str] = {}
    for mark in sheet.marks:
        clip = getattr(mark, "clip", None)
        if clip is not None and clip not in clips:
            clips[clip] = f"{name}-{len(clips)}"
    opening = (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {sheet.width:g} {sheet.height:g}" width="{sheet.width:g}" aria-label={quoteattr(clean(label))}>'
    )
    rects = "".join(f'<clipPath id="{key}"><rect {_rect(box)}/></clipPath>' for box, key in clips.items())
    defs = f"<defs>{rects}</defs>" if rects else ""
    body = "".join(part for mark in sheet.marks for part in _drawn(mark, clips))
    return palette.themed(f"{opening}{defs}{body}</svg>")


def corners(marker: Marker, at: Point, size: float) -> list[Point]:
    """The outline of a marker that is a polygon."""
    return [(at[0] + x * size / 2, at[1] + y * size / 2) for x, y in _SHAPES[marker]]


def _drawn(mark: Mark, clips: dict[Box, str]) -> Iterator[str]:
    if isinstance(mark, Words):
        yield _words(mark)
    elif isinstance(mark, Boxes):
        for box, color in zip(mark.boxes, mark.colors, strict=True):
            yield f'<rect {_rect(box)} style="fill: {color}"/>'
    elif isinstance(mark, Frame):
        yield f'<rect {_rect(mark.box)} style="fill: none; stroke: {mark.color}; stroke-width: {mark.width:g}"/>'
    elif isinstance(mark, Line):
        path = "".join(_path(part) for part in mark.parts)
        dash = f"; stroke-dasharray: {mark.dash[0]:g} {mark.dash[1]:g}" if mark.dash else ""
        style = f"fill: none; stroke: {mark.color}; stroke-width: {mark.width:g}; stroke-linejoin: round{dash}"
        yield f'<path d="{path}" style="{style}"{_clipped(mark.clip, clips)}/>'
    elif isinstance(mark, Area):
        style = f"fill: {mark.color}; fill-opacity: {mark.alpha:g}"
        yield f'<path d="{_path(mark.points)}Z" style="{style}"{_clipped(mark.clip, clips)}/>'
    else:
        yield from _dots(mark)


def _words(mark: Words) -> str:
    x, y = _n(mark.at[0]), _n(mark.at[1] + _HALF_CAP * mark.size * (not mark.angle))
    turned = f' transform="rotate({-mark.angle:g} {x} {y})"' if mark.angle else ""
    style = f"fill: {mark.color}; font-size: {mark.size:.4g}px" + ("; font-weight: 650" if mark.bold else "")
    return f'<text x="{x}" y="{y}"{_ANCHORS[mark.align]}{turned} style="{style}">{escape(mark.text)}</text>'


def _dots(mark: Dots) -> Iterator[str]:
    edge = f"; stroke: {mark.edge}; stroke-width: {mark.edge_width:g}" if mark.edge_width else ""
    alpha = f"; fill-opacity: {mark.alpha:g}" if mark.alpha < 1 else ""
    face = "none" if mark.marker == "x" else mark.face
    yield f'<g style="fill: {face}{edge}{alpha}">'
    if mark.marker == "o":
        for x, y in mark.points:
            yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(mark.size / 2)}"/>'
    elif mark.marker == "x":
        yield f'<path d="{"".join(_cross(at, mark.size / 2) for at in mark.points)}"/>'
    else:
        yield f'<path d="{"".join(_path(corners(mark.marker, at, mark.size)) + "Z" for at in mark.points)}"/>'
    yield "</g>"


def _cross(at: Point, half: float) -> str:
    x, y = at
    return _path([(x - half, y - half), (x + half, y + half)]) + _path([(x - half, y + half), (x + half, y - half)])


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(_pairs(points))


def _pairs(points: Iterable[Point]) -> Iterator[str]:
    for x, y in points:
        yield f"{_n(x)} {_n(y)}"


def _rect(box: Box) -> str:
    x, y, width, height = (_n(value) for value in box)
    return f'x="{x}" y="{y}" width="{width}" height="{height}"'


def _clipped(clip: Box | None, clips: dict[Box, str]) -> str:
    return "" if clip is None else f' clip-path="url(#{clips[clip]})"'


def _n(value: float) -> str:
    """A number with one decimal, as short as it can be written."""
    return f"{value:.1f}".removesuffix(".0")
