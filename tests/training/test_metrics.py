import keras
import numpy as np
import pytest

from sweeper.data import Task
from sweeper.errors import ModelError
from sweeper.training.metrics import in_original_unit, loss_for, metrics_for
from sweeper.vocabulary import LOSSES, METRICS

pytestmark = pytest.mark.slow

OUTPUTS = {
    Task.BINARY: (np.array([[0.0], [1.0]], np.float32), np.array([[0.2], [0.7]], np.float32)),
    Task.MULTICLASS: (np.array([0, 5], np.int32), np.full((2, 6), 1 / 6, np.float32)),
    Task.REGRESSION: (np.array([[0.0], [1.0]], np.float32), np.array([[0.2], [0.7]], np.float32)),
}


@pytest.mark.parametrize("task", Task)
def test_every_metric_of_a_task_gives_one_number_under_its_name(task):
    names = [name for name, metric in METRICS.items() if task in metric.tasks]
    metrics = metrics_for(names, task)
    assert [metric.name for metric in metrics] == [name for name in names if name != "loss"]
    for metric in metrics:
        metric.update_state(*OUTPUTS[task])
        assert np.shape(metric.result()) == ()


@pytest.mark.parametrize("task", Task)
def test_every_loss_of_a_task_gives_one_number(task):
    for name in (name for name, tasks in LOSSES.items() if task in tasks):
        value = keras.ops.mean(loss_for(name, task)(*OUTPUTS[task]))
        assert np.isfinite(float(value)), name


def test_a_loss_of_another_task_is_refused():
    with pytest.raises(ModelError, match="a loss for a binary task"):
        loss_for("mse", Task.BINARY)


def test_errors_are_scaled_by_the_power_of_their_unit():
    logs = {"loss": 1.0, "mae": 1.0, "val_mse": 1.0, "test_rmse": 1.0, "val_r2": 1.0}
    assert in_original_unit(logs, 3.0) == {"loss": 1.0, "mae": 3.0, "val_mse": 9.0, "test_rmse": 3.0, "val_r2": 1.0}
