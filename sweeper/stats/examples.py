"""What a verdict owes to the test rows: they are the same for every seed, and no number of seeds averages that out.

Seeds and rows are crossed: every training of the confirmation is scored on every test row. In the analysis of variance
of such a table the mean square of the rows exceeds that of the rest by the number of seeds times the variance between
rows (Searle, Casella and McCulloch 1992, *Variance Components*, section 4.4, the two-way crossed classification without
replication).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def row_variance(table: Floats) -> float:
    """Variance of the mean of a (seeds, rows) table that comes from the choice of rows; 0 where it cannot be told."""
    seeds, rows = table.shape
    if seeds < 2 or rows < 2:
        return 0.0
    by_seed, by_row, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    rest = table - by_seed[:, None] - by_row[None, :] + mean
    of_rows = seeds * float(((by_row - mean) ** 2).sum()) / (rows - 1)
    of_rest = float((rest**2).sum()) / ((seeds - 1) * (rows - 1))
    return float(max(of_rows - of_rest, 0.0) / (seeds * rows))


def difference_variance(correct: Sequence[Flags]) -> Floats:
    """(F, F) variance that the choice of the test rows adds to each difference of two mean accuracies.

    Args:
        correct: for each candidate a (seeds, rows) table of what was classified correctly; a row of it shares its
            seed with that of the others.
    """
    found = np.zeros((len(correct), len(correct)))
    for i, one in enumerate(correct):
        for j in range(i):
            difference = one.astype(np.float64) - correct[j].astype(np.float64)
            found[i, j] = found[j, i] = row_variance(difference)
    return found
