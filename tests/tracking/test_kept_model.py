"""Models are made and loaded in other processes: the one that tracks never imports TensorFlow."""

import json
import os
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from tracked import STUDY, Store

from sweeper.catalog.preprocessing import Column, Pixels, Table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Operation with range")]

REQUIREMENTS = ["keras", "tensorflow-cpu", "numpy", "pandas"]

MAKE = """
import sys
from pathlib import Path
import keras
folder = Path(sys.argv[1])
def make(name, shape, units, activation):
    keras.utils.set_random_seed(0)
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(units, activation)]
    (folder / name).mkdir(parents=True)
    keras.Sequential(layers).save(folder / name / "model.keras")
make("digits", (8, 8, 1), 10, "softmax")
make("species", (3,), 3, "softmax")
make("yes_no", (2,), 1, "sigmoid")
make("price", (4,), 1, "linear")
"""

LOAD = """
import json, sys
from pathlib import Path
import mlflow, numpy as np, pandas as pd
uri, questions, out = sys.argv[1:]
mlflow.set_tracking_uri(uri)
answers = {}
for name, (address, rows) in json.loads(Path(questions).read_text()).items():
    model = mlflow.pyfunc.load_model(address)
    answers[name] = [model.predict(model.input_example).to_dict("list")]
    for data in rows:
        given = pd.DataFrame(data) if isinstance(data, dict) else np.array(data)
        try:
            answers[name].append(model.predict(given).to_dict("list"))
        except Exception as error:
            answers[name].append(str(error))
assert "sweeper" not in sys.modules
Path(out).write_text(json.dumps(answers))
"""

IMAGES = (np.arange(2 * 64) % 17).reshape(2, 8, 8)
TABLE = {"size": [1, 3], "city": ["Ulm", "Bonn"], "empty": [5, 5]}
QUESTIONS = {
    "digits": [IMAGES.tolist(), IMAGES.reshape(2, 64).tolist(), IMAGES.astype(float)[..., None].tolist()],
    "species": [[[1.0, 2.0, 3.0], [-9.0, 0.0, 0.0]]],
    "yes_no": [[[1.0, 2.0]], {"other": [0.0], "y": [2.0], "x": [1.0]}, {"x": [1.0], "z": [2.0]}],
    "price": [
        TABLE,
        {"city": ["Ulm", "Bonn"], "note": ["x", "y"], "empty": [None, 0], "size": [1.0, 3.0]},
        {**TABLE, "city": ["Rom", None]},
        {**TABLE, "size": ["wide", "1"]},
        {"size": [1], "empty": [5]},
        {"size": [2], "city": ["Rom"], "empty": [5]},
    ],
}
"""Model -> what it is asked to predict, one after the other: a mapping becomes a DataFrame, a list an array."""

CITIES = Table((Column("size"), Column("city", ("Bonn", "Ulm")), Column("empty")))


