"""Whether a training step draws on state that a refilled model does not reset.

Keras' own layers keep what they draw from in variables. A user's layer may use a stateful TensorFlow random op, a
variable from elsewhere or Python code: then only a newly traced step starts where a trial has to start.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import tensorflow as tf

from sweeper.data import DataInfo, Task

STATEFUL_OPS = frozenset(
    """EagerPyFunc Multinomial ParameterizedTruncatedNormal PyFunc PyFuncStateless RandomGamma RandomPoisson
    RandomPoissonV2 RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt TruncatedNormal""".split()
)
"""Ops that keep a generator in their kernel, or call Python."""

_LIBRARIES = ("keras", "tensorflow", "numpy", "builtins")


def hidden_state(model: keras.Model, info: DataInfo, own: Iterable[Any]) -> str | None:
    """What a training step of a compiled model uses besides its `own` variables; None if nothing.

    A model of nothing but Keras' own parts needs no look. Any other is traced once (0.3 s or more).
    """
    if all(_from_library(part) for part in _parts(model)):
        return None
    graph = _traced(model, info)
    stateful = STATEFUL_OPS & _op_types(graph)
    if stateful:
        return f"stateful ops: {', '.join(sorted(stateful))}"
    known = {_handle(variable) for variable in own}
    foreign = [variable.name for variable in graph.variables if id(variable.handle) not in known]
    return f"variables from elsewhere: {', '.join(foreign)}" if foreign else None


def looks_up(model: keras.Model) -> bool:
    """Whether gradients may be sparse (`tf.IndexedSlices`): some layer looks rows up, or may do so.

    Keras' optimizers treat those in their own way on TensorFlow: a row that a batch looks up twice adds two squares to
    a second moment, not the square of the sum.
    """
    return any(
        isinstance(part, keras.layers.Embedding) or not _from_library(part)
        for part in _parts(model)
        if isinstance(part, keras.layers.Layer)
    )


def _parts(model: keras.Model) -> Iterator[Any]:
    """The model, its layers at any depth, and the functions and objects these hold."""
    yield model
    for layer in model.layers if isinstance(model, keras.Model) else []:
        yield from _parts(layer)
        yield from (value for name, value in vars(layer).items() if not name.startswith("_") and callable(value))


def _from_library(part: Any) -> bool:
    kind = part if inspect.isroutine(part) or inspect.isclass(part) else type(part)
    library = str(getattr(kind, "__module__", "")).partition(".")[0] in _LIBRARIES
    return library and not isinstance(part, keras.layers.Lambda)


def _traced(model: keras.Model, info: DataInfo) -> Any:
    x = tf.TensorSpec((None, *info.input_shape), tf.float32 if info.vocabulary is None else tf.int32)
    y = (
        tf.TensorSpec((None,), tf.int32)
        if info.task is Task.MULTICLASS
        else tf.TensorSpec((None, info.output_units), tf.float32)
    )
    return tf.function(model.train_step, autograph=False).get_concrete_function((x, y)).graph


def _op_types(graph: Any) -> set[str]:
    definition = graph.as_graph_def()
    bodies = [definition.node, *(function.node_def for function in definition.library.function)]
    return {node.op for nodes in bodies for node in nodes}


def _handle(variable: Any) -> int:
    return id(variable.value.handle if isinstance(variable, keras.Variable) else variable.handle)
