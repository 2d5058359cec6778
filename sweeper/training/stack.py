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
from sweeper.training.metrics import Logs
from sweeper.training.passes import Forward, Passes, Summary, Update, stacked, traced
from sweeper.training.program import Program
from sweeper.training.pure import PureStep, State, Tensors
from sweeper.training.vectorized import mapped

LONGEST_CALL = 1024
"""Steps in one call; an epoch of more is several calls."""


class StackLoop:
    """The compiled functions of a program, one set for every size of a stack that was asked for.

    Args:
        passes: those of other programs too.
    """

    def __init__(self, program: Program[StackLoop], passes: Passes) -> None:
        self._program, self._passes = program, passes
        self._pure: PureStep | None = None
        self._sized: dict[int, SizedLoop] = {}

    @property
    def pure(self) -> PureStep:
        """The step of one trial."""
        if self._pure is None:
            self._pure = PureStep(self._program.model, self._program.optimizer, self._program.rate.variables)
        return self._pure

    def of(self, size: int, rows: Part) -> SizedLoop:
        """The functions for `size` trials on rows like these."""
        if size not in self._sized:
            self._sized[size] = SizedLoop(self._program, self.pure, self._passes, size, rows)
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

    def __init__(self, program: Program[StackLoop], pure: PureStep, passes: Passes, size: int, rows: Part) -> None:
        self.size = size
        self._program, self._pure = program, pure
        self._forward: Forward = passes.of(("forward", size, program.model_key), lambda: Forward(pure, size, rows))
        self._update: Update | None = None
        if not pure.looks_up:
            reached = self._forward.reached
            key = ("update", size, program.optimizer_key, tuple(reached))
            self._update = passes.of(key, lambda: Update(pure, size, reached))
        shapes = [*pure.variables.weights, *pure.variables.others, *self._forward.tallies]
        summed = ("summary", size, tuple((tuple(value.shape), str(value.dtype)) for value in shapes))
        self._summary: Summary = passes.of(summed, lambda: Summary(pure, self._forward.tallies))
        self._finish: Callable[..., Any] | None = None
        self._state = tf.nest.map_structure(lambda variable: stacked(variable, size), pure.variables)
        data = [tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in (rows.x, rows.y)]
        tallies = [tf.TensorSpec(value.shape, value.dtype) for value in self._forward.tallies]
        rate = [tf.TensorSpec((size,), tf.float32)] * 2
        order = tf.TensorSpec((size, None), tf.int32)
        self._advance = traced(self._advance_in_graph, *data, order, self._state, tallies, rate)

    def epoch(self, train: Part, order: Array, state: State, rate: Sequence[Array]) -> tuple[State, Tensors]:
        """State and tallies after one pass.

        Args:
            train: tensors (rows, ...), of all splits that the trials use.
            order: (trials, rows of an epoch) which of them, in the order of training.
            state: (trials, ...) before.
            rate: base rate and number of steps, (trials,) each.
        """
        tallies, longest = self._forward.tallies, LONGEST_CALL * self._program.batch_size
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
        counted = self._forward.tallies if tallies is None else tallies
        others, seen = self._forward.scored(part, rows, state)
        trained, scored, finite = self._summary(counted, seen, state.weights, others)
        return self._logs(trained), self._logs(scored), finite, state._replace(others=others)

    def predicted(self, part: Part, rows: Array, state: State) -> Array:
        """(trials, n, units) what every trial's model gives for its `rows` of `part`."""
        return self._forward.predicted(part, rows, state)

    def finished(self, state: State) -> State:
        """The state as the optimizer leaves it after the last step."""
        if self._finish is None:
            self._finish = traced(lambda given: mapped(self._pure.finished, given), self._state)
        return state._replace(weights=self._finish(state))

    def _logs(self, values: Array) -> list[Logs]:
        return [dict(zip(self._summary.names, map(float, row), strict=True)) for row in values]

    def _advance_in_graph(
        self, x: Any, y: Any, order: Any, state: State, tallies: Tensors, rate: Tensors
    ) -> tuple[State, Tensors]:
        batch_size = self._program.batch_size

        def step(start: Any, state: State, tallies: Tensors) -> tuple[Any, State, Tensors]:
            rows = order[:, start : start + batch_size]
            after = self._step(state, tallies, rate, tf.gather(x, rows), tf.gather(y, rows))
            return start + batch_size, *after

        steps = tf.while_loop(
            lambda start, *_: start < tf.shape(order)[1], step, (tf.constant(0), state, tallies), parallel_iterations=1
        )
        return steps[1], steps[2]

    def _step(self, state: State, tallies: Tensors, rate: Tensors, x: Any, y: Any) -> tuple[State, Tensors]:
        """One batch of every trial."""
        if self._update is None:
            stepped: tuple[State, Tensors] = mapped(self._pure.stepped, state, tallies, rate, x, y)
            return stepped
        gradients, others, tallies = self._forward.gradients(state.weights, state.others, tallies, x, y)
        weights, slots = self._update(state.weights, state.slots, gradients, rate)
        return State(weights, others, slots), tallies
