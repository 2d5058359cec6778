"""A sheet to draw on, measured in pixels from the top left corner, and its two forms: SVG for the page, PNG for a file.

The drawing is the same byte for byte on every run: fixed hash salt, no dates, no user settings of matplotlib.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from xml.sax.saxutils import quoteattr

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes as Axes  # the figures draw on it and import no framework
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from sweeper.report import palette
from sweeper.report.units import clean

_PER_INCH = 72
"""Of the SVG backend: with it a point is a pixel."""

_TITLE_HEIGHT = 36
_MARGIN = 20
"""Pixels around a picture file; the page has margins of its own."""

_STYLE = {
    "font.family": ["DejaVu Sans"],  # ships with matplotlib, so pictures are alike everywhere; the page sets its own
    "font.size": 12.0,
    "svg.fonttype": "none",
    "svg.hashsalt": "sweeper",
    "text.parse_math": False,  # a name may hold a dollar sign
    "axes.linewidth": 0.8,
    "path.simplify": True,
}
_NOT_OURS = {"backend", "backend_fallback", "interactive", "toolbar", "timezone"}

Point = tuple[float, float]


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib as shipped plus the report's own settings, whatever the user's matplotlibrc says."""
    shipped = {key: value for key, value in mpl.rcParamsDefault.items() if key not in _NOT_OURS}
    settings: dict[Any, Any] = {**shipped, **_STYLE}
    with warnings.catch_warnings(), mpl.rc_context(settings):
        # A script that DejaVu lacks shows as boxes in the PNG; the page has the reader's own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


