"""A training step of one trial as functions of values: nothing is read from a variable and nothing is written to one.

The layers, loss, metrics and optimizer are Keras' own, called in a `keras.StatelessScope`; every variable that they
read or write is an argument or a result. So the same functions serve a single trial and, under `tf.vectorized_map`,
many trials at once: whatever a layer or an optimizer does with its variables (norms, clipping, decay, averages) it does
with those of one trial alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from sweeper.errors import ModelError
from sweeper.training.hidden_state import looks_up

Tensors = list[Any]

_BASE, _TENSORFLOW = "BaseOptimizer", "TFOptimizer"


class State(NamedTuple):
    """Values of every variable that training changes, in the order in which Keras lists them.

    Attributes:
        weights: trainable variables.
        others: of the model: moving statistics, states of generators.
        slots: variables of the optimizer, its step counter among them.
    """

    weights: Tensors
    others: Tensors
    slots: Tensors


class PureStep:
    """The training step of a compiled model.

    Args:
        model: compiled and built.
        optimizer: of a `stateless` class, built for its trainable variables.
        rate: variables of the learning rate, which differ between trials.

    Attributes:
        looks_up: whether gradients may be sparse.
        names: of the metrics, once `results` has been called.
    """

    def __init__(self, model: keras.Model, optimizer: Any, rate: Sequence[keras.Variable]) -> None:
        self._model, self._optimizer = model, optimizer
        self._rate = list(rate)
        self._weights = list(model.trainable_variables)
        trained = set(map(id, self._weights))
        self._others = [variable for variable in model.variables if id(variable) not in trained]
        self._slots = list(optimizer.variables)
        self._tallies = [variable for metric in model.metrics for variable in metric.variables]
        self._loss_tracker = next(metric for metric in model.metrics if metric.name == "loss")
        self.looks_up = looks_up(model)
        self._minds_training = "training" in inspect.signature(model.call).parameters
        self.names: tuple[str, ...] = ()

    def state(self, variables: Sequence[Any], slots: Sequence[Any]) -> State:
        """Values in the order of `model.variables` and of the optimizer's variables, sorted into their roles."""
        by_variable = {id(v): value for v, value in zip(self._model.variables, variables, strict=True)}
        return State(
            [by_variable[id(v)] for v in self._weights], [by_variable[id(v)] for v in self._others], list(slots)
        )

    def model_values(self, state: State) -> list[Any]:
        """The inverse: values in the order of `model.variables`."""
        known = zip([*self._weights, *self._others], [*state.weights, *state.others], strict=True)
        by_variable = {id(variable): value for variable, value in known}
        return [by_variable[id(variable)] for variable in self._model.variables]

    @property
    def variables(self) -> State:
        """The variables themselves, for their shapes and types."""
        return State(self._weights, self._others, self._slots)

    def new_tallies(self) -> Tensors:
        """Values of the metrics' variables before the first batch."""
        self._model.reset_metrics()
        return [tf.constant(variable.numpy()) for variable in self._tallies]

    def losses(
        self, weights: Tensors, others: Tensors, tallies: Tensors, x: Any, y: Any
    ) -> tuple[Any, Tensors, Tensors]:
        """The loss of a batch to differentiate, and what the forward pass changes: `others` and `tallies`."""
        scope = self._scope(weights=weights, others=others, tallies=tallies)
        with scope:
            predicted = self._called(x, training=True)
            loss = self._tallied(x, y, predicted, training=True)
            loss = self._optimizer.scale_loss(loss)
        return loss, _current(scope, self._others), _current(scope, self._tallies)

    def updated(self, state: State, gradients: Tensors, rate: Tensors) -> tuple[Tensors, Tensors]:
        """Weights and slots after a step of the optimizer; a gradient is None where the loss does not depend on it."""
        scope = self._scope(weights=state.weights, slots=state.slots, rate=rate)
        with scope:
            self._optimizer.apply(gradients)
        return _current(scope, self._weights), _current(scope, self._slots)

    def stepped(self, state: State, tallies: Tensors, rate: Tensors, x: Any, y: Any) -> tuple[State, Tensors]:
        """State and tallies after a whole step: gradients keep the form in which Keras would get them."""
        weights = [tf.identity(value) for value in state.weights]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss, others, tallies = self.losses(weights, state.others, tallies, x, y)
        gradients = tape.gradient(loss, weights)
        weights, slots = self.updated(State(weights, others, state.slots), gradients, rate)
        return State(weights, others, slots), tallies

    def scored(self, weights: Tensors, others: Tensors, tallies: Tensors, x: Any, y: Any) -> tuple[Tensors, Tensors]:
        """`others` and the tallies after a batch that is not trained on: some layers draw a mask even then."""
        scope = self._scope(weights=weights, others=others, tallies=tallies)
        with scope:
            self._tallied(x, y, self._called(x, training=False), training=False)
        return _current(scope, self._others), _current(scope, self._tallies)

    def predicted(self, weights: Tensors, others: Tensors, x: Any) -> Any:
        """(rows, units) what the model gives."""
        with self._scope(weights=weights, others=others):
            return self._called(x, training=False)

    def results(self, tallies: Tensors) -> Any:
        """(metrics,) their values, in the order of `names`."""
        with self._scope(tallies=tallies):
            results = self._model.get_metrics_result()
        self.names = tuple(results)
        return tf.stack([tf.cast(value, tf.float32) for value in results.values()])

    def finished(self, state: State) -> Tensors:
        """The weights as the optimizer leaves them after the last step."""
        scope = self._scope(weights=state.weights, slots=state.slots)
        with scope:
            self._optimizer.finalize_variable_values(self._weights)
        return _current(scope, self._weights)

    def _called(self, x: Any, *, training: bool) -> Any:
        return self._model(x, training=training) if self._minds_training else self._model(x)

    def _tallied(self, x: Any, y: Any, predicted: Any, *, training: bool) -> Any:
        """The loss, after it and every metric have been tallied; as `keras.Model.train_step` does it."""
        loss = self._model.compute_loss(x=x, y=y, y_pred=predicted, training=training)
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        self._model.compute_metrics(x, y, predicted)
        return loss

    def _scope(self, **values: Tensors) -> _Scope:
        roles = {
            "weights": self._weights,
            "others": self._others,
            "slots": self._slots,
            "tallies": self._tallies,
            "rate": self._rate,
        }
        return _Scope([pair for role, given in values.items() for pair in zip(roles[role], given, strict=True)])


