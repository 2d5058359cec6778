"""Learned initial values against newly built models."""

import keras
import numpy as np
import pytest

from sweeper.catalog.models import resolve_model
from sweeper.data import DataInfo
from sweeper.training.initial import Sample, draws, learned, learned_weights

pytestmark = pytest.mark.slow

WORDS = DataInfo.of((6,), classes=2, vocabulary=20)
PICTURES = DataInfo.of((8, 8, 1), classes=10)
RICH = {"dropout": 0.2, "batch_norm": True}


def sample(build, seed, optimizer="Adam"):
    keras.utils.set_random_seed(seed)
    model = build()
    made = getattr(keras.optimizers, optimizer)(use_ema=True)
    made.build(model.trainable_variables)
    return Sample(seed, model), made.variables


@pytest.mark.parametrize("optimizer", ["SGD", "Nadam", "Adafactor", "ScheduleFreeAdamW", "Muon"])
@pytest.mark.parametrize(
    ("name", "info", "options"),
    [
        ("mlp", PICTURES, {**RICH, "kernel_initializer": "he_normal"}),
        ("cnn", PICTURES, RICH),
        ("lstm", PICTURES, {"recurrent_dropout": 0.1}),
        ("lstm", WORDS, {"units": (4, 4), "kernel_initializer": "orthogonal"}),
    ],
)
def test_they_are_those_of_a_newly_built_model(name, info, options, optimizer):
    def build():
        return resolve_model(name)(info, "relu", **options)

    (first, slots), (second, other_slots) = sample(build, 3, optimizer), sample(build, 4, optimizer)
    start = learned(learned_weights(first, second), (first, second), (slots, other_slots))
    fresh, fresh_slots = sample(build, 77, optimizer)
    weights, slots = start.values(77)
    assert all(np.array_equal(w, v.numpy()) for w, v in zip(weights, fresh.model.variables, strict=True))
    assert all(np.array_equal(s, v.numpy()) for s, v in zip(slots, fresh_slots, strict=True))


def test_weights_from_another_generator_cannot_be_told():
    def drawn():
        kernel = keras.initializers.Constant(np.random.normal())
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_initializer=kernel)])

    assert learned_weights(sample(drawn, 3)[0], sample(drawn, 4)[0]) is None


def test_models_of_another_structure_have_nothing_in_common():
    sizes = iter((2, 3))

    def build():
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(next(sizes))])

    assert learned_weights(sample(build, 3)[0], sample(build, 4)[0]) is None


def test_draws_are_those_of_keras():
    keras.utils.set_random_seed(11)
    seeds = [keras.initializers.GlorotUniform().seed for _ in range(3)]
    assert draws(11, 3) == seeds