class Canvas:
    """A figure of a fixed size in pixels. Positions have their origin at the top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._figure = Figure(figsize=(width / _PER_INCH, height / _PER_INCH), dpi=_PER_INCH)
        self._figure.patch.set_alpha(0.0)

    def panel(self, x: float, y: float, width: float, height: float, *, grid: str = "y") -> Axes:
        """Axes at a place, bare but for hairlines along the ticks of `grid` (`x`, `y` or nothing)."""
        place = (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        axes = self._figure.add_axes(place)
        axes.patch.set_alpha(0.0)
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
        axes.tick_params(length=0, labelsize=10.5, labelcolor=palette.MUTED, pad=5)
        axes.minorticks_off()
        axes.set_axisbelow(True)
        if grid:
            axes.grid(axis="y" if grid == "y" else "x", color=palette.HAIR, linewidth=0.8)
        return axes

    def blank(self, x: float, y: float, width: float, height: float) -> Axes:
        """A place to draw shapes on, in pixels from its own top left corner."""
        axes = self.panel(x, y, width, height, grid="")
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_xticks([])
        axes.set_yticks([])
        return axes

    def text(self, at: Point, words: str, *, color: str = palette.INK, size: float = 12, align: str = "left") -> None:
        """Words on one line, vertically centred at a point."""
        self._figure.text(
            at[0] / self.width,
            1 - at[1] / self.height,
            clean(words),
            color=color,
            fontsize=size,
            ha=align,
            va="center_baseline",
        )

    def strong(self, at: Point, words: str, *, color: str = palette.INK, size: float = 12, align: str = "left") -> None:
        """The same in bold."""
        self.text(at, words, color=color, size=size, align=align)
        self._figure.texts[-1].set_fontweight("bold")

    def svg(self, name: str, label: str) -> str:
        """An inline `<svg>` in the colours of the page; `label` is read out by screen readers."""
        buffer = io.StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        with mpl.rc_context({"svg.hashsalt": name}):  # two figures of a page share no id
            self._figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
        return _tidy(buffer.getvalue(), self.width, self.height, label)

    def png(self, title: str) -> bytes:
        """A picture of twice the size on white, with its title above."""
        FigureCanvasAgg(self._figure)
        top = 1 + (_TITLE_HEIGHT - 20) / self.height
        size = min(15.0, 1.4 * self.width / max(len(title), 1))
        words = self._figure.text(0, top, clean(title), fontsize=size, fontweight="bold")
        words.set_color(palette.INK)
        self._figure.patch.set_alpha(1.0)
        right, upper = self.width + _MARGIN, self.height + _TITLE_HEIGHT + _MARGIN
        box = Bbox(np.array([[-_MARGIN, -_MARGIN], [right, upper]]) / _PER_INCH)
        buffer = io.BytesIO()
        self._figure.savefig(
            buffer,
            format="png",
            dpi=2 * _PER_INCH,
            bbox_inches=box,
            facecolor=palette.PAPER,
            metadata={"Software": None},
            pil_kwargs={"compress_level": 6},
        )
        return buffer.getvalue()


def rectangles(axes: Axes, boxes: Sequence[tuple[float, float, float, float]], colors: Sequence[str]) -> None:
    """Filled boxes `(x, y, width, height)`, one colour each."""
    shapes = [Rectangle((x, y), width, height) for x, y, width, height in boxes]
    axes.add_collection(PatchCollection(shapes, facecolors=list(colors), edgecolors="none", linewidths=0))


def frame(axes: Axes, box: tuple[float, float, float, float], color: str, width: float = 2) -> None:
    """The outline of a box."""
    axes.add_patch(Rectangle(box[:2], box[2], box[3], fill=False, edgecolor=color, linewidth=width))


def segments(axes: Axes, lines: Sequence[Sequence[Point]], color: str, width: float) -> None:
    """Broken lines of one colour."""
    axes.add_collection(LineCollection([list(line) for line in lines], colors=color, linewidths=width))


def label_ticks(axes: Axes, axis: str, ticks: Sequence[float], labels: Sequence[str]) -> None:
    """Labelled ticks on the `x` or `y` axis and no others."""
    (axes.set_xticks if axis == "x" else axes.set_yticks)(list(ticks), list(labels))
    axes.minorticks_off()


def pull_in_labels(axes: Axes) -> None:
    """Keep the first and the last label of the x axis within the panel, clear of its neighbours."""
    low, high = axes.get_xlim()
    scale = axes.get_xaxis().get_transform().transform
    left, right = scale(low), scale(high)
    for tick, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        place = (scale(tick) - left) / (right - left)
        label.set_horizontalalignment("left" if place < 0.07 else "right" if place > 0.93 else "center")


_PREAMBLE = re.compile(r"^.*?<svg[^>]*>", re.DOTALL)
_NOISE = re.compile(r"<!--.*?-->|<defs>\s*<style.*?</defs>", re.DOTALL)
_EMPTY = re.compile(r"<g>\s*</g>|<g/>")
_TAG = re.compile(r"<[^>]*>")
_IN_TAG = (
    (re.compile(r'^<g id="[^"]*"'), "<g"),
    (re.compile(r"(\d+\.\d\d)\d+"), r"\1"),
    (re.compile(r'\s*transform="rotate\(-?0 [^"]*\)"'), ""),
    (re.compile(r"font: (\w+ )?([\d.]+px) [^;\"]*"), r"font-weight: \g<1>; font-size: \2"),  # matplotlib before 3.10
    (re.compile(r"font-family: [^;\"]*;? ?|font-weight: ; "), ""),
    (re.compile(r"\s+"), " "),
)


def _tidy(svg: str, width: float, height: float, label: str) -> str:
    """What the page needs of matplotlib's SVG: no fixed size, fonts of the page, two decimals, half the bytes."""
    body = _TAG.sub(_tidy_tag, _NOISE.sub("", _PREAMBLE.sub("", svg, count=1)))
    body = _EMPTY.sub("", re.sub(r">\s+<", "><", body))
    opening = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" aria-label={quoteattr(clean(label))} '
        'style="stroke-linejoin: round; stroke-linecap: butt">'
    )
    return palette.themed(opening + body).strip()


def _tidy_tag(tag: re.Match[str]) -> str:
    """Numbers and styles inside a tag; the words between tags are left alone."""
    text = tag[0]
    for pattern, replacement in _IN_TAG:
        text = pattern.sub(replacement, text)
    return text
