"""The parts of a stacked epoch as compiled functions, shared by all programs that have one in common.

What a model computes does not depend on the optimizer, nor what an optimizer does on the activation: of 3 x 3
combinations three forward and three update passes are traced instead of nine of each, and one summary. They are called
where a program needs them: TensorFlow puts a called function's operations in the place of the call before it runs. A
pass was traced with the model
and optimizer of the first program that needed it; all it takes from them is their structure, since every value is an
argument.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sweeper.data import Array, Part
from sweeper.training.feed import EVALUATION_BATCH
from sweeper.training.pure import PureStep, State, Tensors
from sweeper.training.vectorized import mapped

KEPT_PASSES = 64
"""More than twice as many as programs are kept."""


class Passes:
    """The passes traced last."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}

    def of(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The pass with this key, traced where there is none."""
        found = self._kept.pop(key, None)
        self._kept[key] = make() if found is None else found
        for oldest in list(self._kept)[:-KEPT_PASSES]:
            del self._kept[oldest]
        return self._kept[key]


class Forward:
    """What the models of a stack compute: gradients, metrics, predictions.

    Attributes:
        tallies: (trials, ...) those of the metrics before the first batch.
        reached: places of the weights that the loss depends on.
    """

    def __init__(self, pure: PureStep, size: int, rows: Part) -> None:
        self._pure, self._size, self._rows = pure, size, rows
        self.tallies = [tf.stack([value] * size) for value in pure.new_tallies()]
        self._weights, self._others, _ = tf.nest.map_structure(lambda v: stacked(v, size), pure.variables)
        self._counted = [tf.TensorSpec(value.shape, value.dtype) for value in self.tallies]
        self.reached: list[int] = []
        self._gradients: Callable[..., Any] | None = None
        if not pure.looks_up:
            batch = self._data(size)
            self._gradients = traced(self._gradients_in_graph, self._weights, self._others, self._counted, *batch)
        self._predict: Callable[..., Any] | None = None
        self._score = traced(
            self._score_in_graph, *self._data(None), _rows(size), self._weights, self._others, self._counted
        )

    def gradients(
        self, weights: Tensors, others: Tensors, tallies: Tensors, x: Any, y: Any
    ) -> tuple[Tensors, Tensors, Tensors]:
        """For a batch of every trial: a gradient for each weight that is reached, others, tallies."""
        assert self._gradients is not None  # where layers look rows up, step and update are one
        after: tuple[Tensors, Tensors, Tensors] = self._gradients(weights, others, tallies, x, y)
        return after

    def scored(self, part: Part, rows: Array, state: State) -> tuple[Tensors, Tensors]:
        """Others and tallies after every trial has seen its `rows` of `part`, without training on them."""
        others, tallies = state.others, self.tallies
        for block in _blocks(rows):
            others, tallies = self._score(part.x, part.y, block, state.weights, others, tallies)
        return others, tallies

    def predicted(self, part: Part, rows: Array, state: State) -> Array:
        """(trials, n, units) what every trial's model gives for its `rows` of `part`."""
        if self._predict is None:
            x, _ = self._data(None)
            self._predict = traced(self._predict_in_graph, x, _rows(self._size), self._weights, self._others)
        each = [self._predict(part.x, block, state.weights, state.others).numpy() for block in _blocks(rows)]
        return np.concatenate(each, axis=1)

    def _data(self, size: int | None) -> list[tf.TensorSpec]:
        """Of rows, or with a size of a batch of rows for each trial."""
        lead = (None,) if size is None else (size, None)
        return [tf.TensorSpec((*lead, *array.shape[1:]), array.dtype) for array in (self._rows.x, self._rows.y)]

    def _gradients_in_graph(
        self, weights: Tensors, others: Tensors, tallies: Tensors, x: Any, y: Any
    ) -> tuple[Tensors, Tensors, Tensors]:
        weights = [tf.identity(value) for value in weights]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            losses, others, tallies = mapped(self._pure.losses, weights, others, tallies, x, y)
        found = tape.gradient(losses, weights)
        self.reached = [place for place, gradient in enumerate(found) if gradient is not None]
        return [tf.convert_to_tensor(found[place]) for place in self.reached], others, tallies

    def _score_in_graph(self, x: Any, y: Any, rows: Any, weights: Tensors, others: Tensors, tallies: Tensors) -> Any:
        return mapped(self._pure.scored, weights, others, tallies, tf.gather(x, rows), tf.gather(y, rows))

    def _predict_in_graph(self, x: Any, rows: Any, weights: Tensors, others: Tensors) -> Any:
        return mapped(self._pure.predicted, weights, others, tf.gather(x, rows))


class Summary:
    """What is told of a stack after an epoch; the same computation for all models with variables of these shapes.

    Attributes:
        names: of the metrics.
    """

    def __init__(self, pure: PureStep, tallies: Tensors) -> None:
        self._pure, self._size = pure, tallies[0].shape[0]
        weights, others, _ = tf.nest.map_structure(lambda v: stacked(v, self._size), pure.variables)
        counted = [tf.TensorSpec(value.shape, value.dtype) for value in tallies]
        self._told = traced(self._told_in_graph, counted, counted, weights, others)
        self.names = pure.names

    def __call__(
        self, trained: Tensors, scored: Tensors, weights: Tensors, others: Tensors
    ) -> tuple[Array, Array, Array]:
        """(trials, metrics) of either tallies, and (trials,) whether every number of a model is finite."""
        results, finite = self._told(trained, scored, weights, others)
        first, second = np.split(results.numpy(), 2)
        return first, second, finite.numpy()

    def _told_in_graph(self, trained: Tensors, scored: Tensors, weights: Tensors, others: Tensors) -> tuple[Any, Any]:
        both = [tf.concat(pair, axis=0) for pair in zip(trained, scored, strict=True)]
        return mapped(self._pure.results, both), self._finite([*weights, *others])

    def _finite(self, values: Tensors) -> Any:
        """A finite loss can hide NaN weights behind a relu."""
        numbers = [value for value in values if value.dtype.is_floating]
        each = [tf.reduce_all(tf.math.is_finite(tf.reshape(value, (self._size, -1))), axis=1) for value in numbers]
        return tf.reduce_all(tf.stack(each), axis=0)


class Update:
    """What the optimizers of a stack do."""

    def __init__(self, pure: PureStep, size: int, reached: Sequence[int]) -> None:
        self._pure, self._reached = pure, reached
        weights, _, slots = tf.nest.map_structure(lambda v: stacked(v, size), pure.variables)
        found = [weights[place] for place in self._reached]
        rate = [tf.TensorSpec((size,), tf.float32)] * 2
        self._update = traced(self._update_in_graph, weights, slots, found, rate)

    def __call__(self, weights: Tensors, slots: Tensors, gradients: Tensors, rate: Tensors) -> tuple[Tensors, Tensors]:
        """Weights and slots after a step; a gradient for each weight that is reached."""
        after: tuple[Tensors, Tensors] = self._update(weights, slots, gradients, rate)
        return after

    def _update_in_graph(self, weights: Tensors, slots: Tensors, gradients: Tensors, rate: Tensors) -> Any:
        def updated(weights: Tensors, slots: Tensors, gradients: Tensors, rate: Tensors) -> tuple[Tensors, Tensors]:
            by_place = dict(zip(self._reached, gradients, strict=True))
            given = [by_place.get(place) for place in range(len(weights))]
            return self._pure.updated(State(weights, [], slots), given, rate)

        return mapped(updated, weights, slots, gradients, rate)


def traced(body: Callable[..., Any], *signature: Any) -> Callable[..., Any]:
    """The body as a graph; not to be asked for while another is traced, which it would then belong to."""
    concrete: Callable[..., Any] = tf.function(body, autograph=False).get_concrete_function(*signature)
    return concrete


def stacked(variable: Any, size: int) -> tf.TensorSpec:
    """What so many values of a variable look like."""
    return tf.TensorSpec((size, *variable.shape), variable.dtype)


def _blocks(rows: Array) -> Iterator[Any]:
    """(trials, rows) as many as are evaluated at a time."""
    for start in range(0, rows.shape[1], EVALUATION_BATCH):
        yield tf.constant(rows[:, start : start + EVALUATION_BATCH])


def _rows(size: int) -> tf.TensorSpec:
    return tf.TensorSpec((size, None), tf.int32)
