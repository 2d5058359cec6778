"""Losses and metrics by their plain names, and the unit they are told in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from sweeper.data import Array, Task
from sweeper.errors import ModelError
from sweeper.registry import suggest
from sweeper.vocabulary import AUTO_LOSS, LOSSES, METRICS, POWER_OF_UNIT

Logs = dict[str, float]


def loss_for(name: str, task: Task) -> keras.losses.Loss:
    """The loss of that name; `auto` follows from the task.

    Raises:
        ModelError: the loss does not fit the task.
    """
    known = [loss for loss, tasks in LOSSES.items() if task in tasks]
    if name not in known:
        raise ModelError.at("training.loss", f"a loss for a {task} task", repr(name), suggest(name, known))
    return keras.losses.get(AUTO_LOSS[task] if name == "auto" else name)


def metrics_for(names: Sequence[str], task: Task) -> list[keras.metrics.Metric]:
    """New metrics with those names; `loss`, which is always there, may be among them.

    Areas under a curve are Keras' approximation by 200 thresholds.

    Raises:
        ModelError: a metric is unknown or does not fit the task.
    """
    known = [name for name, metric in METRICS.items() if task in metric.tasks]
    for name in names:
        if name not in known:
            raise ModelError.at("metric.name", f"a metric for a {task} task", repr(name), suggest(name, known))
    return [_metric(name, task) for name in names if name != "loss"]


def classified_right(y: Array, predicted: Array, task: Task) -> NDArray[np.bool_]:
    """(...,) whether each row was classified correctly, by the rule of the metric `accuracy`.

    Args:
        y: (..., ) class ids, or (..., 1) zeros and ones for a binary task.
        predicted: (..., units) what the model gives.
        task: binary or multiclass.
    """
    if task is Task.BINARY:
        return np.asarray((predicted[..., 0] > 0.5) == (y[..., 0] > 0.5))
    return np.asarray(predicted.argmax(axis=-1) == y)


def in_original_unit(logs: Mapping[str, float], target_sd: float) -> Logs:
    """`mae`, `rmse` and `mse` times the power of `target_sd` that makes them errors of the target as it was given.

    The loss stays as it was trained: on standardised targets, regularisation included.
    """
    return {name: value * target_sd ** POWER_OF_UNIT.get(_plain(name), 0) for name, value in logs.items()}


def _plain(name: str) -> str:
    return name.removeprefix("val_").removeprefix("test_")


def _metric(name: str, task: Task) -> keras.metrics.Metric:
    kinds = keras.metrics
    if name == "accuracy":
        kind = kinds.BinaryAccuracy if task is Task.BINARY else kinds.SparseCategoricalAccuracy
        return kind(name=name)
    table = {
        "auc": lambda: kinds.AUC(name=name),
        "f1": lambda: kinds.F1Score(average="micro", threshold=0.5, name=name),
        "precision": lambda: kinds.Precision(name=name),
        "recall": lambda: kinds.Recall(name=name),
        "top_5_accuracy": lambda: kinds.SparseTopKCategoricalAccuracy(k=5, name=name),
        "mae": lambda: kinds.MeanAbsoluteError(name=name),
        "mse": lambda: kinds.MeanSquaredError(name=name),
        "rmse": lambda: kinds.RootMeanSquaredError(name=name),
        "r2": lambda: kinds.R2Score(name=name),
    }
    return table[name]()
