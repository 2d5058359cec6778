import json

import numpy as np
import pytest
from synthetic import MAE, World, material

from sweeper.data import Task
from sweeper.report.material import Predictions, load_predictions


def keep(folder, y_true, y_pred, **info):
    np.savez(folder / "predictions.npz", y_true=y_true, y_pred=y_pred)
    (folder / "data.json").write_text(json.dumps(info))
    return load_predictions(folder)


def test_probabilities_of_classes_become_ids(tmp_path):
    y_pred = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    found = keep(tmp_path, np.array([0, 1]), y_pred, task="multiclass", class_names=["a", "b", "c"])
    assert found.y_pred.tolist() == [0, 2]
    assert found.class_names == ("a", "b", "c")


def test_probabilities_of_the_second_class_become_ids(tmp_path):
    found = keep(tmp_path, np.array([0, 1, 1]), np.array([[0.2], [0.5], [0.9]]), task="binary", class_names=None)
    assert found.y_pred.tolist() == [0, 1, 1]
    assert found.class_names == ("0", "1")


def test_numbers_stay_numbers(tmp_path):
    found = keep(tmp_path, np.array([1.5, 2.5]), np.array([[1.0], [3.0]]), task="regression")
    assert found.task is Task.REGRESSION
    assert found.y_pred.tolist() == [1.0, 3.0]


def test_classes_without_a_name_are_called_by_their_id():
    found = Predictions.of(np.array([0, 3]), np.array([0, 1]), ("cat", "dog"), Task.MULTICLASS)
    assert found.class_names == ("cat", "dog", "2", "3")


def test_nothing_kept(tmp_path):
    assert load_predictions(tmp_path) is None


@pytest.mark.parametrize(
    ("y_true", "y_pred", "info"),
    [
        (np.array([0, 1]), np.array([0]), {"task": "binary"}),
        (np.array([-1, 1]), np.array([1, 1]), {"task": "binary"}),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0], [1.0, 2.0]]), {"task": "regression"}),
        (np.array([0, 1]), np.array([0, 1]), {"task": "ranking"}),
        (np.array([0, 1]), np.array([0, 1]), {}),
    ],
)
def test_files_that_do_not_fit_are_left_out(tmp_path, y_true, y_pred, info):
    assert keep(tmp_path, y_true, y_pred, **info) is None


def test_damaged_file_is_left_out(tmp_path):
    (tmp_path / "predictions.npz").write_bytes(b"PK\x03\x04 half a file")
    (tmp_path / "data.json").write_text('{"task": "binary"}')
    assert load_predictions(tmp_path) is None


@pytest.mark.parametrize(("world", "sign"), [(World(), 1), (MAE, -1)])
def test_finalists_are_ranked_best_first(world, sign):
    scores = [sign * finalist.score for finalist in material(world).finalists()]
    assert scores == sorted(scores, reverse=True)
