import csv
import io
import json
import re
import runpy
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sweeper import study_file
from sweeper.commands.export import Wanted, export, repeated
from sweeper.commands.prepare import prepare
from sweeper.errors import UsageError
from sweeper.planning.stages import Candidate
from sweeper.trial import Cohort, Combination, Seeds, Signal, Stage, TrialEnded, TrialRecord, TrialSpec
from sweeper.verdict import Objective

PAIR = {"activation": "relu", "optimizer": "adam"}


def ended(number, stage=Stage.CONFIRM, *, repetition=0, lr=0.01, **metrics):
    spec = TrialSpec(number, stage, Combination(PAIR), {**PAIR, "learning_rate": lr}, Seeds(1, 2, 3), 2, repetition)
    return TrialRecord(spec, TrialEnded.completed(spec, metrics or {"val_accuracy": 0.9}))


# --- the script -------------------------------------------------------------------------------------------------


def table(folder):
    rng = np.random.default_rng(3)
    size = rng.normal(5, 2, 120)
    colour = rng.choice(["red", "gr een", 'bl"ue'], 120)
    frame = pd.DataFrame({"si ze": size, "colour": colour, "count": rng.integers(0, 9, 120), "flat": 1.5})
    frame["group"] = rng.integers(0, 30, 120)
    frame["kind"] = np.where(size + (colour == "red") > 5, "yes", "no")
    frame["price"] = size * 3 + rng.normal(0, 0.3, 120)
    frame.loc[::7, "si ze"] = np.nan
    frame.loc[::11, "colour"] = None
    frame.to_csv(folder / "t.csv")
    frame.to_csv(folder / "semi.csv", sep=";", index=False)
    frame.to_csv(folder / "comma.csv", sep=";", decimal=",", index=False)
    frame.to_parquet(folder / "t.parquet")


