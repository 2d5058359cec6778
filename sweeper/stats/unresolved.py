"""What no number of seeds resolves: how well each finalist is tuned, and which rows the test part happens to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sweeper.trial import Combination, Flags


@dataclass(frozen=True)
class Unresolved:
    """What no number of seeds resolves.

    Attributes:
        tuning: finalist -> by how much it is expected to gain from a better setting than the one it is confirmed with,
            in the metric's unit, never negative. It leaves the set only when it is behind by that much more.
        correct: finalist -> which test rows were classified correctly, by repetition; None where that is not known.
    """

    tuning: Mapping[Combination, float] = field(default_factory=dict)
    correct: Mapping[Combination, Sequence[Flags | None]] = field(default_factory=dict)

    def tables(self, finalists: Sequence[Combination], repetitions: Sequence[int]) -> list[NDArray[np.bool_]]:
        """(seeds, rows) of each finalist, for the repetitions in which all of them are known; empty if none are."""
        runs = {each: self.correct.get(each, ()) for each in finalists}
        known = [r for r in repetitions if all(r < len(flags) and flags[r] is not None for flags in runs.values())]
        found = {each: [flags[r] for r in known] for each, flags in runs.items()}
        if len({flags.rows for mine in found.values() for flags in mine if flags is not None}) != 1:
            return []
        return [np.array([flags.values() for flags in mine if flags is not None]) for mine in found.values()]
