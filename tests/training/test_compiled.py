import keras
import numpy as np
import pytest

from sweeper.catalog.models import resolve_model
from sweeper.setup import TrainerSetup
from sweeper.training.compiled import Programs
from sweeper.training.feed import Feeds
from sweeper.training.graph import GraphLoop

pytestmark = pytest.mark.slow


class Scaled(keras.layers.Layer):
    """A layer of one's own, without anything hidden."""

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], initializer="ones")

    def call(self, x):
        return x * self.scale


class Small(keras.Model):
    def __init__(self, info, activation):
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation=activation)
        self.drop = keras.layers.Dropout(0.2)
        self.scaled = Scaled()
        self.head = keras.layers.Dense(info.output_units, activation="softmax")

    def call(self, x, training=False):
        return self.head(self.scaled(self.drop(self.hidden(x), training=training)))


@pytest.fixture
def programs():
    return lambda build, **limits: Programs(TrainerSetup(), build, GraphLoop, **limits)


@pytest.fixture
def feed(digits):
    return Feeds().of(digits, 0)


@pytest.mark.parametrize("build", [resolve_model("mlp"), Small])
def test_trials_that_differ_in_rate_and_seeds_share_a_program(programs, feed, spec, build):
    shelf = programs(build)
    first = shelf.ready(spec(0), feed)
    assert first.hidden_state() is None
    shelf.keep(spec(0), first)
    assert shelf.ready(spec(1, learning_rate=0.5, epochs=9), feed) is first


def test_whatever_is_compiled_in_makes_another_program(programs, feed, spec):
    shelf = programs(resolve_model("mlp"))
    first = shelf.ready(spec(0), feed)
    shelf.keep(spec(0), first)
    for params in ({"activation": "tanh"}, {"optimizer": "sgd"}, {"beta_1": 0.8}, {"dropout": 0.1}, {"batch_size": 8}):
        assert shelf.ready(spec(0, **params), feed) is not first


def test_a_program_in_use_is_not_handed_out_twice(programs, feed, spec):
    shelf = programs(resolve_model("mlp"))
    assert shelf.ready(spec(0), feed) is not shelf.ready(spec(0), feed)


def test_the_programs_used_longest_ago_go_first(programs, feed, spec):
    shelf = programs(resolve_model("mlp"), kept=2)
    made = {}
    for activation in ("relu", "tanh", "selu"):
        made[activation] = shelf.ready(spec(0, activation=activation), feed)
        shelf.keep(spec(0, activation=activation), made[activation])
    assert shelf.ready(spec(0, activation="selu"), feed) is made["selu"]
    assert shelf.ready(spec(0, activation="tanh"), feed) is made["tanh"]
    assert shelf.ready(spec(0, activation="relu"), feed) is not made["relu"]


def test_clearing_the_kernels_changes_no_weight(programs, feed, spec):
    weights = []
    for limits in ({}, {"clearing": 1}):
        shelf = programs(resolve_model("mlp"), **limits)
        shelf.keep(spec(0), shelf.ready(spec(0), feed))
        weights.append(shelf.ready(spec(1), feed).model.get_weights())
    assert all(map(np.array_equal, *weights))
    assert not np.array_equal(weights[0][0], shelf.ready(spec(2), feed).model.get_weights()[0])
