from dataclasses import dataclass, replace

import numpy as np
import pytest

from sweeper.catalog.preprocessing import Column, Pixels, Table
from sweeper.catalog.soundness import check
from sweeper.data import DataInfo, Dataset, Part, Task
from sweeper.errors import DataError


def dataset(**changes):
    rng = np.random.default_rng(0)
    plain = Dataset(rng.normal(size=(30, 4)), np.arange(30) % 3, DataInfo.of((4,), classes=3), name="mine")
    return replace(plain, **changes)


def regression(**changes):
    return dataset(**{"y": np.linspace(0, 1, 30), "info": DataInfo.of((4,), classes=None), **changes})


def problem(broken):
    with pytest.raises(DataError) as caught:
        check(broken, target="outcome")
    return caught.value.problems[0]


def with_value(value, at=(7, 2)):
    x = dataset().x.copy()
    x[at] = value
    return x


def test_a_sound_data_set_comes_back_in_plain_types():
    sound = check(dataset(groups=np.repeat(["a", "b", "c"], 10)))
    assert (sound.x.dtype, sound.y.dtype) == (np.float32, np.int32)
    assert sound.groups.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert check(regression()).y.dtype == np.float64


def test_checking_twice_changes_nothing():
    once = check(dataset(y=np.tile(["x", "y", "z"], 10)))
    assert check(once).fingerprint == once.fingerprint


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_a_value_that_is_no_finite_float32_is_named_with_its_position(value):
    found = problem(dataset(x=with_value(value)))
    assert found.where == "mine  x[7, 2]"
    assert "1 such value(s) in 1 of 30 rows" in found.received


@pytest.mark.parametrize("preprocessing", [Table.of_numbers("abcd"), None])
def test_gaps_that_nothing_fills_are_refused(preprocessing):
    assert problem(dataset(x=with_value(np.nan), preprocessing=preprocessing)).where == "mine  x[7, 2]"


def test_gaps_are_for_the_preprocessing_to_fill_and_infinity_is_not():
    table = Table(tuple(Column(name, missing=name == "c") for name in "abcd"))
    info = DataInfo.of((5,), classes=3)
    assert np.isnan(check(dataset(x=with_value(np.nan), preprocessing=table, info=info)).x).sum() == 1
    assert problem(dataset(x=with_value(np.inf), preprocessing=table, info=info)).where == "mine  x[7, 2]"


def test_test_rows_are_looked_at_too():
    fixed = Part(with_value(np.nan), np.zeros(30))
    assert problem(dataset(test=fixed)).where == "mine  x_test[7, 2]"


@pytest.mark.parametrize("x", [np.full((30, 4), "a"), np.full((30, 4), None), dataset().x.astype(complex)])
def test_what_is_no_number_is_refused(x):
    assert problem(dataset(x=x)).expected == "numbers"


def test_a_target_that_is_nan_is_refused():
    y = np.linspace(0, 1, 30)
    y[4] = np.nan
    assert problem(regression(y=y)).where == "mine  outcome[4]"


MISFITS = {
    "targets for each row": dataset(y=np.zeros(29)),
    "features": dataset(x=np.zeros((30, 0))),
    "rows and": dataset(x=np.zeros(30)),
    "at least two classes": dataset(y=np.ones(30, dtype=int)),
    "as in x": dataset(test=Part(np.zeros((5, 3)), np.zeros(5, dtype=int))),
    "one id": dataset(groups=np.zeros(29)),
    "an id in every row": dataset(groups=np.array([1.0] * 29 + [np.nan])),
    "1 number": regression(y=np.random.default_rng(0).normal(size=(30, 2))),
    "at least 3 groups": dataset(groups=np.repeat([1, 2], 15)),
    "numpy array": dataset(x=[[1, 2, 3, 4]] * 30),
    "model inputs of shape": dataset(info=DataInfo.of((5,), classes=3)),
    "one class a row": dataset(y=np.zeros((30, 2), dtype=int)),
    "targets that vary": regression(y=np.full(30, 2.5)),
    "at least 3 rows": regression(x=np.zeros((2, 4)), y=np.array([0.0, 1.0])),
}


@pytest.mark.parametrize("words", MISFITS)
def test_what_does_not_fit_together_is_refused(words):
    broken = MISFITS[words]
    with pytest.raises(DataError, match=words.replace("targets for", "30 targets, one for")):
        check(broken)


def test_one_class_only_is_named():
    found = problem(dataset(y=np.full(30, "yes")))
    assert (found.where, found.received) == ("mine  outcome", "only class 'yes' in all 30 rows")


def test_a_class_needs_a_row_in_every_part():
    scarce = np.array(["a"] * 15 + ["b"] * 13 + ["c"] * 2)
    found = problem(dataset(y=scarce))
    assert "at least 3 rows" in found.expected
    assert "'c' (2)" in found.received
    fixed = Part(np.zeros((3, 4)), np.array(["a", "b", "c"]))
    assert check(dataset(y=scarce, test=fixed)).info.class_names == ("a", "b", "c")


@pytest.mark.parametrize("labels", [["no", "yes"], [-1, 1], [0.0, 2.0], [False, True], [1, 2]])
def test_labels_of_any_kind_become_ids_and_keep_their_names(labels):
    checked = check(dataset(y=np.tile(labels, 15), info=DataInfo.of((4,), classes=2)))
    assert checked.y[:2].tolist() == [0, 1]
    assert checked.info.class_names == tuple(str(int(x)) if isinstance(x, float) else str(x) for x in labels)
    assert checked.info.task is Task.BINARY


def test_labels_of_the_test_part_are_numbered_alike():
    fixed = Part(np.zeros((2, 4)), np.array([9, 5]))
    checked = check(dataset(y=np.tile([5, 7, 9], 10), test=fixed))
    assert checked.test.y.tolist() == [2, 0]


def test_ids_below_the_number_of_classes_stay_even_if_a_class_is_absent():
    names = ("a", "b", "c", "d")
    checked = check(dataset(info=DataInfo.of((4,), classes=4, class_names=names)))
    assert checked.info.class_names == names


def test_token_ids_stay_below_the_vocabulary():
    tokens = np.arange(120).reshape(30, 4)
    info = DataInfo.of((4,), classes=3, vocabulary=120)
    assert check(dataset(x=tokens, info=info)).x.dtype == np.int32
    assert "from 0 to 99" in problem(dataset(x=tokens, info=replace(info, vocabulary=100))).expected


def test_bytes_stay_bytes_where_a_preprocessing_widens_them():
    images = np.zeros((30, 4, 4, 1), dtype=np.uint8)
    info = DataInfo.of((4, 4, 1), classes=3)
    assert check(dataset(x=images, info=info, preprocessing=Pixels())).x is images
    assert check(dataset(x=images, info=info)).x.dtype == np.float32


@dataclass(frozen=True)
class Logarithm:
    def fit(self, x_train):
        if x_train.ndim != 2:
            raise ValueError("a matrix, please")
        return self

    def __call__(self, x):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(x)

    def to_dict(self):
        return {}


def test_a_preprocessing_that_makes_nan_is_refused():
    assert problem(dataset(x=with_value(-1.0) ** 3, preprocessing=Logarithm())).where.startswith("mine  x prepared")


def test_a_preprocessing_that_raises_is_told():
    cube = np.ones((30, 2, 2))
    found = problem(dataset(x=cube, info=DataInfo.of((2, 2), classes=3), preprocessing=Logarithm()))
    assert "a matrix, please" in found.received
