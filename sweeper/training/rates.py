"""The optimizer of a trial, and its learning rate as numbers that can be changed without compiling anything again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sweeper.errors import ModelError
from sweeper.registry import suggest
from sweeper.vocabulary import OPTIMIZERS, SCHEDULES, optimizer_arguments


class Rate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # keras ships no types
    """Learning rate by step: constant, or decaying to 0 at the last step of the trial along a line or half a cosine.

    Base rate and number of steps are variables: a compiled training step reads them anew. Cosine: Loshchilov & Hutter
    2017 (arXiv 1608.03983), equation 5 with a single period and a minimum of 0.
    """

    def __init__(self, kind: str) -> None:
        if kind not in SCHEDULES:
            raise ModelError.at("training.schedule", "a schedule", repr(kind), suggest(kind, SCHEDULES))
        super().__init__()
        self.kind = kind
        self._base = keras.Variable(0.0, trainable=False, dtype="float32", name="base_rate")
        self._steps = keras.Variable(1.0, trainable=False, dtype="float32", name="rate_steps")

    def set(self, base: float, steps: int) -> None:
        """Begin again with this rate, for this many batches."""
        self._base.assign(base)
        self._steps.assign(float(steps))

    @property
    def variables(self) -> list[keras.Variable]:
        """The numbers that `set` changes: base rate, and steps."""
        return [self._base, self._steps]

    def __call__(self, step: Any) -> Any:
        """The rate of the batch after `step` batches."""
        base = tf.convert_to_tensor(self._base.value)
        if self.kind == "constant":
            return base
        progress = tf.minimum(keras.ops.cast(step, "float32") / self._steps.value, 1.0)
        if self.kind == "linear":
            return base * (1.0 - progress)
        return base * 0.5 * (1.0 + tf.cos(np.float32(np.pi) * progress))

    def get_config(self) -> dict[str, Any]:
        """As Keras wants to describe it."""
        return {"kind": self.kind}


def optimizer_for(
    params: Mapping[str, Any], rate: Rate, variant: Callable[[type[Any]], type[Any]] = lambda kind: kind
) -> keras.optimizers.Optimizer:
    """The Keras optimizer that a trial names, with those of its parameters that are arguments of it.

    Args:
        params: of the trial.
        rate: its learning rate.
        variant: what to make of the class first.

    Raises:
        ModelError: there is no such optimizer.
    """
    name = params["optimizer"]
    if name not in OPTIMIZERS:
        raise ModelError.at("parameters.optimizer", "an optimizer of Keras", repr(name), suggest(str(name), OPTIMIZERS))
    arguments = {key: params[key] for key in optimizer_arguments(name) if key in params}
    kind = variant(getattr(keras.optimizers, OPTIMIZERS[name].keras_class))
    return kind(learning_rate=rate, **arguments)
