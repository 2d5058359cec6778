"""Training with `model.fit`: whatever Keras can train.

Measured on 2 cores, one thread, MLP 64-32 on 1078 training rows of the 8x8 digits, batch 32 (34 steps and a validation
an epoch), milliseconds an epoch:

* `fit` on numpy arrays 85, on a cached `tf.data` set 61;
* all steps of an epoch in one call (`steps_per_execution`) over a set that begins anew each epoch 31, of which making
  the iterator takes 20;
* the same over one endless stream (what is done here) 12. Two threads: 11 to 14.

Seconds of CPU for a trial of 20 epochs, everything included: MLP 0.26 (sgd) to 0.30 (adam), CNN 0.73 to 0.81, LSTM
0.94; the first trial of a combination pays 0.5 to 2 more for tracing (`python tests/benchmarks/trials.py fit mlp`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sweeper.data import Array, Part
from sweeper.setup import TrainerSetup
from sweeper.training.contract import Build
from sweeper.training.feed import EVALUATION_BATCH, Feed, blocks, orders, steps_of
from sweeper.training.metrics import Logs
from sweeper.training.program import OnEpoch, Program
from sweeper.training.trials import SequentialTrainer

BLOCK_BYTES = 16 * 2**20
"""Of rows handed to the stream at a time."""

LONGEST_EXECUTION = 256
"""Steps in one call: Ctrl-C is heard between calls."""

SHORTEST_EXECUTION = 32


class FitTrainer(SequentialTrainer):
    """Trains with `model.fit`; a user's own `train_step` included."""

    way = "fit"

    def __init__(self, setup: TrainerSetup, build: Build) -> None:
        super().__init__(setup, build, FitLoop)


class FitLoop:
    """Epochs by `model.fit` over one endless stream of batches."""

    def __init__(self, program: Program[FitLoop]) -> None:
        self._model = program.model
        self._batch_size = program.batch_size
        self._stream: tf.data.Dataset | None = None
        self._source: Iterator[tuple[Array, Array]] = iter(())

    def train(self, feed: Feed, shuffle: int, epochs: int, on_epoch: OnEpoch) -> None:
        """See `compiled.Loop`."""
        steps = steps_of(len(feed.train), self._batch_size)
        self._fit_execution(steps)
        self._source = self._rows(feed.train, shuffle)
        if self._stream is None:
            self._stream = self._endless(feed.train)
        self._model.fit(
            self._stream,
            steps_per_epoch=steps,
            epochs=epochs,
            shuffle=False,  # the stream is in its order already
            validation_data=_batches(feed.validation),
            verbose=0,
            callbacks=[_Epochs(on_epoch)],
        )

    def evaluate(self, part: Part) -> Logs:
        """See `compiled.Loop`."""
        logs = self._model.evaluate(_batches(part), return_dict=True, verbose=0)
        return {name: float(value) for name, value in logs.items()}

    def _fit_execution(self, steps: int) -> None:
        """Compile so many steps into one call that calls and epochs end together.

        The number is compiled in: should the size of the training part change from split to split (groups), one step
        a call serves every size.
        """
        if self._stream is None:
            self._model.steps_per_execution = execution_steps(steps)
        elif steps % self._model.steps_per_execution:
            self._model.steps_per_execution = 1
            self._model.train_function = self._model.test_function = None

    def _rows(self, part: Part, shuffle: int) -> Iterator[tuple[Array, Array]]:
        """The rows of one epoch after the other, in blocks of whole batches."""
        row_bytes = max(1, part.x[:1].nbytes)
        size = self._batch_size * max(1, BLOCK_BYTES // row_bytes // self._batch_size)
        for order in orders(len(part), shuffle):
            yield from blocks(part, order, size)

    def _endless(self, part: Part) -> tf.data.Dataset:
        """Batches of what `_source` gives at the time; made once, because each such set compiles functions."""
        signature = tuple(tf.TensorSpec((None, *rows.shape[1:]), rows.dtype) for rows in (part.x, part.y))
        stream = tf.data.Dataset.from_generator(lambda: self._source, output_signature=signature)
        return stream.flat_map(self._cut).with_options(_options())

    def _cut(self, x: Any, y: Any) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices((x, y)).batch(self._batch_size)


def execution_steps(steps: int) -> int:
    """The largest divisor of `steps` that is no more than LONGEST_EXECUTION, or all of them if it is too small."""
    largest = max(d for d in range(1, min(steps, LONGEST_EXECUTION) + 1) if steps % d == 0)
    return largest if largest >= min(steps, SHORTEST_EXECUTION) else steps


class _Epochs(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Hands every epoch on, and ends the training when told to."""

    def __init__(self, on_epoch: OnEpoch) -> None:
        super().__init__()
        self._on_epoch = on_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        if not self._on_epoch(epoch, metrics, _finite(self.model)):
            self.model.stop_training = True


def _finite(model: keras.Model) -> bool:
    """Whether every weight is a number: a finite loss can hide NaN weights behind a relu."""
    return all(bool(np.isfinite(variable.numpy()).all()) for variable in model.weights)


def _batches(part: Part) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((part.x, part.y)).batch(EVALUATION_BATCH).with_options(_options())


def _options() -> tf.data.Options:
    """No threads and no tuning for work of microseconds."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = 1
    return options
