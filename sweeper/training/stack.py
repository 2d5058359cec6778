"""Epochs of many trials of one combination as one compiled function: every variable has the trials as its first axis.

The step of one trial (`pure`) is mapped over the axis; one gradient of the sum of the losses gives every trial its own,
because no loss depends on another trial's weights. Nothing else mixes trials, so one that diverges fills its own slices
with NaN and no others.

Measured on one thread of a 2-core machine, MLP 64-32 on the digits, Adam, milliseconds of CPU an epoch and trial: alone
(`graph`) 6; stacked by 8 2.4, by 32 1.5. With the size of the stack left open in the compiled function 5.5, and three
times as long to trace; so every size has its own (`python tests/benchmarks/fusion.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sweeper.data import Array, Part
from sweeper.training.compiled import Program
from sweeper.training.feed import EVALUATION_BATCH
from sweeper.training.metrics import Logs
from sweeper.training.pure import PureStep, State, Tensors

LONGEST_CALL = 1024
"""Steps in one call; an epoch of more is several calls."""


class StackLoop:
    """The compiled functions of a program, one set for every size of a stack that was asked for."""

    def __init__(self, program: Program[StackLoop]) -> None:
        self._program = program
        self._pure: PureStep | None = None
        self._sized: dict[int, SizedLoop] = {}

    @property
    def pure(self) -> PureStep:
        """The step of one trial."""
        if self._pure is None:
            self._pure = PureStep(self._program.model, self._program.rate.variables)
        return self._pure

    def of(self, size: int, rows: Part) -> SizedLoop:
        """The functions for `size` trials on rows like these."""
        if size not in self._sized:
            self._sized[size] = SizedLoop(self.pure, size, self._program.batch_size, rows)
        return self._sized[size]

    def start(self, seeds: Sequence[int]) -> State:
        """(trials, ...) the values that newly built models and optimizers have under these seeds."""
        each = [self._program.start(seed) for seed in seeds]
        variables, slots = (
            [tf.constant(np.stack(values)) for values in zip(*lists, strict=True)] for lists in zip(*each, strict=True)
        )
        return self.pure.state(variables, slots)


class SizedLoop:
    """Compiled functions for a stack of so many trials.

    Attributes:
        size: trials.
    """

    def __init__(self, pure: PureStep, size: int, batch_size: int, rows: Part) -> None:
        self.size = size
        self._pure, self._batch_size = pure, batch_size
        self._tallies = [tf.stack([value] * size) for value in pure.new_tallies()]
        data = [tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in (rows.x, rows.y)]
        order = tf.TensorSpec((size, None), tf.int32)
        state = tf.nest.map_structure(self._stacked, pure.variables)
        tallies = [tf.TensorSpec(value.shape, value.dtype) for value in self._tallies]
        rate = [tf.TensorSpec((size,), tf.float32)] * 2
        self._advance = _function(self._advance_in_graph, *data, order, state, tallies, rate)
        self._conclude = _function(self._conclude_in_graph, *data, order, state, tallies)
        self._finish: Callable[..., Any] | None = None
        self._predict: Callable[..., Any] | None = None

    def epoch(self, train: Part, order: Array, state: State, rate: Sequence[Array]) -> tuple[State, Tensors]:
        """State and tallies after one pass.

        Args:
            train: tensors (rows, ...), of all splits that the trials use.
            order: (trials, rows of an epoch) which of them, in the order of training.
            state: (trials, ...) before.
            rate: base rate and number of steps, (trials,) each.
        """
        tallies, longest = self._tallies, LONGEST_CALL * self._batch_size
        for start in range(0, order.shape[1], longest):
            rows = tf.constant(order[:, start : start + longest])
            state, tallies = self._advance(train.x, train.y, rows, state, tallies, list(rate))
        return state, tallies

    def told(
        self, part: Part, rows: Array, state: State, tallies: Tensors | None = None
    ) -> tuple[list[Logs], list[Logs], Array, State]:
        """For every trial: metrics of its tallies, metrics on its `rows` of `part`, whether its weights are finite.

        Last comes the state afterwards.
        """
        counted = self._tallies if tallies is None else tallies
        *results, others = self._conclude(part.x, part.y, tf.constant(rows), state, counted)
        trained, scored, finite = (result.numpy() for result in results)
        return self._logs(trained), self._logs(scored), finite, state._replace(others=others)

    def predicted(self, part: Part, rows: Array, state: State) -> Array:
        """(trials, n, units) what every trial's model gives for its `rows` of `part`."""
        if self._predict is None:
            signature = tf.nest.map_structure(self._stacked, self._pure.variables)
            kind = tf.TensorSpec((None, *part.x.shape[1:]), part.x.dtype)
            self._predict = _function(
                self._predict_in_graph, kind, tf.TensorSpec((self.size, None), tf.int32), signature
            )
        starts = range(0, rows.shape[1], EVALUATION_BATCH)
        blocks = [tf.constant(rows[:, start : start + EVALUATION_BATCH]) for start in starts]
        return np.concatenate([self._predict(part.x, block, state).numpy() for block in blocks], axis=1)

    def finished(self, state: State) -> State:
        """The state as the optimizer leaves it after the last step."""
        if self._finish is None:
            signature = tf.nest.map_structure(self._stacked, self._pure.variables)
            self._finish = _function(lambda given: _mapped(self._pure.finished, given), signature)
        return state._replace(weights=self._finish(state))

    def _stacked(self, variable: Any) -> tf.TensorSpec:
        return tf.TensorSpec((self.size, *variable.shape), variable.dtype)

    def _logs(self, values: Array) -> list[Logs]:
        return [dict(zip(self._pure.names, map(float, row), strict=True)) for row in values]

    def _advance_in_graph(
        self, x: Any, y: Any, order: Any, state: State, tallies: Tensors, rate: Tensors
    ) -> tuple[State, Tensors]:
        def step(start: Any, state: State, tallies: Tensors) -> tuple[Any, State, Tensors]:
            rows = order[:, start : start + self._batch_size]
            after = self._step(state, tallies, rate, tf.gather(x, rows), tf.gather(y, rows))
            return start + self._batch_size, *after

        steps = tf.while_loop(
            lambda start, *_: start < tf.shape(order)[1], step, (tf.constant(0), state, tallies), parallel_iterations=1
        )
        return steps[1], steps[2]

    def _step(self, state: State, tallies: Tensors, rate: Tensors, x: Any, y: Any) -> tuple[State, Tensors]:
        """One batch of every trial."""
        if self._pure.looks_up:
            stepped: tuple[State, Tensors] = _mapped(self._pure.stepped, state, tallies, rate, x, y)
            return stepped
        weights = [tf.identity(value) for value in state.weights]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            losses, others, tallies = _mapped(self._pure.losses, weights, state.others, tallies, x, y)
        found = tape.gradient(losses, weights)
        reached = [place for place, gradient in enumerate(found) if gradient is not None]

        def updated(state: State, gradients: Tensors, rate: Tensors) -> tuple[Tensors, Tensors]:
            by_place = dict(zip(reached, gradients, strict=True))
            return self._pure.updated(state, [by_place.get(place) for place in range(len(found))], rate)

        gradients = [tf.convert_to_tensor(found[place]) for place in reached]
        weights, slots = _mapped(updated, State(weights, [], state.slots), gradients, rate)
        return State(weights, others, slots), tallies

    def _conclude_in_graph(
        self, x: Any, y: Any, rows: Any, state: State, tallies: Tensors
    ) -> tuple[Any, Any, Any, Tensors]:
        def step(start: Any, others: Tensors, counted: Tensors) -> tuple[Any, Tensors, Tensors]:
            block = rows[:, start : start + EVALUATION_BATCH]
            batch = tf.gather(x, block), tf.gather(y, block)
            return start + EVALUATION_BATCH, *_mapped(self._pure.scored, state.weights, others, counted, *batch)

        begin = (tf.constant(0), state.others, self._tallies)
        steps = tf.while_loop(lambda start, *_: start < tf.shape(rows)[1], step, begin, parallel_iterations=1)
        told = (_mapped(self._pure.results, each) for each in (tallies, steps[2]))
        return *told, self._finite(state), steps[1]

    def _predict_in_graph(self, x: Any, rows: Any, state: State) -> Any:
        return _mapped(self._pure.predicted, state.weights, state.others, tf.gather(x, rows))

    def _finite(self, state: State) -> Any:
        """(trials,) whether every number is one: a finite loss can hide NaN weights behind a relu."""
        numbers = [value for value in (*state.weights, *state.others) if value.dtype.is_floating]
        each = [tf.reduce_all(tf.math.is_finite(tf.reshape(value, (self.size, -1))), axis=1) for value in numbers]
        return tf.reduce_all(tf.stack(each), axis=0)


def _mapped(function: Callable[..., Any], *arguments: Any) -> Any:
    """The function of one trial over the first axis of everything."""
    return tf.vectorized_map(lambda given: function(*given), arguments, warn=False)


def _function(body: Callable[..., Any], *signature: Any) -> Callable[..., Any]:
    traced: Callable[..., Any] = tf.function(body, autograph=False).get_concrete_function(*signature)
    return traced
