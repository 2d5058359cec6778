import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from sweeper.catalog.datasets import LOADERS, load, shortened
from sweeper.data import DataInfo, Dataset, Part, Task
from sweeper.errors import DataError
from sweeper.vocabulary import DATA_OPTIONS, DATA_TASKS, FILE_DATA

SKLEARN = [name for name in DATA_TASKS if not name.startswith("keras:")]


def problem(call, *arguments):
    with pytest.raises(DataError) as caught:
        call(*arguments)
    return caught.value.problems[0]


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module beside the study file and loads `<module>:load`."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"data_of_{tmp_path.name.replace('-', '_')}"

    def write_and_load(body, **options):
        (tmp_path / f"{name}.py").write_text(f"import numpy as np\nX = np.arange(120.0).reshape(30, 4)\n{body}\n")
        importlib.invalidate_caches()
        return load(f"{name}:load", options, tmp_path)

    yield write_and_load
    sys.modules.pop(name, None)


def test_the_table_and_the_vocabulary_agree():
    assert set(LOADERS) == {*DATA_TASKS, *FILE_DATA}
    assert set(DATA_OPTIONS) <= set(LOADERS)


@pytest.mark.parametrize("name", SKLEARN)
def test_built_in_data_sets_have_the_task_that_the_vocabulary_promises(name):
    data = load(name, {}, Path())
    assert data.info.task is DATA_TASKS[name]
    split = data.divided(validation=0.2, test=0.2, seed=1).split(0)
    assert split.train.x.shape[1:] == split.open_test().x.shape[1:] == data.info.input_shape
    assert np.isfinite(split.train.x).all()


def test_an_unknown_name_is_suggested():
    assert problem(load, "digit", {}, Path()).cure == "did you mean 'digits'?"
    assert problem(load, "keras:minst", {}, Path()).cure == "did you mean 'keras:mnist'?"


def test_an_unknown_option_is_suggested():
    found = problem(load, "digits", {"sample": 100}, Path())
    assert (found.where, found.cure) == ("data.sample", "did you mean 'samples'?")


def test_samples_keep_the_shares_of_the_classes_and_hold_the_smaller_sample():
    whole, small, large = (load("wine", options, Path()) for options in ({}, {"samples": 60}, {"samples": 90}))
    assert (len(small), len(large)) == (60, 90)
    assert np.bincount(small.y) / 60 == pytest.approx(np.bincount(whole.y) / len(whole), abs=0.03)
    assert {tuple(row) for row in small.x} <= {tuple(row) for row in large.x}
    assert load("wine", {"samples": 60}, Path()).fingerprint == small.fingerprint


def test_samples_of_a_regression():
    assert len(load("diabetes", {"samples": 50}, Path())) == 50


def test_samples_shorten_a_fixed_test_part_in_proportion():
    y = np.repeat([0, 1, 2], [600, 300, 100])
    data = Dataset(np.zeros((1000, 2)), y, DataInfo.of((2,), classes=3), Part(np.zeros((200, 2)), y[::5]))
    short = shortened(data, 100)
    assert (len(short), len(short.test)) == (100, 20)
    assert np.bincount(short.y).min() >= 3


def test_even_the_smallest_sample_has_three_rows_of_every_class():
    y = np.repeat([0, 1, 2], [980, 17, 3])
    short = shortened(Dataset(np.zeros((1000, 2)), y, DataInfo.of((2,), classes=3)), 9)
    assert np.bincount(short.y).tolist() == [3, 3, 3]


@pytest.mark.parametrize("samples", [0, 29, 1798, -5, 2.5, "100", True])
def test_samples_that_make_no_sense(samples):
    assert problem(load, "digits", {"samples": samples}, Path()).where == "data.samples"


def test_a_function_that_returns_arrays_gets_the_options(module):
    data = module("def load(classes): return X, np.arange(30) % classes", classes=3)
    assert data.info.classes == 3
    assert data.name.endswith(":load")


def test_a_function_that_returns_a_fixed_test_part(module):
    data = module("def load(): return (X, np.tile(['a', 'b'], 15)), (X[:4], ['a', 'b', 'b', 'a'])")
    assert data.test.y.tolist() == [0, 1, 1, 0]
    assert data.info.class_names == ("a", "b")


def test_a_function_that_returns_a_data_set(module):
    data = module(
        "from sweeper.data import DataInfo, Dataset\n"
        "def load(): return Dataset(X, np.linspace(0, 1, 30), DataInfo.of((4,), classes=None), name='mine')"
    )
    assert (data.info.task, data.name, data.x.dtype) == (Task.REGRESSION, "mine", np.float32)


RETURNED = {
    "None": "NoneType",
    "X": "ndarray",
    "X, X, X": "tuple of 3",
    "{'x': X}": "dict",
}


@pytest.mark.parametrize("returned", RETURNED)
def test_a_function_that_returns_anything_else(module, returned):
    found = problem(module, f"def load(): return {returned}")
    assert found.received == RETURNED[returned]
    assert "(x, y)" in found.expected


def test_what_a_function_returns_is_checked(module):
    found = problem(module, "def load(): return X, np.zeros(30, dtype=bool)")
    assert found.received == "only class 'False' in all 30 rows"
    assert problem(module, "def load(): return X[:9], np.arange(30) % 2").where.endswith(":load  y")


def test_a_function_that_raises_is_told_with_its_line(module):
    found = problem(module, "def load():\n    raise OSError('no such disk')")
    assert found.received.startswith("OSError: no such disk (data_of_")
    assert found.received.endswith(".py:4)")


def test_an_option_that_a_function_does_not_take(module):
    with pytest.raises(DataError, match="unexpected keyword argument 'size'"):
        module("def load(): return X, X", size=3)


def test_a_module_or_function_that_is_not_there(module, tmp_path):
    with pytest.raises(DataError, match="ModuleNotFoundError"):
        load("nowhere_to_be_found:load", {}, tmp_path)
    with pytest.raises(DataError, match="did you mean 'loads'"):
        module("def loads(): pass")
    with pytest.raises(DataError, match="a function"):
        module("load = 3")


def test_errors_of_a_table_call_the_target_by_its_name(tmp_path):
    (tmp_path / "a.csv").write_text("size,kind\n" + "1,cat\n" * 20)
    found = problem(load, "csv", {"path": "a.csv", "target": "kind"}, tmp_path)
    assert (found.where, found.received) == ("a.csv  kind", "only class 'cat' in all 20 rows")