def arrays(folder):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(90, 6))
    np.savez(
        folder / "one_hot.npz", x=x, y=np.eye(3)[np.arange(90) % 3], x_test=x[:30], y_test=np.eye(3)[: 30 % 3 or 3]
    )
    np.savez(folder / "fixed.npz", x=x, y=np.arange(90) % 3 + 7, x_test=x[:30], y_test=np.arange(30) % 3 + 7)
    np.savez(folder / "two.npz", x=x.reshape(90, 3, 2), y=x[:, :2] * [3.0, 5.0], groups=np.arange(90) // 3)


def pictures(folder):
    from PIL import Image

    rng = np.random.default_rng(5)
    for name, light in (("dark", 0), ("light", 128)):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(15):
            pixels = rng.integers(light, light + 127, (9, 11, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "pictures" / name / f"{number}.png")


OWN = """
import keras, numpy as np

def load(rows=80):
    x = np.random.default_rng(0).normal(size=(rows, 5))
    return x, (x[:, 0] > 0).astype(int)

def build(info, activation, width=4):
    return keras.Sequential([keras.layers.Dense(width, activation), keras.layers.Dense(1, info.output_activation)])

class Own(keras.Model):
    def __init__(self, activation):
        super().__init__()
        self.hidden, self.out = keras.layers.Dense(4, activation), keras.layers.Dense(1, "sigmoid")

    def call(self, x):
        return self.out(self.hidden(x))

def special(info, activation):
    assert info.task == "binary" and info.input_shape == (5,)
    return Own(activation)
"""

CASES = {
    "digits": "data: {name: digits, samples: 200}\nmodel: {name: mlp, dropout: 0.2, batch_norm: true, l2: 0.001}",
    "cnn": "data: {name: digits, samples: 150}\nmodel: {name: cnn, filters: [4], units: [8]}",
    "lstm": "data: {name: digits, samples: 100}\nmodel: {name: lstm, units: [3], recurrent_dropout: 0.1}",
    "binary": "data: {name: breast_cancer}\nmetric: {name: f1}\ntraining: {epochs: 2, schedule: linear}",
    "iris": "data: {name: iris, test: 0.1}\nparameters: {activation: {values: [glu, elu]}, batch_size: {value: 8}}",
    "regression": "data: {name: diabetes}\ntraining: {epochs: 2, loss: huber, schedule: constant}",
    "csv": "data: {name: csv, path: t.csv, target: kind, drop: [price, group]}",
    "csv commas": 'data: {name: csv, path: comma.csv, target: price, drop: kind, delimiter: ";", decimal: ","}',
    "csv groups": 'data: {name: csv, path: semi.csv, target: price, drop: kind, groups: group, delimiter: ";"}',
    "parquet": "data: {name: parquet, path: t.parquet, target: price}",
    "npz": "data: {name: npz, path: fixed.npz}",
    "npz two targets": "data: {name: npz, path: two.npz}",
    "images": "data: {name: images, path: pictures, size: 8, color: grayscale}\nmodel: {name: cnn, filters: 4}",
    "own": 'data: {name: "own_parts:load", rows: 70}\nmodel: {name: "own_parts:build", width: 3}',
    "own class": 'data: {name: "own_parts:load"}\nmodel: {name: "own_parts:special"}',
    "keras images": "data: {name: keras:mnist, samples: 60}",
    "keras texts": "data: {name: keras:imdb, vocabulary: 20, length: 12}\nmodel: {name: lstm, units: 4, embedding: 3}",
    "keras table": "data: {name: keras:boston_housing}",
    "ema": "data: {name: wine}\n"
    "parameters: {optimizer: {values: [adam, nadam]}, use_ema: {value: true}, ema_momentum: {value: 0.9}}",
}


def keras_data(monkeypatch):
    import keras

    rng = np.random.default_rng(6)
    x = rng.integers(0, 255, (80, 28, 28), dtype=np.uint8)
    texts = np.array([list(range(1, 3 + n % 15)) for n in range(60)], dtype=object)
    numbers = rng.normal(size=(60, 4))
    made = {
        "mnist": ((x, np.arange(80) % 10), (x[:40], np.arange(40) % 10)),
        "imdb": ((texts, np.arange(60) % 2), (texts[:20], np.arange(20) % 2)),
        "boston_housing": ((numbers, numbers[:, 0] * 9), (numbers[:9], numbers[:9, 0] * 9)),
    }
    for name, arrays_of in made.items():
        monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda arrays_of=arrays_of, **_: arrays_of)


def trained(study, params):
    """A first confirmation as `fuse: off` trains it."""
    from sweeper.catalog.models import resolve_model
    from sweeper.training.fit import FitTrainer

    spec = TrialSpec(5, Stage.CONFIRM, Combination(PAIR), params, Seeds(11, 12, 13), study.config.training.epochs)
    trainer = FitTrainer(study.setup, resolve_model(study.setup.model, study.setup.folder))
    (end,) = trainer(Cohort((spec,)), study.data, lambda event: Signal.CONTINUE)
    assert end.reason is None
    return TrialRecord(spec, end)


def one_process(monkeypatch):
    """The script asks for one thread, which TensorFlow refuses once it has computed anything, as it has here."""
    import tensorflow as tf

    for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
        monkeypatch.setattr(tf.config.threading, name, lambda _threads: None)


def scores(text):
    found = re.findall(r"^((?:val|test)_\w+) (\S+)(?:   sweeper (\S+))?$", text, re.M)
    return {name: (float(now), float(before)) for name, now, before in found}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_script_gives_the_scores_of_the_trial(case, tmp_path, monkeypatch, capsys):
    from sweeper.commands.scripting import written

    keras_data(monkeypatch)
    table(tmp_path), arrays(tmp_path), pictures(tmp_path)
    (tmp_path / "own_parts.py").write_text(OWN)
    training = "" if "training:" in CASES[case] else "\ntraining: {epochs: 2, batch_size: 16}"
    (tmp_path / "study.yaml").write_text(f"name: {case}\n{CASES[case]}{training}\n")
    study = prepare(study_file.load(tmp_path / "study.yaml"))
    fixed = {
        name: spec.value for name, spec in study.config.parameters.items() if not isinstance(spec, list) and spec.value
    }
    chosen = {name: str(study.space.combinations()[-1][name]) for name in PAIR}
    record = trained(study, {**chosen, "learning_rate": 0.0123456789, **fixed})
    text, remarks = written(study, record)
    (tmp_path / "pick.py").write_text(text)
    monkeypatch.setattr(sys, "argv", ["pick.py"])
    one_process(monkeypatch)
    capsys.readouterr()
    runpy.run_path(str(tmp_path / "pick.py"), run_name="__main__")
    found = scores(capsys.readouterr().out)
    assert {name for name in record.ended.metrics if name.startswith(("val_", "test_"))} == set(found)
    for name, (now, before) in found.items():
        assert now == pytest.approx(before, rel=1e-6, abs=1e-9), name
    assert "import sweeper" not in text
    assert "from sweeper" not in text
    assert ("own_parts:special" in " ".join(remarks)) == (case == "own class")
    assert ("from own_parts import load" in text) == case.startswith("own")
    assert "from own_parts import build" not in text


def test_the_trial_that_a_script_repeats():
    pick = Candidate(Combination(PAIR), {**PAIR, "learning_rate": 0.01})
    explored, worse = ended(0, Stage.EXPLORE, lr=0.1), ended(1, Stage.EXPLORE, lr=0.2, val_accuracy=0.5)
    chosen = Objective("accuracy", True, 0.003)
    second, first = ended(4, repetition=1), ended(5, repetition=0)
    assert repeated([explored, second, first, ended(6, Stage.KEEP)], pick, chosen) is first
    assert repeated([worse, explored, ended(6, Stage.KEEP)], pick, chosen) is explored
    assert repeated([ended(6, Stage.KEEP)], pick, chosen) is None


@pytest.mark.slow
def test_a_study_from_the_command_line_to_a_script_a_model_and_a_table(desk):
    desk.write("""
        name: small
        data: {name: iris}
        model: {name: mlp, units: [4]}
        parameters: {activation: {values: [relu, tanh]}, optimizer: {value: adam}}
        training: {epochs: 2}
        search: {points: 6}
        confirm: {seeds: 4, looks: [2, 4]}
        engine: {kind: inline, fuse: "off"}
        """)
    assert desk.run().code == 0
    done = desk.sweeper("export", "--script", "out/pick.py", "--model", "pick.keras", "--trials", "t.csv")
    assert (done.code, done.err) == (0, "")
    out = subprocess.run([sys.executable, "out/pick.py", "own.keras"], cwd=desk.folder, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    found = scores(out.stdout)
    assert "test_accuracy" in found
    for now, before in found.values():
        assert now == pytest.approx(before, rel=1e-6)
    kept = (desk.folder / "mlruns/studies/small/keep/model.keras").read_bytes()
    assert (desk.folder / "pick.keras").read_bytes() == kept
    assert (desk.folder / "own.keras").is_file()
    about = json.loads((desk.folder / "pick.json").read_text())
    assert about["preprocessing"]["kind"] == "table"
    assert about["data"]["class_names"] == ["setosa", "versicolor", "virginica"]


# --- the table --------------------------------------------------------------------------------------------------


def test_all_trials_as_csv_and_parquet_with_types(finished):
    for name in ("t.csv", "t.parquet"):
        done = finished.sweeper("export", "--trials", name)
        assert done.code == 0, done.err
        assert done.out.startswith(f"{name}: ")
    rows = list(csv.DictReader(io.StringIO((finished.folder / "t.csv").read_text())))
    frame = pd.read_parquet(finished.folder / "t.parquet")
    assert len(rows) == len(frame)
    assert list(rows[0]) == list(frame.columns)
    kinds = {name: str(frame[name].dtype) for name in ("number", "seed_split", "learning_rate", "val_accuracy")}
    assert kinds == {
        "number": "int64", "seed_split": "int64", "learning_rate": "float64", "val_accuracy": "float64",
    }  # fmt: skip
    assert str(frame["ended_at"].dtype) == "datetime64[ms, UTC]"
    assert frame["test_accuracy"].isna().any()
    assert frame["reason"].isna().all()
    assert set(frame["stage"]) == {"explore", "race", "confirm"}
    assert frame["ended_at"].dt.year.min() > 2000


def test_the_table_needs_neither_the_data_nor_the_end(desk):
    desk.write("name: scripted\ndata: {name: csv, path: t.csv, target: y}\ntrainer: 'loop:train'\n")
    lines = ["a,y", *(f"{n},{n % 2}" for n in range(80))]
    (desk.folder / "t.csv").write_text("\n".join(lines) + "\n")
    assert desk.run("--time", "1s", TRIAL_S="0.05").code == 5
    (desk.folder / "t.csv").unlink()
    done = desk.sweeper("export", "--trials", "t.csv.parquet")
    assert done.code == 0, done.err
    assert len(pd.read_parquet(desk.folder / "t.csv.parquet")) > 2


def test_lists_and_mixed_values_keep_their_meaning(tmp_path):
    from sweeper.commands.export import _write_parquet

    columns = {"units": [[64, 32], [8]], "size": [1, 0.5], "mixed": ["a", 2], "none": [None, None]}
    _write_parquet(columns, tmp_path / "t.parquet")
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert [list(units) for units in frame["units"]] == [[64, 32], [8]]
    assert list(frame["size"]) == [1.0, 0.5]
    assert [json.loads(text) for text in frame["mixed"]] == ["a", 2]
    assert str(frame["none"].dtype) == "float64"


# --- what is missing, with a cure -------------------------------------------------------------------------------


def told(desk, *words):
    done = desk.sweeper("export", *words)
    assert done.code == 2
    assert "Traceback" not in done.err
    return done.err


def test_nothing_to_write_and_nothing_run(desk):
    assert "--script pick.py" in told(desk)
    assert "try       sweeper run study.yaml" in told(desk, "--trials", "t.csv")


def test_what_a_scripted_study_cannot_give_is_said(finished):
    assert "trainer: loop:train" in told(finished, "--script", "pick.py")
    assert "have it leave model.keras" in told(finished, "--model", "pick.keras")
    assert "ends in .keras" in told(finished, "--model", "pick.h5")
    assert ".csv or .parquet" in told(finished, "--trials", "t.xlsx")
    assert not list(finished.folder.glob("pick*"))


def test_a_place_that_cannot_be_written_leaves_nothing_behind(finished):
    (finished.folder / "file").touch()
    done = finished.sweeper("export", "--trials", "file/t.csv")
    assert done.code == UsageError.exit_code
    assert "another name" in done.err
    with pytest.raises(UsageError):
        export(study_file.load(finished.folder / "study.yaml"), finished.folder / "mlruns", Wanted())


def test_without_a_completed_trial_there_is_no_pick(desk):
    desk.write("name: scripted\ndata: {name: iris}\ntrainer: 'loop:fail'\n")
    desk.run()
    done = desk.sweeper("export", "--model", "pick.keras")
    assert done.code == 4
    assert "a trial that completed" in done.err
