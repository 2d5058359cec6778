"""From parameters back to positions in the unit cube, and to distances that mean the same for every combination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from sweeper.space import Choice, Range, Space
from sweeper.trial import Combination

Floats = NDArray[np.float64]
Tuned = Union[Choice, Range]

_UNIT_DECADES = 4.0
"""Decades of a log range that count as one unit of distance: the width of every default range."""
_UNUSED = 0.5
"""Coordinate on the axis of a parameter that a combination does not have."""


def position_of(domain: Tuned, value: Any) -> float:
    """A position that `domain.at` maps to the value: the middle of its cell where values are discrete."""
    if isinstance(domain, Choice):
        index = next((i for i, known in enumerate(domain.values) if _same(known, value)), None)
        return _UNUSED if index is None else (index + 0.5) / len(domain.values)
    if domain.integer:
        cells = Range(domain.low, domain.high + 1, domain.log)
        return float(np.clip(cells.position(value + 0.5), 0.0, 1.0))
    return float(np.clip(domain.position(value), 0.0, 1.0))


class Axes:
    """The tuned parameters of one combination as axes of the unit cube.

    Attributes:
        names: every parameter that is tuned somewhere (`Space.tuned_names`); one coordinate each.
        domains: those that this combination has.
    """

    def __init__(self, space: Space, combination: Combination, names: tuple[str, ...]) -> None:
        self.combination = combination
        self.names = names
        self.domains = space.tuned(combination)
        self._units = np.array([_extent(self.domains.get(name)) for name in self.names])

    def position(self, params: Mapping[str, Any]) -> Floats:
        """(d,) coordinates of a trial."""
        known = ((self.domains.get(name), params.get(name)) for name in self.names)
        return np.array([_UNUSED if d is None or value is None else position_of(d, value) for d, value in known])

    def distances(self, positions: Floats) -> Floats:
        """(n, d) positions in units of distance: four decades of a log range, the whole of any other."""
        return np.asarray(positions * self._units, dtype=np.float64)

    def snapped(self, positions: Floats) -> Floats:
        """(n, d) positions moved to the middle of their cells where values are discrete, and off unused axes."""
        columns = [self._snapped(name, column) for name, column in zip(self.names, positions.T, strict=True)]
        return np.stack(columns, axis=1) if columns else positions

    def _snapped(self, name: str, column: Floats) -> Floats:
        domain = self.domains.get(name)
        if domain is None:
            return np.full(len(column), _UNUSED)
        if isinstance(domain, Range) and not domain.integer:
            return column
        middles = {value: position_of(domain, domain.at(value)) for value in set(column.tolist())}
        return np.array([middles[value] for value in column.tolist()])


def _extent(domain: Tuned | None) -> float:
    return domain.decades / _UNIT_DECADES if isinstance(domain, Range) and domain.log else 1.0


def _same(known: Any, value: Any) -> bool:
    """Equal, a tuple and a list of the same values included: JSON knows only lists."""
    pair = [list(each) if isinstance(each, (list, tuple)) else each for each in (known, value)]
    return bool(pair[0] == pair[1]) and isinstance(pair[0], bool) == isinstance(pair[1], bool)
