"""How many trials fit into memory together."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from sweeper.training.feed import Feed
from sweeper.training.program import Program

COPIES_OF_STATE = 4
"""State before and after a step, gradients, and what an optimizer computes in between."""

COPIES_OF_ACTIVATIONS = 3
"""Outputs that are kept for the backward pass, their gradients, and what is computed in between."""


def largest_stack(program: Program[Any], feed: Feed, memory_bytes: int | None) -> int:
    """Trials that can be trained together, at least 1.

    Args:
        program: whose variables and activations count.
        feed: the rows, of which each trial may have a split of its own.
        memory_bytes: what the worker may use; None: as much as it likes.
    """
    if memory_bytes is None:
        return MOST
    activations = activation_bytes(program, feed) * COPIES_OF_ACTIVATIONS
    each = program.size_bytes * COPIES_OF_STATE + activations + feed.size_bytes
    return max(1, min(MOST, memory_bytes // max(1, each)))


MOST = 64
"""Beyond this a stack of small models gains nothing more on a CPU (`tests/benchmarks/fusion.py`)."""


def activation_bytes(program: Program[Any], feed: Feed) -> int:
    """Of everything a forward pass computes on one batch; traced, not run, and once for all programs of a model."""
    rows = min(program.batch_size, len(feed.train))
    if rows not in program.activation_bytes:
        x = tf.TensorSpec((rows, *feed.train.x.shape[1:]), feed.train.x.dtype)
        traced = tf.function(lambda x: program.model(x, training=True), autograph=False).get_concrete_function(x)
        shapes = [output.shape for op in traced.graph.get_operations() for output in op.outputs]
        sizes = [4 * int(np.prod(shape.as_list())) for shape in shapes if shape.is_fully_defined()]
        program.activation_bytes[rows] = sum(sizes)
    return program.activation_bytes[rows]
