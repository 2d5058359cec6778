import numpy as np
import pytest

from sweeper.catalog.arrays import assemble, load
from sweeper.catalog.datasets import load as load_checked
from sweeper.catalog.preprocessing import Pixels, Table
from sweeper.data import Task
from sweeper.errors import DataError

X = np.random.default_rng(0).normal(size=(30, 4))
Y = np.tile([0, 1, 2], 10)


def archive(tmp_path, **arrays):
    np.savez(tmp_path / "data.npz", **arrays)
    return tmp_path


def problem(call, *arguments, **options):
    with pytest.raises(DataError) as caught:
        call(*arguments, **options)
    return caught.value.problems[0]


def test_arrays_by_their_usual_names(tmp_path):
    folder = archive(tmp_path, x=X, y=Y, x_test=X[:6], y_test=Y[:6], groups=np.arange(30) // 3)
    data = load("npz", {"path": "data.npz"}, folder)
    assert np.array_equal(data.x, X)
    assert np.array_equal(data.test.x, X[:6])
    assert data.test.y.tolist() == [0, 1, 2, 0, 1, 2]
    assert len(data.groups) == 30
    assert (data.info.task, data.name) == (Task.MULTICLASS, "data.npz")


def test_arrays_by_names_that_the_study_gives(tmp_path):
    folder = archive(tmp_path, features=X, label=Y, y=np.zeros(3))
    data = load("npz", {"path": "data.npz", "x": "features", "y": "label", "task": "regression"}, folder)
    assert data.info.task is Task.REGRESSION


def test_the_names_that_keras_uses(tmp_path):
    folder = archive(tmp_path, x_train=X, y_train=Y, x_test=X[:6], y_test=Y[:6])
    assert len(load("npz", {"path": "data.npz"}, folder).test) == 6


def test_an_array_that_is_missing(tmp_path):
    folder = archive(tmp_path, x=X, labels=Y)
    assert problem(load, "npz", {"path": "data.npz"}, folder).received == "arrays x, labels"
    assert "label" in problem(load, "npz", {"path": "data.npz", "y": "label"}, folder).where
    assert "groups" in problem(load, "npz", {"path": "data.npz", "y": "labels", "groups": "groups"}, folder).where
    folder = archive(tmp_path, x=X, y=Y, y_test=Y)
    assert problem(load, "npz", {"path": "data.npz"}, folder).received == "y_test alone"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named_with_its_position(tmp_path, value):
    x = X.copy()
    x[3, 1] = x[5, 0] = value
    found = problem(load_checked, "npz", {"path": "data.npz"}, archive(tmp_path, x=x, y=Y))
    assert found.where == "data.npz  x[3, 1]"
    assert "2 such value(s) in 2 of 30 rows" in found.received


def test_pickled_objects_are_not_loaded(tmp_path):
    folder = archive(tmp_path, x=np.array([{"a": 1}] * 3), y=Y[:3])
    assert "allow_pickle=False" in problem(load, "npz", {"path": "data.npz"}, folder).received


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_what_is_no_archive(tmp_path, content):
    (tmp_path / "data.npz").write_bytes(content)
    assert "npz archive" in problem(load, "npz", {"path": "data.npz"}, tmp_path).expected


def test_a_single_array(tmp_path):
    np.save(tmp_path / "data.npy", X)
    assert problem(load, "npz", {"path": "data.npy"}, tmp_path).received == "a single array"


@pytest.mark.parametrize(
    ("x", "preprocessing"),
    [
        (X, Table.of_numbers(["x0", "x1", "x2", "x3"])),
        ((X * 9).astype(np.int64), None),
        (np.zeros((30, 4, 4, 1), dtype=np.uint8), Pixels()),
        (np.zeros((30, 4, 4, 1)), None),
    ],
)
def test_the_type_of_the_features_decides_how_they_are_prepared(x, preprocessing):
    assert assemble((x, Y)).preprocessing == preprocessing


def test_several_targets_widen_the_last_layer():
    info = assemble((X, np.random.default_rng(0).normal(size=(30, 3)))).info
    assert (info.output_units, info.output_activation) == (3, "linear")


def test_lists_and_mixed_frames_are_arrays_too():
    assert assemble((X.tolist(), Y.tolist())).x.dtype == np.float64
    assert assemble((np.array([[1, 2.5, True, "3"]] * 30, dtype=object), Y)).x[0].tolist() == [1, 2.5, 1, 3]


def test_features_that_are_no_matrix():
    assert "two axes" in problem(assemble, (X[:, 0], Y)).expected
    assert problem(assemble, ([[1, 2], [3]], [0, 1])).where == "data  x"
    assert "could not convert" in problem(assemble, (np.array([["a"]] * 30, dtype=object), Y)).received
