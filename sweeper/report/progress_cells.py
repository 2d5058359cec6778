"""One character for a trial: what is drawn, in which style, and how tall."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sweeper.report.progress import Progress
from sweeper.report.rows import Cell, CellState
from sweeper.verdict import Objective

Span = tuple[str, str]
"""A text and the name of its style."""


@dataclass(frozen=True)
class Glyphs:
    """What is drawn with: one character each."""

    levels: str = "▁▂▃▄▅▆▇█"
    running: str = "○◔◑◕"
    pending: str = "·"
    seed: str = "●"
    diverged: str = "\N{MULTIPLICATION SIGN}"
    pruned: str = "/"
    failed: str = "!"
    bar: str = "━"
    bar_left: str = "─"
    separator: str = " · "
    cut: str = "…"


UNICODE = Glyphs()
ASCII = Glyphs("12345678", "~~~~", ".", "o", "x", "/", "!", "=", "-", ", ", "~")


def level(score: float, best: float, objective: Objective, growth: int) -> int:
    """How near a score comes to the best: 7 within epsilon, one less where it is `growth` times as far, at least 0."""
    epsilon, gap = _epsilon(objective, best), objective.sign * (best - score)
    if gap <= epsilon:
        return 7
    return max(7 - math.ceil(math.log(gap / epsilon, growth) - 1e-9), 0)


def growth(progress: Progress) -> int:
    """2, 3 or 4: the least factor whose six steps reach from epsilon to the worst score; whole, so that it is calm."""
    if progress.best is None or progress.worst is None:
        return 2
    objective, best = progress.objective, progress.best.score
    ratio = objective.sign * (best - progress.worst) / _epsilon(objective, best)
    return next((factor for factor in (2, 3) if ratio <= factor**6), 4)


def _epsilon(objective: Objective, best: float) -> float:
    return max(objective.epsilon * abs(best) if objective.relative else objective.epsilon, 1e-12)


def glyph(cell: Cell, progress: Progress, glyphs: Glyphs, *, seed: bool = False) -> Span:
    """The character of a trial and the name of its style; a seed shows that it is done, not how well."""
    if cell.state is CellState.RUNNING:
        return glyphs.running[min(int(cell.share * len(glyphs.running)), len(glyphs.running) - 1)], "running"
    if cell.state is CellState.SCORED:
        if seed or cell.score is None or progress.best is None:
            return glyphs.seed, "seed"
        step = level(cell.score, progress.best.score, progress.objective, growth(progress))
        return glyphs.levels[step], f"level{step}"
    name = cell.state.value
    return str(getattr(glyphs, name)), name
