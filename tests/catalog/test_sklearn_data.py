import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets

from sweeper.catalog.sklearn_data import load


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris", "diabetes"])
def test_every_value_and_name_is_that_of_scikit_learn(name):
    options = {"scaled": False} if name == "diabetes" else {}
    theirs = getattr(sklearn.datasets, f"load_{name}")(**options)
    ours = load(name, {}, Path())
    assert np.array_equal(ours.x, theirs.data)
    assert np.array_equal(ours.y, theirs.target)
    assert ours.info.feature_names == tuple(theirs.feature_names)
    if name != "diabetes":
        assert ours.info.class_names == tuple(theirs.target_names)


def test_digits_are_images_from_0_to_1_with_one_channel():
    theirs, ours = sklearn.datasets.load_digits(), load("digits", {}, Path())
    assert ours.info.input_shape == (8, 8, 1)
    assert np.array_equal(ours.x[..., 0], theirs.images)
    assert np.array_equal(ours.y, theirs.target)
    train = ours.split(0).train.x
    assert (train.dtype, train.min(), train.max()) == (np.float32, 0.0, 1.0)


def test_loading_imports_nothing_heavy():
    code = (
        "import sys; from pathlib import Path; from sweeper.catalog.datasets import load; load('digits', {}, Path());"
        "print([m for m in ('sklearn', 'scipy', 'pandas', 'keras', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
