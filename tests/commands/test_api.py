"""`sweeper.run` from Python."""

import csv
import subprocess
import sys

import numpy as np
import pytest

import sweeper
from sweeper.engines.inline import InlineEngine
from sweeper.errors import Incomplete, StudyError
from sweeper.testing import ScriptedTrainer, small_dataset
from sweeper.trial import Stage

STUDY = {"name": "scripted", "data": {"name": "iris"}, "trainer": "loop:train", "training": {"epochs": 2}}


@pytest.fixture(autouse=True)
def _here(desk, monkeypatch):
    monkeypatch.chdir(desk.folder)
    monkeypatch.syspath_prepend(desk.folder)


def test_memory_keeps_no_file(desk):
    verdict = sweeper.run(STUDY, engine="inline", storage="memory")
    assert verdict.pick.combination["activation"] == "relu"
    written = {path.name for path in desk.folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert written == {"loop.py", "study.yaml", "trained.txt"}


def test_an_engine_of_ones_own(desk):
    trainer = ScriptedTrainer(lambda spec: 0.9 if spec.params["activation"] == "tanh" else 0.5)
    engine = InlineEngine(lambda: (trainer, small_dataset()))
    verdict = sweeper.run(STUDY, engine=engine, storage="memory")
    assert verdict.pick.combination["activation"] == "tanh"
    assert {spec.stage for spec in trainer.trained} == {Stage.EXPLORE, Stage.RACE, Stage.CONFIRM}


def test_finalists_share_their_seeds_and_no_other_trial_has_them():
    trainer = ScriptedTrainer(lambda spec: spec.seeds.init % 997 / 1e4 + 0.8)
    sweeper.run(STUDY, engine=InlineEngine(lambda: (trainer, small_dataset())), storage="memory")
    confirm = [spec for spec in trainer.trained if spec.stage is Stage.CONFIRM]
    explore = [spec for spec in trainer.trained if spec.stage is Stage.EXPLORE]
    by_repetition = {}
    for spec in confirm:
        by_repetition.setdefault(spec.repetition, set()).add(spec.seeds)
        assert isinstance(spec.seeds.split, int)
        assert isinstance(spec.seeds.shuffle, int)
    assert all(len(seeds) == 1 for seeds in by_repetition.values())
    assert len({next(iter(seeds)) for seeds in by_repetition.values()}) == len(by_repetition)
    assert not {spec.seeds.split for spec in confirm} & {spec.seeds.split for spec in explore}


def test_test_scores_that_a_trainer_gives_away_early_are_dropped(desk):
    sweeper.run(STUDY, engine="inline", storage=desk.folder / "mlruns")  # its trainer returns test_accuracy always
    table = (desk.folder / "mlruns/studies/scripted/trials.csv").read_text().splitlines()
    rows = list(csv.DictReader(table))
    assert {row["stage"] for row in rows if row["test_accuracy"]} == {"confirm"}
    assert {row["stage"] for row in rows if not row["test_accuracy"]} == {"explore", "race"}


def test_every_combination_is_explored_equally():
    trainer = ScriptedTrainer(lambda spec: 0.5)
    verdict = sweeper.run(STUDY, engine=InlineEngine(lambda: (trainer, small_dataset())), storage="memory")
    assert {explored.trials for explored in verdict.explored} == {8}
    assert len(verdict.explored) == 9


def test_nan_everywhere_is_no_verdict():
    trainer = ScriptedTrainer(lambda spec: np.nan)
    verdict = sweeper.run(STUDY, engine=InlineEngine(lambda: (trainer, small_dataset())), storage="memory")
    assert verdict.outcome.value == "NO_VERDICT"


def test_what_stops_a_study_is_raised(desk):
    with pytest.raises(Incomplete, match="no such layer"):
        sweeper.run({**STUDY, "trainer": "loop:fail"}, engine="inline", storage="memory")


def test_a_faulty_study_is_raised():
    with pytest.raises(StudyError, match="epochs"):
        sweeper.run({**STUDY, "training": {"epochs": 0}})


def test_a_script_needs_no_main_guard(desk):
    """Workers do not import the caller's script again."""
    (desk.folder / "script.py").write_text(
        f"import sweeper\nprint(sweeper.run({STUDY!r}, workers=2, storage='memory').outcome)\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=desk.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 1
