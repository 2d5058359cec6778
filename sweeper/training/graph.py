"""Training with one call an epoch: the whole epoch, validation included, is a single compiled function.

The step is Keras' own `train_step`, so losses, metrics and updates are those of `model.fit`, batch by batch; what goes
is the Python between the steps. Batches are gathered inside the graph from the whole data, in the order of a
permutation that is an argument; the last batch may be smaller.

Every number equals that of `model.fit` bit for bit on the CPU it was tried on, for all optimizers of Keras, dropout and
batch norm included. Measured as in `fit.py`: 6 ms an epoch of the MLP against 12; seconds of CPU for a trial of 20
epochs: MLP 0.09 (sgd) to 0.13 (adam), CNN 0.40 to 0.52, LSTM 0.70 to 0.75 (`python tests/benchmarks/trials.py graph`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from sweeper.data import Part
from sweeper.errors import ModelError
from sweeper.setup import TrainerSetup
from sweeper.training.contract import Build
from sweeper.training.feed import EVALUATION_BATCH, Feed, orders
from sweeper.training.metrics import Logs
from sweeper.training.program import OnEpoch, Program
from sweeper.training.trials import SequentialTrainer

OWN_LOOP = tuple(
    """fit evaluate train_step test_step make_train_function make_test_function compute_loss compute_metrics
    reset_metrics get_metrics_result metrics""".split()
)
"""Methods with which a model takes part of its training into its own hands."""


ORDER = tf.TensorSpec((None,), tf.int32)
"""Of the rows in an epoch."""


class GraphTrainer(SequentialTrainer):
    """Trains with one compiled function an epoch."""

    way = "graph"

    def __init__(self, setup: TrainerSetup, build: Build) -> None:
        super().__init__(setup, build, GraphLoop)


def supports(model: keras.Model) -> str | None:
    """Why an epoch of this model cannot be one function; None if it can.

    A model with a training step of its own may do in it what only `fit` allows: call Python, keep counters, skip steps.
    """
    own = [name for name in OWN_LOOP if getattr(type(model), name, None) is not getattr(keras.Model, name, None)]
    return f"the model has its own {', '.join(own)}" if own else None


class GraphLoop:
    """Epochs as one function, traced once and called with other data, orders and weights for every trial."""

    def __init__(self, program: Program[GraphLoop]) -> None:
        obstacle = supports(program.model)
        if obstacle:
            raise ModelError.at("engine.fuse", "a model that Keras' own training step trains", obstacle, "fuse: off")
        self._model = program.model
        self._batch_size = program.batch_size
        self._names: tuple[str, ...] = ()
        self._epoch: Callable[..., Any] | None = None
        self._score: Callable[..., Any] | None = None

    def train(self, feed: Feed, shuffle: int, epochs: int, on_epoch: OnEpoch) -> None:
        """See `compiled.Loop`."""
        if self._epoch is None:
            self._score = _function(self._score_in_graph, *_specs(feed.train))
            self._epoch = _function(self._epoch_in_graph, *_specs(feed.train), ORDER, *_specs(feed.train))
        train, validation = _tensors(feed.train), _tensors(feed.validation)
        order = orders(len(feed.train), shuffle)
        for epoch in range(epochs):
            trained, validated, finite = self._epoch(*train, tf.constant(next(order)), *validation)
            logs = {**self._logs("", trained), **self._logs("val_", validated)}
            if not on_epoch(epoch, logs, bool(finite)):
                return
        self._model.optimizer.finalize_variable_values(self._model.trainable_weights)

    def evaluate(self, part: Part) -> Logs:
        """See `compiled.Loop`."""
        assert self._score is not None  # nothing is evaluated that was not trained
        return self._logs("", self._score(*_tensors(part)))

    def _epoch_in_graph(self, x: Any, y: Any, order: Any, x_validation: Any, y_validation: Any) -> tuple[Any, Any, Any]:
        """Metrics of training, metrics of validation, whether every weight is finite."""

        def step(start: Any) -> None:
            rows = order[start : start + self._batch_size]
            self._model.train_step((tf.gather(x, rows), tf.gather(y, rows)))

        self._model.reset_metrics()
        _each(step, tf.shape(order)[0], self._batch_size)
        trained = self._results()
        assert self._score is not None
        return trained, self._score(x_validation, y_validation), _finite(self._model.weights)

    def _score_in_graph(self, x: Any, y: Any) -> Any:
        def step(start: Any) -> None:
            rows = slice(start, start + EVALUATION_BATCH)
            self._model.test_step((x[rows], y[rows]))

        self._model.reset_metrics()
        _each(step, tf.shape(y)[0], EVALUATION_BATCH)
        return self._results()

    def _results(self) -> Any:
        """The value of every metric, in the order of `_names`."""
        results = self._model.get_metrics_result()
        self._names = tuple(results)
        return tf.stack([tf.cast(value, tf.float32) for value in results.values()])

    def _logs(self, prefix: str, values: Any) -> Logs:
        return {prefix + name: float(value) for name, value in zip(self._names, values.numpy(), strict=True)}


def _each(step: Callable[[Any], None], rows: Any, size: int) -> None:
    """`step(start)` for every batch of `size` rows, one after the other."""

    def body(start: Any) -> Any:
        step(start)
        return start + size

    tf.while_loop(lambda start: start < rows, body, [tf.constant(0)], parallel_iterations=1)


def _finite(variables: Sequence[Any]) -> Any:
    """Whether every number is one: a finite loss can hide NaN weights behind a relu."""
    values = [tf.convert_to_tensor(variable.value) for variable in variables]
    return tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in values if value.dtype.is_floating])


def _function(body: Callable[..., Any], *signature: Any) -> Callable[..., Any]:
    traced: Callable[..., Any] = tf.function(body, autograph=False).get_concrete_function(*signature)
    return traced


def _specs(part: Part) -> tuple[Any, Any]:
    return tf.TensorSpec((None, *part.x.shape[1:]), part.x.dtype), tf.TensorSpec(
        (None, *part.y.shape[1:]), part.y.dtype
    )


def _tensors(part: Part) -> tuple[Any, Any]:
    return tf.constant(part.x), tf.constant(part.y)
