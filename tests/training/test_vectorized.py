"""Rules by which operations take all trials at once: the same values as one trial after the other, without a loop."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sweeper.training.passes import traced
from sweeper.training.vectorized import mapped

rng = np.random.default_rng(0)
VALUES = rng.normal(size=(3, 8, 10)).astype("float32")
VALUES[:, :, 4:6] = 0.0, -0.0
TARGETS = rng.integers(0, 10, (3, 8)).astype("int32")
SEEDS = rng.integers(0, 2**31, (3, 2)).astype("int32")


def accuracy(values, targets):
    return keras.metrics.sparse_categorical_accuracy(targets, values)


def top_5(values, targets):
    return keras.ops.in_top_k(targets, values, k=5)


def uniform(seed):
    return tf.random.stateless_uniform((4, 5), seed)


def normal(seed):
    return tf.random.stateless_normal((4, 5), seed)


def truncated(seed):
    return tf.random.stateless_truncated_normal((4, 5), seed)


def dropped(values, seed):
    return tf.nn.experimental.stateless_dropout(values, 0.3, seed, rng_alg="auto_select")


def loops(function):
    return [op.name for op in function.graph.get_operations() if op.type in ("While", "StatelessWhile")]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (accuracy, (VALUES, TARGETS)),
        (top_5, (VALUES, TARGETS)),
        (uniform, (SEEDS,)),
        (normal, (SEEDS,)),
        (truncated, (SEEDS,)),
        (dropped, (VALUES, SEEDS)),
    ],
)
def test_all_at_once_and_one_after_the_other_give_the_same(function, arguments):
    together = traced(lambda *given: mapped(function, *given), *(tf.TensorSpec(a.shape, a.dtype) for a in arguments))
    assert loops(together) == []
    alone = traced(function, *(tf.TensorSpec(a.shape[1:], a.dtype) for a in arguments))
    each = [alone(*map(tf.constant, given)).numpy() for given in zip(*arguments, strict=True)]
    np.testing.assert_array_equal(together(*map(tf.constant, arguments)).numpy(), np.stack(each))


def test_targets_may_be_the_same_for_all():
    shared = tf.constant(TARGETS[0])
    together = traced(
        lambda values: mapped(lambda one: tf.math.in_top_k(shared, one, k=2), values),
        tf.TensorSpec(VALUES.shape, VALUES.dtype),
    )
    assert loops(together) == []
    each = [tf.math.in_top_k(shared, one, k=2).numpy() for one in VALUES]
    np.testing.assert_array_equal(together(tf.constant(VALUES)).numpy(), np.stack(each))


def test_where_the_number_of_trials_is_not_known_there_is_a_loop():
    together = traced(lambda seeds: mapped(uniform, seeds), tf.TensorSpec((None, 2), tf.int32))
    assert loops(together)
    each = [tf.random.stateless_uniform((4, 5), seed).numpy() for seed in SEEDS]
    np.testing.assert_array_equal(together(tf.constant(SEEDS)).numpy(), np.stack(each))


def test_where_k_differs_between_trials_there_is_a_loop():
    wanted = np.array([1, 2, 5], np.int32)
    given = VALUES, TARGETS, wanted

    def top(values, targets, k):
        return tf.raw_ops.InTopKV2(predictions=values, targets=targets, k=k)

    together = traced(lambda *all_: mapped(top, *all_), *(tf.TensorSpec(a.shape, a.dtype) for a in given))
    assert loops(together)
    each = [top(*one).numpy() for one in zip(*given, strict=True)]
    np.testing.assert_array_equal(together(*map(tf.constant, given)).numpy(), np.stack(each))