class _Scope(keras.StatelessScope):  # type: ignore[misc]  # keras ships no types
    """Refuses to lose an update: every variable that is assigned must be among the values."""

    def __init__(self, values: list[tuple[Any, Any]]) -> None:
        super().__init__(state_mapping=values, collect_losses=True)
        self._known = {id(variable) for variable, _ in values}

    def add_update(self, update: tuple[Any, Any]) -> None:
        variable, _ = update
        if id(variable) not in self._known:
            raise ModelError.at(
                "model", "a step that changes only what Keras lists as variables", variable.path, "fuse: graph"
            )
        super().add_update(update)


def stateless(kind: type[keras.optimizers.Optimizer]) -> type[keras.optimizers.Optimizer]:
    """The same optimizer, with Keras' backend-neutral way to write variables in the place of that for TensorFlow.

    The latter addresses `tf.Variable`s for the sake of `tf.distribute`, which is why Keras refuses `stateless_apply`
    on this backend. The class goes between the optimizer and Keras' base of all, so that what an optimizer overrides
    itself stays (Nadam's product, for one). Clipping, which writes nothing, stays that for TensorFlow: it takes sparse
    gradients.
    """
    by_name = {base.__name__: base for base in keras.optimizers.Optimizer.__mro__}
    neutral, specific = by_name[_BASE], by_name[_TENSORFLOW]
    own = {name: value for name, value in vars(neutral).items() if name in vars(specific) and not _is_pure(name)}
    between = type("Stateless", (keras.optimizers.Optimizer,), own)
    return type(kind.__name__, (kind, between), {})


def _is_pure(name: str) -> bool:
    return name.startswith("__") or name == "_clip_by_norm"


def _current(scope: keras.StatelessScope, variables: Sequence[Any]) -> Tensors:
    return [scope.get_current_value(variable) for variable in variables]
