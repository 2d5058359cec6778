"""The tables of `sweeper.vocabulary` against the installed Keras."""

import importlib
import inspect
import pkgutil

import pytest

from sweeper import vocabulary
from sweeper.data import Task

pytestmark = pytest.mark.slow

WRAPPERS = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"}
COMMON = {"self", "learning_rate", "name", "kwargs", *vocabulary.COMMON_OPTIMIZER_ARGUMENTS}
MUON_TUNING = {"exclude_layers", "exclude_embeddings", "muon_a", "muon_b", "muon_c", "adam_lr_ratio"}
"""Muon's own constants, which no study has a reason to vary."""


@pytest.fixture(scope="module")
def keras():
    return importlib.import_module("keras")


def _optimizers(keras):
    return {
        name: kind
        for name, kind in vars(keras.optimizers).items()
        if inspect.isclass(kind) and issubclass(kind, keras.optimizers.Optimizer) and name not in WRAPPERS
    }


def test_activations_are_the_names_that_keras_knows(keras):
    functions = {
        name
        for name, found in vars(keras.activations).items()
        if inspect.isfunction(found) and name not in ("deserialize", "get", "serialize")
    }
    assert set(vocabulary.ACTIVATIONS) >= functions - {"threshold"}
    for name in vocabulary.ACTIVATIONS:
        assert callable(keras.activations.get(name))
    assert list(vocabulary.ACTIVATIONS) == sorted(set(vocabulary.ACTIVATIONS))


def test_optimizers_are_the_classes_that_keras_has(keras):
    table = {name: entry.keras_class for name, entry in vocabulary.OPTIMIZERS.items()}
    assert set(table.values()) == set(_optimizers(keras))
    assert all(name == keras_class.lower() for name, keras_class in table.items())


@pytest.mark.parametrize("name", vocabulary.OPTIMIZERS)
def test_the_arguments_and_the_default_rate_are_those_of_the_constructor(keras, name):
    entry = vocabulary.OPTIMIZERS[name]
    parameters = inspect.signature(_optimizers(keras)[entry.keras_class].__init__).parameters
    assert set(entry.arguments) == set(parameters) - COMMON - MUON_TUNING
    assert parameters["learning_rate"].default == entry.default
    assert entry.low < entry.high
    assert set(vocabulary.COMMON_OPTIMIZER_ARGUMENTS) <= set(parameters)


def test_losses_and_metrics_belong_to_tasks_that_exist(keras):
    for name, tasks in vocabulary.LOSSES.items():
        assert tasks
        assert name == "auto" or callable(keras.losses.get(name))
    assert {task for metric in vocabulary.METRICS.values() for task in metric.tasks} == set(Task)


def test_the_data_sets_of_keras_are_the_modules_it_has(keras):
    modules = {module.name for module in pkgutil.iter_modules(keras.datasets.__path__)}
    named = {name.removeprefix("keras:") for name in vocabulary.DATA_TASKS if name.startswith("keras:")}
    assert named <= modules
    for name in named:
        assert callable(importlib.import_module(f"keras.datasets.{name}").load_data)
