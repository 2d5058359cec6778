import re
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from sweeper.catalog.models import resolve_model
from sweeper.errors import ModelError
from sweeper.setup import TrainerSetup
from sweeper.training import probe
from sweeper.training.choose import LARGEST_HELD_BYTES, choose
from sweeper.training.fit import FitTrainer
from sweeper.training.graph import GraphTrainer
from sweeper.training.stacked import StackedTrainer

pytestmark = pytest.mark.slow

mlp = resolve_model("mlp")


class OwnLoss(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(y_pred)


def own_loss(info, activation):
    inputs = keras.Input(info.input_shape)
    return OwnLoss(inputs, keras.layers.Dense(info.output_units, activation="softmax")(inputs))


class Noise(keras.layers.Layer):
    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


def noisy(info, activation):
    inputs = keras.Input(info.input_shape)
    return keras.Model(inputs, keras.layers.Dense(info.output_units, activation="softmax")(Noise()(inputs)))


@pytest.mark.parametrize(
    ("fuse", "build", "kind", "why"),
    [
        ("graph", mlp, GraphTrainer, "one compiled function"),
        ("stacked", mlp, StackedTrainer, "fuse is stacked"),
        ("off", mlp, FitTrainer, "fuse is off"),
        ("auto", noisy, GraphTrainer, "state that Keras does not list"),
        ("auto", own_loss, FitTrainer, "its own compute_loss"),
    ],
)
def test_the_rules_decide(digits, spec, fuse, build, kind, why):
    trainer = choose(TrainerSetup(fuse=fuse), build, digits, spec(0))
    assert type(trainer) is kind
    assert why in trainer.why
    assert "\n" not in trainer.why


@pytest.mark.parametrize(
    ("fuse", "build", "words"),
    [
        ("graph", own_loss, "its own compute_loss"),
        ("stacked", own_loss, "its own compute_loss"),
        ("stacked", noisy, "state that Keras does not list"),
    ],
)
def test_a_way_that_cannot_be_is_an_error(digits, spec, fuse, build, words):
    with pytest.raises(ModelError, match=words):
        choose(TrainerSetup(fuse=fuse), build, digits, spec(0))


def test_parameters_that_cannot_be_stacked_are_an_error_where_that_is_asked_for(digits, spec):
    one = spec(0, gradient_accumulation_steps=2)
    with pytest.raises(ModelError, match="gradient_accumulation_steps"):
        choose(TrainerSetup(fuse="stacked"), mlp, digits, one)
    assert type(choose(TrainerSetup(), mlp, digits, one)) is GraphTrainer


def test_a_try_decides_and_is_remembered(digits, spec):
    tried = choose(TrainerSetup(), mlp, digits, spec(0, epochs=2000))
    assert type(tried) is StackedTrainer, "epochs enough for compiling to matter little"
    assert re.fullmatch(r"8 trials at a time take \S+ ms an epoch each, one alone \S+ ms", tried.why)
    for way, kind in (("stacked", StackedTrainer), ("graph", GraphTrainer)):
        known = TrainerSetup(remembered={tried.key: (way, "so it was")})
        again = choose(known, mlp, digits, spec(0, epochs=2000))
        assert (type(again), again.why, again.key) == (kind, "so it was", None)
    other = choose(TrainerSetup(remembered={tried.key: ("graph", "so it was")}), mlp, digits, spec(0, units=(5,)))
    assert other.key not in (None, tried.key)


def test_a_trainer_goes_on_with_what_a_try_has_compiled(digits, spec, curves):
    chosen = choose(TrainerSetup(fuse="auto"), mlp, digits, spec(0))
    fresh = StackedTrainer(TrainerSetup(), mlp) if type(chosen) is StackedTrainer else GraphTrainer(TrainerSetup(), mlp)
    assert curves(chosen, digits, spec(0), spec(1)) == curves(fresh, digits, spec(0), spec(1))


def test_other_numbers_speak_against_stacking(digits, spec, monkeypatch):
    def off_by_a_percent(*arguments):
        tried = try_stacked(*arguments)
        return replace(tried, logs=[{name: 1.01 * value for name, value in logs.items()} for logs in tried.logs])

    try_stacked = probe.try_stacked
    monkeypatch.setattr(probe, "try_stacked", off_by_a_percent)
    chosen = choose(TrainerSetup(), mlp, digits, spec(0, epochs=2000))
    assert type(chosen) is GraphTrainer
    assert "other numbers: loss" in chosen.why


def test_cohorts_of_one_are_not_stacked(digits, spec):
    chosen = choose(TrainerSetup(cohort=1), mlp, digits, spec(0))
    assert (type(chosen), chosen.why) == (GraphTrainer, "every trial has a program of its own")


def test_too_little_memory_for_two_is_a_rule(digits, spec):
    assert "memory" in choose(TrainerSetup(memory_bytes=1000), mlp, digits, spec(0)).why


def test_a_broken_model_function_is_told_before_anything_trains(digits, spec):
    for fuse in ("auto", "graph", "off"):
        with pytest.raises(ModelError, match="return the model"):
            choose(TrainerSetup(fuse=fuse), lambda info, activation: None, digits, spec(0))


def test_an_unknown_way_is_answered_with_the_nearest_one(digits, spec):
    with pytest.raises(ModelError, match="did you mean 'graph'"):
        choose(TrainerSetup(fuse="grph"), mlp, digits, spec(0))


def test_rows_beyond_a_gibibyte_are_streamed(digits):
    huge = np.broadcast_to(np.float32(0), (LARGEST_HELD_BYTES // 4 + 1, 1))
    data = replace(digits, x=huge)
    assert type(choose(TrainerSetup(), mlp, data, None)) is FitTrainer
    assert type(choose(TrainerSetup(fuse="graph"), mlp, data, None)) is GraphTrainer
