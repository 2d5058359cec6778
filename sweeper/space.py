"""What is searched: domains, the conditions under which they hold, and the combinations that are compared.

Every tuned parameter has a *position* in [0, 1) that a domain maps to a value. Combinations share positions, and each
maps them into its own range: that is what makes a comparison fair.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Union

from sweeper.trial import Combination, Scalar


@dataclass(frozen=True)
class Fixed:
    """One value, whatever the position (a list, e.g. of layer widths, is one value too)."""

    value: Any

    def at(self, position: float) -> Any:
        """The value."""
        return self.value


@dataclass(frozen=True)
class Choice:
    """Equally likely values."""

    values: tuple[Any, ...]

    def at(self, position: float) -> Any:
        """The value whose share of [0, 1) holds the position."""
        return self.values[min(int(position * len(self.values)), len(self.values) - 1)]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, uniform on a linear or logarithmic scale."""

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def at(self, position: float) -> float | int:
        """The number at that share of the range; integers are cut into equal cells, both ends included."""
        if self.integer:
            low, high = self._scaled(self.low), self._scaled(self.high + 1)
            value = int(self._unscaled(low + position * (high - low)))
            return int(min(max(value, self.low), self.high))
        low, high = self._scaled(self.low), self._scaled(self.high)
        return min(max(self._unscaled(low + position * (high - low)), self.low), self.high)

    def position(self, value: float) -> float:
        """The inverse of `at` for real-valued ranges."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low) if high > low else 0.0

    @property
    def decades(self) -> float:
        """Width of a logarithmic range."""
        return math.log10(self.high / self.low)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value

    def _unscaled(self, value: float) -> float:
        return math.exp(value) if self.log else value


Domain = Union[Fixed, Choice, Range]


@dataclass(frozen=True)
class Branch:
    """A domain and when it holds: every parameter named in `when` has one of the listed values."""

    domain: Domain
    when: Mapping[str, tuple[Scalar, ...]]

    def holds(self, params: Mapping[str, Any]) -> bool:
        """Whether the condition is met."""
        return all(name in params and params[name] in values for name, values in self.when.items())


@dataclass(frozen=True)
class Parameter:
    """A named parameter: the first branch that holds gives its domain; if none does it is not used."""

    name: str
    branches: tuple[Branch, ...]

    def domain(self, params: Mapping[str, Any]) -> Domain | None:
        """The domain under `params`, or None where the parameter does not apply."""
        return next((branch.domain for branch in self.branches if branch.holds(params)), None)


@dataclass(frozen=True)
class Space:
    """All parameters; `compare` names those whose combinations are compared, the rest is tuned or fixed."""

    parameters: tuple[Parameter, ...]
    compare: tuple[str, ...]

    def combinations(self) -> tuple[Combination, ...]:
        """Every combination of the compared values, in the order of the study file."""
        by_name = {parameter.name: parameter for parameter in self.parameters}
        values = [_listed(by_name[name].domain({})) for name in self.compare]
        return tuple(Combination(dict(zip(self.compare, chosen, strict=True))) for chosen in itertools.product(*values))

    def tuned(self, combination: Mapping[str, Scalar]) -> dict[str, Union[Choice, Range]]:
        """The parameters that vary inside a combination."""
        known = self._fixed_and_compared(combination)
        domains = {p.name: p.domain(known) for p in self.parameters if p.name not in known}
        return {name: domain for name, domain in domains.items() if isinstance(domain, (Choice, Range))}

    def tuned_names(self) -> tuple[str, ...]:
        """Every parameter that varies inside some combination; one axis of the position each."""
        return self._tuned_names

    @cached_property
    def _tuned_names(self) -> tuple[str, ...]:
        # once: it looks at every combination, and is asked for with every setting of every one of them
        used = {name for combination in self.combinations() for name in self.tuned(combination)}
        return tuple(parameter.name for parameter in self.parameters if parameter.name in used)

    def at(self, combination: Mapping[str, Scalar], position: Sequence[float]) -> dict[str, Any]:
        """All parameters of a combination at a position with one coordinate for each of `tuned_names`."""
        params = self._fixed_and_compared(combination)
        domains = self.tuned(combination)
        for name, coordinate in zip(self.tuned_names(), position, strict=True):
            if name in domains:
                params[name] = domains[name].at(float(coordinate))
        return params

    def _fixed_and_compared(self, combination: Mapping[str, Scalar]) -> dict[str, Any]:
        params: dict[str, Any] = dict(combination)
        for parameter in self.parameters:
            domain = None if parameter.name in params else parameter.domain(params)
            if isinstance(domain, Fixed):
                params[parameter.name] = domain.value
        return params


def _listed(domain: Domain | None) -> tuple[Any, ...]:
    if isinstance(domain, Choice):
        return domain.values
    if isinstance(domain, Fixed):
        return (domain.value,)
    raise ValueError("a compared parameter has listed values")
