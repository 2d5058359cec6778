import subprocess
import sys

import pytest

from sweeper.deferred import deferred


@pytest.fixture
def folder(tmp_path):
    sys.path.insert(0, str(tmp_path))
    path, known = list(sys.meta_path), set(sys.modules)
    yield tmp_path
    assert sys.meta_path == path
    sys.path.remove(str(tmp_path))
    for name in set(sys.modules) - known:
        del sys.modules[name]


def write(folder, name, text):
    (folder / f"{name}.py").write_text(f"import sys\nsys.executed_{name} = True\n{text}\n")


def executed(name):
    return vars(sys).pop(f"executed_{name}", False)


def test_a_module_runs_when_it_is_touched_and_not_before(folder):
    write(folder, "deferred_one", "VALUE = 1")
    with deferred(["deferred_one"]):
        import deferred_one
    assert not executed("deferred_one")
    assert deferred_one.VALUE == 1
    assert executed("deferred_one")


def test_others_run_as_always(folder):
    write(folder, "deferred_other", "VALUE = 1")
    with deferred(["deferred_one"]):
        import deferred_other  # noqa: F401
    assert executed("deferred_other")


def test_afterwards_everything_runs_as_always(folder):
    write(folder, "deferred_late", "VALUE = 1")
    with deferred(["deferred_late"]):
        pass
    import deferred_late  # noqa: F401

    assert executed("deferred_late")


def test_what_a_module_takes_from_another_is_touched(folder):
    write(folder, "deferred_one", "VALUE = 1")
    write(folder, "deferred_user", "from deferred_one import VALUE")
    with deferred(["deferred_one"]):
        from deferred_user import VALUE
    assert VALUE == 1
    assert executed("deferred_one")
    assert executed("deferred_user")


def test_a_name_that_is_nowhere_is_an_import_error_as_always(folder):
    with deferred(["deferred_nowhere"]), pytest.raises(ModuleNotFoundError, match="deferred_nowhere"):
        import deferred_nowhere  # noqa: F401


KERAS = """
import os, sys, tempfile, warnings
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["MPLBACKEND"] = "agg"
from sweeper.deferred import SELDOM_USED, deferred
with deferred():
    import keras
    import tensorflow as tf
absent = {"pandas", "sklearn", "matplotlib", "pyarrow", "scipy.stats"}
assert not absent & set(sys.modules), absent & set(sys.modules)
assert set(SELDOM_USED) - set(sys.modules) == set(), "a module of Keras has moved"

import numpy as np
def compiled():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model
x, y = np.random.default_rng(0).normal(size=(8, 2)).astype("float32"), np.arange(8) / 8
model = compiled()
model.fit(x, y, epochs=1, verbose=0, validation_split=0.25)

import pandas
model.fit(pandas.DataFrame(x), y, epochs=1, verbose=0)
assert model.predict(pandas.DataFrame(x), verbose=0).shape == (8, 1)
path = os.path.join(tempfile.mkdtemp(), "model.keras")
model.save(path)
assert np.allclose(keras.models.load_model(path).predict(x, verbose=0), model.predict(x, verbose=0))

import sklearn.base
assert issubclass(keras.wrappers.SKLearnRegressor, sklearn.base.BaseEstimator)
assert tf.keras.wrappers.SKLearnRegressor is keras.wrappers.SKLearnRegressor
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    fitted = keras.wrappers.SKLearnRegressor(lambda X, y: compiled(), fit_kwargs={"verbose": 0}).fit(x, y)
assert fitted.predict(x).shape[0] == 8

keras.visualization.plot_image_gallery(np.zeros((2, 4, 4, 3)), rows=1, cols=2, path=path + ".png")
assert os.path.getsize(path + ".png")
assert tf.keras.visualization.plot_image_gallery is keras.visualization.plot_image_gallery
assert callable(keras.datasets.mnist.load_data)
"""


@pytest.mark.slow
def test_all_of_keras_is_there_and_so_is_what_it_did_without():
    done = subprocess.run([sys.executable, "-c", KERAS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
