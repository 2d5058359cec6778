"""From a function of one trial to one of many, without a loop over the trials.

`tf.vectorized_map` rewrites every operation of the function as one that takes all trials at once. For an operation that
it has no rule for, it writes a loop over them into the graph, silently and at some 20 µs a turn. The rules below are
for those that Keras' layers and metrics need in a training step: an epoch of MLPs takes a sixth less time (`accuracy`
asks for the sign of a zero), with dropout two fifths (`python tests/benchmarks/loops.py`).

Convolutions whose kernels differ are left to the loop. One operation a trial takes a sixth less time, one trial after
the other a quarter less (and `choose` prefers that); shifted slices and one product take twice as long.

The registry of rules is no public part of TensorFlow. Without it everything is computed as before, by loops.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

try:
    from tensorflow.python.ops.parallel_for import pfor
except ImportError:  # pragma: no cover - a TensorFlow that keeps it elsewhere
    pfor = None

RANDOM = (
    "StatelessRandomGetKeyCounter",
    "StatelessRandomUniformV2",
    "StatelessRandomNormalV2",
    "StatelessTruncatedNormalV2",
)
"""What Keras' random numbers are made of. Every trial has a seed of its own, and an operation takes one."""


def mapped(function: Callable[..., Any], *arguments: Any) -> Any:
    """The function of one trial over the first axis of everything."""
    return tf.vectorized_map(lambda given: function(*given), arguments, warn=False)


def _bitcast(operation: Any) -> Any:
    """The sign of zeros is looked at in `keras.ops.argmax`; values are looked at one by one, whatever their places."""
    return pfor.wrap(tf.bitcast(operation.stacked_input(0), operation.get_attr("type")), True)


def _in_top_k(operation: Any) -> Any:
    """A row is right or wrong, whichever trial it belongs to.

    Raises:
        ConversionNotImplementedError: k differs between trials; a loop is written then.
    """
    k = operation.unstacked_input(2)
    operation.stack_inputs([0, 1])
    predictions, targets = operation.stacked_input(0), operation.stacked_input(1)
    rows = tf.reshape(predictions, (-1, predictions.shape[-1]))
    right = tf.raw_ops.InTopKV2(predictions=rows, targets=tf.reshape(targets, (-1,)), k=k)
    return pfor.wrap(tf.reshape(right, tf.shape(targets)), True)


def _each(operation: Any) -> Any:
    """One operation a trial, side by side.

    Raises:
        ConversionNotImplementedError: the number of trials is not known yet; a loop is written then.
    """
    trials = next(value.t.shape[0] for value in operation.inputs if value.is_stacked)
    if trials is None:
        raise pfor.ConversionNotImplementedError("the number of iterations is not known")
    inputs = [tf.unstack(value.t, num=trials) if value.is_stacked else [value.t] * trials for value in operation.inputs]
    kinds, attributes = [output.dtype for output in operation.outputs], operation.op.node_def.attr
    made = [
        tf.compat.v1.get_default_graph()
        .create_op(operation.op_type, list(of_one), kinds, attrs=attributes, compute_device=True)
        .outputs
        for of_one in zip(*inputs, strict=True)
    ]
    return [pfor.wrap(tf.stack(of_all), True) for of_all in zip(*made, strict=True)]


RULES = {"Bitcast": _bitcast, "InTopKV2": _in_top_k, **dict.fromkeys(RANDOM, _each)}
"""By name of the operation."""


def teach() -> None:
    """Have `tf.vectorized_map` know the rules; this module does it when it is imported."""
    for name, rule in RULES.items():
        with contextlib.suppress(AssertionError):  # a TensorFlow that has learned it
            pfor.RegisterPFor(name)(rule)


if pfor is not None:
    teach()
