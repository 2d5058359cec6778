"""What the pick gets wrong on the sealed test rows: confusion matrix, most frequent confusions, or residuals."""

from __future__ import annotations

from functools import partial

import numpy as np

from sweeper.data import Task
from sweeper.report import palette, series
from sweeper.report.canvas import Canvas, Panel
from sweeper.report.figures_plan import KEPT, Plan, even_ticks, fitting_words, tick_labels
from sweeper.report.material import Material, Predictions
from sweeper.report.units import clean, count, number, percent

MAX_CLASSES = 16
"""Of a matrix whose numbers can be read; with more classes the most frequent confusions are listed instead."""

MAX_CONFUSIONS = 15
_LEAST_STEP = 2
"""Of the ramp, for a cell that holds anything: single mistakes are what the matrix is looked at for."""

MAX_POINTS = 800


def plan(material: Material) -> Plan | None:
    """The figure, or None where no predictions were kept."""
    found = material.predictions
    if found is None or not len(found.y_true) or found.y_true.shape != found.y_pred.shape:
        return None
    pick = "the pick" if material.verdict.pick is None else clean(material.verdict.pick.combination, 60)
    return _regression(found, pick) if found.task is Task.REGRESSION else _classification(found, pick)


def _classification(found: Predictions, pick: str) -> Plan:
    table = confusion(found)
    wrong = np.where(np.eye(len(table), dtype=bool), 0, table)
    errors, rows = int(wrong.sum()), int(table.sum())
    if not errors:
        title = f"{pick} makes no mistake on {count(rows, 'test row')}"
    else:
        true, predicted = np.unravel_index(int(wrong.argmax()), wrong.shape)
        names = [clean(found.class_names[i], 30) for i in (true, predicted)]
        often = f"most often {names[0]} taken for {names[1]} ({wrong[true, predicted]})"
        title = f"{pick} gets {errors} of {count(rows, 'test row')} wrong, {often}"
    caption = "One training of the pick on the sealed test rows, for a look; its score is the confirmed one above."
    if len(table) > MAX_CLASSES and errors:
        return Plan("predictions", KEPT, title, caption, partial(_confusions, found, wrong))
    caption += " Rows: true class, columns: prediction; the stronger the colour, the larger the share of its row."
    return Plan("predictions", KEPT, title, caption, partial(_matrix, found, table))


def confusion(found: Predictions) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """(classes, classes) counts: true class down, predicted class across."""
    n = len(found.class_names)
    return np.bincount(found.y_true * n + found.y_pred, minlength=n * n).reshape(n, n).astype(np.int64)


def _matrix(found: Predictions, table: np.ndarray[tuple[int, int], np.dtype[np.int64]], width: int) -> Canvas:
    n, narrow = len(table), width < 500
    longest = max(len(clean(name, 20)) for name in found.class_names)
    left = min(longest * 7.4, 90.0 if narrow else 140.0) + 34
    cell = min((width - left) / n, 46.0 if n > 3 else 72.0)
    tilted = longest * 7 > cell - 1
    across = min(longest, 14) * 5.4 if tilted else 0.0
    if tilted:
        cell = min((width - left - across) / n, cell)
    top = 40.0 + across
    sheet = Canvas(left + cell * n + max(across, 28.0), top + cell * n + 6)
    size = min(12.0, cell * 0.42)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    boxes, colors, marks = [], [], []
    for (row, column), hits in np.ndenumerate(table):
        step = max(palette.step(float(shares[row, column]) * 0.999), _LEAST_STEP) if hits else None
        boxes.append((left + column * cell + 1, top + row * cell + 1, cell - 2, cell - 2))
        colors.append(palette.RAMP[step] if step is not None else palette.RAMP[0])
        ink = palette.ON_RAMP[step] if step is not None else palette.FAINT
        words, at = str(hits) if hits else "·", (left + (column + 0.5) * cell, top + (row + 0.5) * cell)
        fits = min(size, (cell - 3) / (0.62 * len(words)))
        marks.append((at, words, ink, fits))
    sheet.boxes(boxes, colors)
    for at, words, ink, fits in marks:
        sheet.text(at, words, color=ink, size=fits, align="center")
    _class_labels(sheet, found, (left, top, cell), tilted=tilted)
    return sheet


def _class_labels(sheet: Canvas, found: Predictions, place: tuple[float, float, float], *, tilted: bool) -> None:
    left, top, cell = place
    sheet.text((left, 8), "predicted", color=palette.MUTED, size=11)
    sheet.text((left - 8, top - 12), "true", color=palette.MUTED, size=11, align="right")
    for index, name in enumerate(found.class_names):
        middle = (index + 0.5) * cell
        label = clean(name, fitting_words(left - 36))
        sheet.text((left - 8, top + middle), label, size=11.5, align="right")
        size = min(11.5, cell * 0.7)
        if tilted:
            sheet.slanted((left + middle, top - 8), clean(name, 14), size=size)
        else:
            sheet.text((left + middle, top - 12), clean(name), size=size, align="center")


