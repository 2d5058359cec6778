import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.vocabulary import DATA_TASKS

NAMES = [name for name in DATA_TASKS if name.startswith("keras:")]
IMAGES = {
    "keras:mnist": ([28, 28, 1], 10),
    "keras:fashion_mnist": ([28, 28, 1], 10),
    "keras:cifar10": ([32, 32, 3], 10),
    "keras:cifar100": ([32, 32, 3], 100),
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What sweeper makes of small files in Keras' cache, by name. In a process of its own: Keras looks at
    KERAS_HOME while it is imported."""
    home = tmp_path_factory.mktemp("keras")
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("keras_cache.py"), *NAMES],
        env={**os.environ, "KERAS_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)  # nothing else may be on stdout, not even the progress of a download
    return {**document, "home": home}


pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", NAMES)
def test_the_task_is_what_the_vocabulary_promises(loaded, name):
    assert loaded[name]["task"] == DATA_TASKS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_test_part_is_the_one_that_keras_defines(loaded, name):
    data = loaded[name]
    assert data["rows"]["test"] == data["test_rows"] > 0
    assert data["shapes"] == [data["input_shape"], data["input_shape"]]


@pytest.mark.parametrize("name", IMAGES)
def test_images_stay_bytes_and_reach_the_model_as_floats(loaded, name):
    data = loaded[name]
    assert (data["input_shape"], data["classes"]) == IMAGES[name]
    assert len(data["names"]) == data["classes"]
    assert (data["raw"], data["inputs"]) == ("uint8", "float32")


def test_pixels_reach_from_0_to_1(loaded):
    assert loaded["keras:mnist"]["range"] == [0.0, 1.0]


@pytest.mark.parametrize(("name", "classes"), [("keras:imdb", 2), ("keras:reuters", 46)])
def test_texts_are_token_ids_of_one_length(loaded, name, classes):
    data = loaded[name]
    assert (data["input_shape"], data["vocabulary"], data["inputs"]) == ([12], 20, "int32")
    assert (data["classes"], len(data["names"])) == (classes, classes)
    assert 0 <= data["range"][0] < data["range"][1] < 20


@pytest.mark.parametrize(("name", "columns"), [("keras:boston_housing", 13), ("keras:california_housing", 8)])
def test_tables_are_standardised(loaded, name, columns):
    assert loaded[name]["input_shape"] == [columns]
    assert max(map(abs, loaded[name]["range"])) < 6


def test_samples_shorten_the_training_rows(loaded):
    assert loaded["keras:cifar10"]["rows"] == {"train": 80, "validation": 20, "test": 5}


def test_a_failed_download_says_where_the_file_belongs(loaded):
    assert loaded["failure"]["kind"] == "DataError"
    where, expected, received, _ = loaded["failure"]["problems"][0]
    assert where == "data.name: keras:mnist"
    assert str(loaded["home"] / "datasets") in expected
    assert "URL fetch failure" in received
