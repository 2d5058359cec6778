import numpy as np
import pytest

from sweeper.catalog.targets import Targets, looks_like_classes
from sweeper.errors import DataError

INFERRED = {
    "words": (np.array(["b", "a"] * 10), True),
    "truth values": (np.array([True, False] * 10), True),
    "a few whole numbers, often": (np.tile(np.arange(10), 5), True),
    "whole floats, often": (np.tile([1.0, 2.0], 10), True),
    "twenty grades": (np.tile(np.arange(20), 5), True),
    "twenty-one counts": (np.tile(np.arange(21), 50), False),
    "whole numbers, each once or twice": (np.tile(np.arange(10), 2), False),
    "fractions": (np.tile([0.5, 1.5], 50), False),
    "several targets": (np.ones((20, 2)) * 0.5, False),
}


@pytest.mark.parametrize("case", INFERRED)
def test_the_task_is_inferred(case):
    values, is_classes = INFERRED[case]
    assert looks_like_classes(values) is is_classes
    assert (Targets.of(values).classes is not None) is is_classes


def test_task_overrides_what_would_be_inferred():
    assert Targets.of(np.tile([0, 1], 20), task="regression").y.dtype == np.float64
    assert Targets.of(np.arange(30), task="classification").classes == tuple(map(str, range(30)))


def test_classes_are_numbered_in_sorted_order_and_keep_their_names():
    words = Targets.of(np.array(["low", "high", "mid"] * 5))
    assert (words.classes, words.y[:3].tolist()) == (("high", "low", "mid"), [1, 0, 2])
    numbers = Targets.of(np.tile([10, 2, 33], 5))
    assert (numbers.classes, numbers.y[:3].tolist()) == (("2", "10", "33"), [1, 0, 2])
    floats = Targets.of(np.tile([-1.0, 1.0], 5))
    assert (floats.classes, floats.y.dtype) == (("-1", "1"), np.int32)


def test_test_rows_are_numbered_like_the_others():
    both = Targets.of(np.tile([5, 7, 9], 5), np.array([9, 9, 5]))
    assert both.test.tolist() == [2, 2, 0]


def test_objects_are_compared_as_words():
    mixed = Targets.of(np.array(["a", 1, 1.0, True] * 5, dtype=object))
    assert mixed.classes == ("1", "True", "a")


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_a_single_column_is_flattened(shape):
    assert Targets.of(np.linspace(0, 1, 30).reshape(shape)).y.shape == (30,)


def test_one_hot_rows_are_classes_unless_regression_is_asked_for():
    hot = np.eye(3)[np.tile([2, 0, 1], 5)]
    assert Targets.of(hot).y[:3].tolist() == [2, 0, 1]
    assert Targets.of(hot, task="regression").y.shape == (15, 3)


@pytest.mark.parametrize("values", [np.array([1.0, np.nan, 3.5, np.nan]), np.array(["a", None, "b", None], object)])
def test_a_gap_is_refused_with_its_row_and_the_count(values):
    with pytest.raises(DataError) as caught:
        Targets.of(values, where="here")
    assert caught.value.problems[0].where == "here"
    assert "row 1; 2 of 4" in caught.value.problems[0].received


def test_words_are_no_regression():
    with pytest.raises(DataError, match="task: regression"):
        Targets.of(np.array(["a", "b"] * 9), task="regression")


def test_a_class_of_the_test_rows_alone_is_refused():
    with pytest.raises(DataError, match="row 1"):
        Targets.of(np.tile([0, 1], 10), np.array([0, 2]))
