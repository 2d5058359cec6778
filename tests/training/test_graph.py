"""`GraphTrainer` against `FitTrainer`, epoch by epoch."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from trainers import shared

from sweeper.catalog.models import resolve_model
from sweeper.data import DataInfo, Dataset
from sweeper.setup import TrainerSetup
from sweeper.training.fit import FitTrainer
from sweeper.training.graph import GraphTrainer, supports
from sweeper.trial import Cohort, Status
from sweeper.vocabulary import OPTIMIZERS

pytestmark = pytest.mark.slow

DROPOUT = {"dropout": 0.2, "batch_norm": True}


@pytest.fixture(scope="module")
def words():
    rng = np.random.default_rng(0)
    return Dataset(rng.integers(0, 20, (120, 6)), rng.integers(0, 2, 120), DataInfo.of((6,), classes=2, vocabulary=20))


def assert_agreement(curves, setup, build, data, *specs):
    """Every metric of every epoch, to float32's last digits but two."""
    both = (curves(shared(kind, setup, build), data, *specs) for kind in (FitTrainer, GraphTrainer))
    for by_fit, by_graph in zip(*both, strict=True):
        for one, other in zip(by_fit, by_graph, strict=True):
            assert other == pytest.approx(one, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer(optimizer, digits, spec, curves):
    setup = TrainerSetup(model_options={"units": (8,), **DROPOUT})
    rate = OPTIMIZERS[optimizer].default
    specs = [spec(n, optimizer=optimizer, learning_rate=rate, epochs=2) for n in range(2)]
    assert_agreement(curves, setup, resolve_model("mlp"), digits, *specs)


@pytest.mark.parametrize(
    ("name", "data", "options"),
    [
        ("cnn", "pictures", {"filters": (4,), "units": (6,), **DROPOUT}),
        ("lstm", "pictures", {"units": (4, 4), "dropout": 0.2, "recurrent_dropout": 0.2}),
        ("lstm", "words", {"units": 4, "embedding": 3, "dropout": 0.2}),
        ("mlp", "odd_or_even", {"units": (8,), "dropout": 0.2, "l2": 0.01}),
        ("mlp", "diabetes", {"units": (8,), **DROPOUT}),
    ],
)
def test_every_model_and_task(name, data, options, spec, curves, request):
    dataset = request.getfixturevalue(data)
    metrics = ("mae", "r2") if dataset.info.classes is None else ("accuracy",)
    setup = TrainerSetup(model=name, model_options=options, metrics=metrics)
    assert_agreement(curves, setup, resolve_model(name), dataset, spec(0, epochs=2), spec(1, epochs=2))


@pytest.mark.parametrize(
    "arguments",
    [
        {"clipnorm": 0.1},
        {"global_clipnorm": 0.1},
        {"weight_decay": 0.1},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True, "ema_overwrite_frequency": 3},
        {"loss_scale_factor": 8.0},
    ],
)
def test_arguments_that_all_optimizers_take(arguments, digits, spec, curves):
    setup = TrainerSetup(model_options={"units": (8,)})
    assert_agreement(curves, setup, resolve_model("mlp"), digits, spec(0, epochs=2, batch_size=50, **arguments))


def test_mixed_precision(digits, spec, curves):
    setup = TrainerSetup(model_options={"units": (8,)}, mixed_precision=True)
    assert_agreement(curves, setup, resolve_model("mlp"), digits, spec(0, epochs=2))
    whole = FitTrainer(replace(setup, mixed_precision=False), resolve_model("mlp"))
    (curve,) = curves(whole, digits, spec(0))
    (mixed,) = curves(shared(FitTrainer, setup, resolve_model("mlp")), digits, spec(0))
    assert curve != mixed
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    curves(whole, digits, spec(0, epochs=1))
    assert keras.config.dtype_policy().name == "float32"


class OwnStep(keras.Model):
    """Trains with a third of the gradient's rows; nothing that a graph may take for granted."""

    def train_step(self, data):
        x, y = data
        return super().train_step((x[::3], y[::3]))


def own_step(info, activation):
    inputs = keras.Input(info.input_shape)
    x = keras.layers.Dense(8, activation=activation)(inputs)
    return OwnStep(inputs, keras.layers.Dense(info.output_units, activation="softmax")(x))


def test_a_model_with_its_own_step_is_refused_by_rule(digits, spec, recorder):
    model = own_step(digits.info, "relu")
    assert "train_step" in supports(model)
    assert supports(resolve_model("mlp")(digits.info, "relu")) is None
    (end,) = GraphTrainer(TrainerSetup(), own_step)(Cohort((spec(0),)), digits, recorder())
    assert end.status is Status.FAILED
    assert "its own train_step" in end.reason


def test_fit_honours_a_step_of_the_models_own(digits, spec, curves):
    def plain(info, activation):
        return resolve_model("mlp")(info, activation, units=(8,))

    (own,) = curves(FitTrainer(TrainerSetup(), own_step), digits, spec(0))
    (keras_own,) = curves(FitTrainer(TrainerSetup(), plain), digits, spec(0))
    assert own != keras_own