def python(code, *arguments, folder):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Four folders as a trainer leaves them."""
    folder = tmp_path_factory.mktemp("kept")
    python(MAKE, folder, folder=folder)
    cities = CITIES.fit(np.array([[1.0, 0, 5], [2.0, 1, 5], [3.0, 1, 5]])).to_dict()
    essentials = {"feature_names": None, "vocabulary": None, "target_mean": 0.0, "target_sd": 1.0}
    pixels = Pixels(16.0).to_dict()
    for name, data, preprocessing in (
        ("digits", {"task": "multiclass", "input_shape": [8, 8, 1], "class_names": list("0123456789")}, pixels),
        ("species", {"task": "multiclass", "input_shape": [3], "class_names": ["a", "b", "c"]}, None),
        ("yes_no", {"task": "binary", "input_shape": [2], "class_names": None, "feature_names": ["x", "y"]}, None),
        ("price", {"task": "regression", "input_shape": [4], "target_mean": 100.0, "target_sd": 10.0}, cities),
    ):
        (folder / name / "data.json").write_text(json.dumps({**essentials, **data}))
        (folder / name / "preprocessing.json").write_text(json.dumps(preprocessing))
    return folder


def log(store, folder):
    tracker = store.tracker()
    run_id = tracker.start(STUDY)["run_id"]
    return run_id, tracker.log_model(folder, REQUIREMENTS)


@pytest.fixture(scope="module")
def answers(kept, empty_store, tmp_path_factory):
    """Model -> the prediction for its own example, then one for each question; all from one fresh process."""
    folder = tmp_path_factory.mktemp("asked")
    shutil.copy(empty_store, folder / "mlflow.db")
    asked, runs = Store(folder), {}
    for name, rows in QUESTIONS.items():
        tracker = asked.tracker(name)
        run_id = tracker.start(STUDY)["run_id"]
        address = tracker.log_model(kept / name, REQUIREMENTS)
        runs[name] = (f"runs:/{run_id}/model" if name == "digits" else address, rows)
    (folder / "questions.json").write_text(json.dumps(runs))
    python(LOAD, asked.uri, folder / "questions.json", folder / "answers.json", folder=folder)
    return json.loads((folder / "answers.json").read_text())


def probabilities(answer):
    return np.array([column for name, column in answer.items() if name.startswith("probability_")]).T


def test_the_model_belongs_to_the_parent_run(store, kept):
    had_tensorflow = "tensorflow" in sys.modules  # another test of this process may have it
    run_id, address = log(store, kept / "digits")
    assert ("tensorflow" in sys.modules) == had_tensorflow
    model = store.client.get_logged_model(address.removeprefix("models:/"))
    assert (model.name, model.source_run_id, str(model.status)) == ("model", run_id, "READY")
    assert [output.model_id for output in store.client.get_run(run_id).outputs.model_outputs] == [model.model_id]
    assert "model.keras" in {file.path for file in store.client.list_artifacts(run_id)}


def test_the_same_model_is_logged_once_and_another_replaces_it(store, kept):
    run_id, first = log(store, kept / "digits")
    assert log(store, kept / "digits") == (run_id, first)
    _, other = log(store, kept / "species")
    assert other != first
    found = store.client.get_experiment_by_name("digits")
    logged = store.client.search_logged_models([found.experiment_id])
    assert [model.model_uri for model in logged] == [other]


def test_requirements_are_those_given(store, kept):
    _, address = log(store, kept / "digits")
    saved = store.artifacts / "models" / address.removeprefix("models:/") / "artifacts"
    mlflow, *others = (saved / "requirements.txt").read_text().split()
    assert mlflow.startswith("mlflow")
    assert others == REQUIREMENTS


def test_images_of_any_number_type_and_shape(answers):
    _, images, flat, floats = answers["digits"]
    assert images == flat == floats
    assert list(images) == ["prediction", *(f"probability_{digit}" for digit in range(10))]
    assert probabilities(images).sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert images["prediction"] == probabilities(images).argmax(axis=1).tolist()


def test_classes_are_called_by_their_names(answers):
    _, answer = answers["species"]
    assert answer["prediction"] == [["a", "b", "c"][winner] for winner in probabilities(answer).argmax(axis=1)]


def test_two_classes_have_two_probabilities_and_columns_are_found_by_name(answers):
    _, by_place, by_name, missing = answers["yes_no"]
    assert by_place == by_name
    assert by_place["probability_0"][0] + by_place["probability_1"][0] == pytest.approx(1)
    assert by_place["prediction"] == [int(by_place["probability_1"][0] > 0.5)]
    assert "columns missing: y" in missing


def test_a_table_goes_in_as_it_stands_in_its_file(answers):
    example, answer, shuffled, unknown, words, missing, _ = answers["price"]
    assert list(answer) == list(example) == ["prediction"]
    assert shuffled["prediction"] == pytest.approx(answer["prediction"], rel=1e-6)
    assert unknown["prediction"] != pytest.approx(answer["prediction"])
    assert "column size: expected numbers" in words
    assert "Model is missing inputs ['city']" in missing


def test_targets_are_in_their_own_unit(answers):
    # the average row of an unknown city: every input is 0, so the network answers with its bias, 0
    assert answers["price"][-1]["prediction"] == pytest.approx([100.0], abs=1e-4)
