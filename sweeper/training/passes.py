"""The two halves of a stacked step as compiled functions, shared by all programs that have one in common.

What a model computes does not depend on the optimizer, nor what an optimizer does on the activation: of 3 x 3
combinations three forward and three update passes are traced instead of nine of each. A pass was traced with the model
and optimizer of the first program that needed it; all it takes from them is their structure, since every value is an
argument.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sweeper.data import Array, Part
from sweeper.training.feed import EVALUATION_BATCH
from sweeper.training.pure import PureStep, State, Tensors

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
        names: of the metrics.
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
        self.conclude = traced(
            self._conclude_in_graph, *self._data(None), _rows(size), self._weights, self._others, self._counted
        )
        self.names = pure.names

    def gradients(
        self, weights: Tensors, others: Tensors, tallies: Tensors, x: Any, y: Any
    ) -> tuple[Tensors, Tensors, Tensors]:
        """For a batch of every trial: a gradient for each weight that is reached, others, tallies."""
        assert self._gradients is not None  # where layers look rows up, step and update are one
        after: tuple[Tensors, Tensors, Tensors] = inlined(self._gradients, weights, others, tallies, x, y)
        return after

    def predicted(self, part: Part, rows: Array, state: State) -> Array:
        """(trials, n, units) what every trial's model gives for its `rows` of `part`."""
        if self._predict is None:
            x, _ = self._data(None)
            self._predict = traced(self._predict_in_graph, x, _rows(self._size), self._weights, self._others)
        starts = range(0, rows.shape[1], EVALUATION_BATCH)
        blocks = [tf.constant(rows[:, start : start + EVALUATION_BATCH]) for start in starts]
        each = [self._predict(part.x, block, state.weights, state.others).numpy() for block in blocks]
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

    def _conclude_in_graph(
        self, x: Any, y: Any, rows: Any, weights: Tensors, others: Tensors, tallies: Tensors
    ) -> tuple[Any, Any, Any, Tensors]:
        """Metrics of the tallies, metrics on the rows, whether all weights are finite, others afterwards."""

        def step(start: Any, others: Tensors, counted: Tensors) -> tuple[Any, Tensors, Tensors]:
            block = rows[:, start : start + EVALUATION_BATCH]
            batch = tf.gather(x, block), tf.gather(y, block)
            return start + EVALUATION_BATCH, *mapped(self._pure.scored, weights, others, counted, *batch)

        begin = (tf.constant(0), others, self.tallies)
        steps = tf.while_loop(lambda start, *_: start < tf.shape(rows)[1], step, begin, parallel_iterations=1)
        told = (mapped(self._pure.results, each) for each in (tallies, steps[2]))
        return *told, self._finite([*weights, *others]), steps[1]

    def _predict_in_graph(self, x: Any, rows: Any, weights: Tensors, others: Tensors) -> Any:
        return mapped(self._pure.predicted, weights, others, tf.gather(x, rows))

    def _finite(self, values: Tensors) -> Any:
        """(trials,) whether every number is one: a finite loss can hide NaN weights behind a relu."""
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
        after: tuple[Tensors, Tensors] = inlined(self._update, weights, slots, gradients, rate)
        return after

    def _update_in_graph(self, weights: Tensors, slots: Tensors, gradients: Tensors, rate: Tensors) -> Any:
        def updated(weights: Tensors, slots: Tensors, gradients: Tensors, rate: Tensors) -> tuple[Tensors, Tensors]:
            by_place = dict(zip(self._reached, gradients, strict=True))
            given = [by_place.get(place) for place in range(len(weights))]
            return self._pure.updated(State(weights, [], slots), given, rate)

        return mapped(updated, weights, slots, gradients, rate)


def mapped(function: Callable[..., Any], *arguments: Any) -> Any:
    """The function of one trial over the first axis of everything."""
    return tf.vectorized_map(lambda given: function(*given), arguments, warn=False)


def traced(body: Callable[..., Any], *signature: Any) -> Callable[..., Any]:
    """The body as a graph; not to be asked for while another is traced, which it would then belong to."""
    concrete: Callable[..., Any] = tf.function(body, autograph=False).get_concrete_function(*signature)
    return concrete


def inlined(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a traced function gives, its operations copied into the graph that is being traced.

    A call would cost time at every step of a loop, and nothing in it would be optimised with what stands around it.
    """
    concrete: Any = function
    outer = [*tf.nest.flatten(arguments), *concrete.captured_inputs]
    given = [tf.identity(tensor) for tensor in outer]  # brings what an outer graph holds into the body of a loop
    definition = concrete.graph.as_graph_def()
    used = {name.lstrip("^").partition(":")[0] for node in definition.node for name in node.input}
    pairs = zip(concrete.graph.inputs, given, strict=True)
    results = tf.graph_util.import_graph_def(
        definition,
        input_map={inner.name: tensor for inner, tensor in pairs if inner.op.name in used},
        return_elements=[output.name for output in concrete.graph.outputs],
        name="",
    )
    return tf.nest.pack_sequence_as(concrete.graph.structured_outputs, results)


def stacked(variable: Any, size: int) -> tf.TensorSpec:
    """What so many values of a variable look like."""
    return tf.TensorSpec((size, *variable.shape), variable.dtype)


def _rows(size: int) -> tf.TensorSpec:
    return tf.TensorSpec((size, None), tf.int32)