def _confusions(found: Predictions, wrong: np.ndarray[tuple[int, int], np.dtype[np.int64]], width: int) -> Canvas:
    n, narrow = len(wrong), width < 500
    order = [int(i) for i in np.argsort(-wrong.ravel(), kind="stable")[:MAX_CONFUSIONS] if wrong.ravel()[i]]
    totals = np.bincount(found.y_true, minlength=n)
    left, row, most = (150.0 if narrow else 260.0), 24.0, float(wrong.max())
    right = 92.0 if narrow else 130.0
    sheet = Canvas(width, 24 + row * len(order))
    sheet.text((0, 10), "true → predicted", color=palette.MUTED, size=11)
    boxes = []
    for index, cell in enumerate(order):
        true, predicted = divmod(cell, n)
        hits, y = int(wrong[true, predicted]), 24 + row * (index + 0.5)
        length = (width - left - right) * hits / most
        boxes.append((left, 24 + row * index + 5, length, row - 10))
        room = fitting_words(left / 2 - 16)
        names = " → ".join(clean(found.class_names[i], room) for i in (true, predicted))
        sheet.text((left - 10, y), names, align="right")
        share = percent(round(hits / max(int(totals[true]), 1), 2))
        sheet.text((left + length + 8, y), f"{hits} ({share})", color=palette.MUTED, size=11)
    sheet.boxes(boxes, [palette.ACCENT] * len(boxes))
    return sheet


def _regression(found: Predictions, pick: str) -> Plan | None:
    true, predicted = found.y_true.ravel(), found.y_pred.ravel()
    finite = np.isfinite(true) & np.isfinite(predicted)
    true, predicted = true[finite], predicted[finite]
    if not len(true):
        return None
    errors = predicted - true
    middle = number(float(np.median(np.abs(errors))))
    bias = float(errors.mean())
    side = "high" if bias > 0 else "low"
    title = f"{pick} predicts half of the test rows to within {middle}, on average {number(abs(bias))} too {side}"
    caption = "One training of the pick on the sealed test rows. Left: on the line, a prediction is right. "
    caption += "Right: errors should scatter evenly about zero."
    if len(true) > MAX_POINTS:
        caption += f" {MAX_POINTS} of {len(true):,} rows are drawn."
        keep = np.argsort(true, kind="stable")[np.linspace(0, len(true) - 1, MAX_POINTS).round().astype(int)]
        true, predicted = true[keep], predicted[keep]
    return Plan("predictions", KEPT, title, caption, partial(_scatter, true, predicted))


def _scatter(true: series.Array, predicted: series.Array, width: int) -> Canvas:
    narrow = width < 500
    side = width - 64.0 if narrow else 320.0
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    room = 0.04 * (high - low) or 0.5
    ends = (low - room, high + room)
    sheet = Canvas(width if narrow else 800, side + 76 + (side * 0.7 + 76 if narrow else 0))
    left = sheet.panel(58, 26, side, side)
    _cloud(left, true, predicted, ends, ends)
    left.line(ends, ends, palette.MUTED, 1)
    sheet.text((0, 10), "predicted", color=palette.MUTED, size=11)
    sheet.text((58 + side, side + 62), "true", color=palette.MUTED, size=11, align="right")
    errors = predicted - true
    reach = float(np.abs(errors).max()) * 1.08 or 1.0
    x, y, height = (58.0, side + 100, side * 0.7) if narrow else (460.0, 26.0, side)
    right = sheet.panel(x, y, side, height)
    _cloud(right, predicted, errors, ends, (-reach, reach))
    right.level(0, palette.MUTED, 1)
    sheet.text((x - 58, y - 16), "error (predicted - true)", color=palette.MUTED, size=11)
    sheet.text((x + side, y + height + 36), "predicted", color=palette.MUTED, size=11, align="right")
    return sheet


def _cloud(axes: Panel, x: series.Array, y: series.Array, xlim: tuple[float, float], ylim: tuple[float, float]) -> None:
    axes.limits(xlim, ylim)
    across, up = even_ticks(*xlim, 4), even_ticks(*ylim, 4)
    axes.ticks_x(across, tick_labels(across))
    axes.ticks_y(up, tick_labels(up))
    axes.dots(x, y, 4.5, palette.ACCENT, alpha=0.55)
