"""Past nights as a row of bars that any page shows: GitHub's takes no pictures from within a summary."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"


def sparkline(scores: Sequence[float | None], least_span: float = 0.0) -> str:
    """One character a score, oldest first; a dot where there is none.

    Args:
        scores: None or not finite where a night has none.
        least_span: difference that the bars cover at least, so that noise does not look like a cliff.
    """
    known = [score for score in scores if score is not None and math.isfinite(score)]
    if not known:
        return GAP * len(scores)
    low, high = min(known), max(known)
    middle, half = (low + high) / 2, max(high - low, least_span, 1e-12) / 2
    return "".join(_bar(score, middle - half, 2 * half) for score in scores)


def _bar(score: float | None, low: float, span: float) -> str:
    if score is None or not math.isfinite(score):
        return GAP
    return BARS[min(len(BARS) - 1, max(0, int((score - low) / span * len(BARS))))]
