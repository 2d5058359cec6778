"""What a newly built model and optimizer hold, without building them: in a tenth of the time, leaving nothing behind.

Keras draws every seed of a model from Python's generator while it builds it, and an initializer with a seed always
gives the same values. So two models built under two seeds tell where each variable comes from: it is a constant, or the
values of the initializer that got the n-th draw, or the state of a generator that did, or (in an optimizer) a copy of a
weight. Whatever cannot be told so, such as weights from a generator of one's own, has no `Start`: it is built anew.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Union

import keras
import numpy as np

from sweeper.data import Array

LARGEST_SEED = int(1e9)
"""Keras draws the seed of whatever got none by `random.randint(1, LARGEST_SEED)`."""

MOST_DRAWS = 1000
"""Seeds that are looked at; a layer draws a handful. A model with more is built anew for every trial."""


@dataclass(frozen=True)
class _Constant:
    value: Array

    def __call__(self, draws: Sequence[int], weights: Sequence[Array]) -> Array:
        return self.value


@dataclass(frozen=True)
class _Drawn:
    """The values of an initializer whose seed is a draw."""

    place: int
    kind: type[Any]
    config: Mapping[str, Any]
    shape: tuple[int, ...]
    dtype: str

    def __call__(self, draws: Sequence[int], weights: Sequence[Array]) -> Array:
        initializer = self.kind.from_config({**self.config, "seed": draws[self.place]})
        return _array(initializer(self.shape, dtype=self.dtype))


@dataclass(frozen=True)
class _Generator:
    """The state of a `keras.random.SeedGenerator` that is new: its seed, and 0."""

    place: int
    dtype: np.dtype[Any]

    def __call__(self, draws: Sequence[int], weights: Sequence[Array]) -> Array:
        return np.array([draws[self.place], 0], self.dtype)


@dataclass(frozen=True)
class _Copy:
    """Begins as one of the weights."""

    place: int

    def __call__(self, draws: Sequence[int], weights: Sequence[Array]) -> Array:
        return weights[self.place]


_Source = Union[_Constant, _Drawn, _Generator, _Copy]


Sources = Sequence[_Source]
"""Where the value of each variable comes from, in their order."""


@dataclass(frozen=True)
class Sample:
    """A model that was just built under `seed`."""

    seed: int
    model: keras.Model

    @cached_property
    def draws(self) -> Sequence[int]:
        """What Keras could draw from Python's generator under this seed."""
        return draws(self.seed, MOST_DRAWS)

    @property
    def weights(self) -> list[Array]:
        """Values of all variables."""
        return [_array(variable) for variable in self.model.variables]


class Start:
    """Initial values for any seed."""

    def __init__(self, model: Sources, optimizer: Sources) -> None:
        self._model, self._optimizer = model, optimizer
        places = [each.place for each in model if isinstance(each, (_Drawn, _Generator))]
        self._draws = max(places, default=-1) + 1

    def values(self, seed: int) -> tuple[list[Array], list[Array]]:
        """Of the variables of the model and of the optimizer, in their order."""
        drawn = draws(seed, self._draws)
        weights = [source(drawn, ()) for source in self._model]
        return weights, [source(drawn, weights) for source in self._optimizer]


def learned_weights(first: Sample, second: Sample) -> Sources | None:
    """Where the values of two models of one structure come from; None if that cannot be told of every variable."""
    if [v.shape for v in first.model.variables] != [v.shape for v in second.model.variables]:
        return None
    tellers = _pairs(first, second)
    variables = zip(first.model.variables, second.model.variables, strict=True)
    return _all(_source(*pair, first, second, tellers) for pair in variables)


def learned(
    weights: Sources, samples: tuple[Sample, Sample], slots: tuple[Sequence[Any], Sequence[Any]]
) -> Start | None:
    """Where everything comes from; None if that cannot be told of every variable of the optimizer.

    Args:
        weights: what `learned_weights` gives for the samples.
        samples: two models.
        slots: the variables of a new optimizer for each of them.
    """
    if len(slots[0]) != len(slots[1]):
        return None
    known = [sample.weights for sample in samples]
    optimizer = _all(_slot(*pair, *known) for pair in zip(*slots, strict=True))
    return None if optimizer is None else Start(weights, optimizer)


def _all(found: Iterable[_Source | None]) -> Sources | None:
    sources = list(found)
    known = [source for source in sources if source is not None]
    return known if len(known) == len(sources) else None


def draws(seed: int, number: int) -> Sequence[int]:
    """The first seeds that Keras draws after `random.seed(seed)`."""
    generator = random.Random(seed)
    return [generator.randint(1, LARGEST_SEED) for _ in range(number)]


def _source(one: Any, other: Any, first: Sample, second: Sample, tellers: list[tuple[int, Any, Any]]) -> _Source | None:
    values = _array(one), _array(other)
    if np.array_equal(*values):
        return _Constant(values[0])
    if one.shape == (2,) and values[0][1] == values[1][1] == 0:
        place = _place(int(values[0][0]), first.draws)
        if place is not None and int(values[1][0]) == second.draws[place]:
            return _Generator(place, values[0].dtype)
    for index, (place, mine, theirs) in enumerate(tellers):
        if _gives(mine, one, values[0]) and _gives(theirs, other, values[1]):
            del tellers[index]  # variables and initializers come in nearly the same order: the next is tried first
            return _Drawn(place, type(mine), mine.get_config(), tuple(one.shape), one.dtype)
    return None


def _slot(one: Any, other: Any, weights: Sequence[Array], others: Sequence[Array]) -> _Source | None:
    values = _array(one), _array(other)
    if np.array_equal(*values):
        return _Constant(values[0])
    for place, pair in enumerate(zip(weights, others, strict=True)):
        if np.array_equal(values[0], pair[0]) and np.array_equal(values[1], pair[1]):
            return _Copy(place)
    return None


def _gives(initializer: Any, variable: Any, value: Array) -> bool:
    try:
        given = _array(initializer(tuple(variable.shape), dtype=variable.dtype))
    except Exception:  # noqa: BLE001 - a user's initializer, or one that wants another rank: it is not this one
        return False
    return np.array_equal(given, value)


def _pairs(first: Sample, second: Sample) -> list[tuple[int, Any, Any]]:
    """(place of its seed among the draws, initializer of the first model, the same of the second)."""
    result = []
    for mine, theirs in zip(_initializers(first.model), _initializers(second.model), strict=False):
        place = _place(mine.seed, first.draws)
        if place is not None and type(mine) is type(theirs) and theirs.seed == second.draws[place]:
            result.append((place, mine, theirs))
    return result


def _initializers(part: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Every initializer with a seed that a layer, or a layer within it, holds."""
    seen = set() if seen is None else seen
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, keras.layers.Layer):
        for value in list(vars(part).values()):
            yield from _initializers(value, seen)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _initializers(value, seen)
    elif isinstance(part, keras.initializers.Initializer) and isinstance(getattr(part, "seed", None), int):
        yield part


def _place(seed: int, among: Sequence[int]) -> int | None:
    return next((place for place, draw in zip(count(), among) if draw == seed), None)


def _array(value: Any) -> Array:
    """Of a variable or tensor; the framework's own conversion of a variable warns with NumPy 2."""
    return np.array(value.numpy())
