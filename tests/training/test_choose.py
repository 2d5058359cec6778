from dataclasses import replace

import keras
import numpy as np
import pytest

from sweeper.catalog.models import resolve_model
from sweeper.errors import ModelError
from sweeper.setup import TrainerSetup
from sweeper.training.choose import LARGEST_HELD_BYTES, choose
from sweeper.training.fit import FitTrainer
from sweeper.training.graph import GraphTrainer

pytestmark = pytest.mark.slow

mlp = resolve_model("mlp")


class OwnLoss(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(y_pred)


def own_loss(info, activation):
    inputs = keras.Input(info.input_shape)
    return OwnLoss(inputs, keras.layers.Dense(info.output_units, activation="softmax")(inputs))


@pytest.mark.parametrize(
    ("fuse", "build", "kind", "why"),
    [
        ("auto", mlp, GraphTrainer, "one compiled function"),
        ("graph", mlp, GraphTrainer, "one compiled function"),
        ("off", mlp, FitTrainer, "fuse is off"),
        ("auto", own_loss, FitTrainer, "its own compute_loss"),
    ],
)
def test_the_rules_decide(digits, spec, fuse, build, kind, why):
    trainer = choose(TrainerSetup(fuse=fuse), build, digits, spec(0))
    assert type(trainer) is kind
    assert why in trainer.why
    assert "\n" not in trainer.why


def test_a_graph_that_cannot_be_is_an_error(digits, spec):
    with pytest.raises(ModelError, match="its own compute_loss"):
        choose(TrainerSetup(fuse="graph"), own_loss, digits, spec(0))


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
