"""`sweeper check`: what it finds, what it refuses to say, and what it leaves behind."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import forks
import pytest
from gate_desk import GateDesk, environment

from sweeper.commands import nights
from sweeper.commands.baseline_file import read
from sweeper.commands.continuing import COMMAND
from sweeper.commands.old_side import OldSide
from sweeper.commands.report import report
from sweeper.errors import StudyBusy, UsageError
from sweeper.folder import StudyFolder
from sweeper.gate import GateOutcome, Night
from sweeper.planning.optuna_ledger import noting

PASSED, FAILED, UNDECIDED = GateOutcome.PASSED, GateOutcome.FAILED, GateOutcome.UNDECIDED
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    desk = GateDesk(tmp_path_factory.mktemp("frozen")).write()
    desk.freeze()
    return desk


@pytest.fixture
def desk(frozen, tmp_path):
    folder = tmp_path / "desk"
    shutil.copytree(frozen.folder, folder)
    return GateDesk(folder)


def rule(result, name):
    return next(each for each in result.checks if each.name == name)


def test_a_quiet_night_passes_on_three_seeds(desk):
    result = desk.check()
    assert (result.outcome, result.exit_code, result.trained) == (PASSED, 0, 4)
    assert [each.name for each in result.checks] == ["canary", "screen"]
    assert "scores the same again" in rule(result, "canary").said
    assert result.interval.low < result.score < result.interval.high
    assert result.changed == ()
    document = json.loads((desk.folder / "mlruns/studies/gated/gate.json").read_text())
    assert document["outcome"] == "PASSED"
    assert document["nights"][-1]["seeds"] == 3


def test_a_drop_is_confirmed_by_seeds_that_raised_no_alarm(desk):
    with environment(DROP=0.02, SEEN=desk.folder / "seen"):
        result = desk.check()
    assert (result.outcome, result.exit_code, result.trained) == (FAILED, 3, 24)
    assert result.drop == pytest.approx(0.02, abs=0.003)
    assert 0 < result.drop_interval.low < result.drop < result.drop_interval.high
    assert rule(result, "drop").figures["paired"] == 0
    assert "have changed" in rule(result, "canary").said
    seen = (desk.folder / "seen").read_text().split()
    assert len(set(seen)) == len(seen) == 24
    assert result.cure


def test_a_certain_drop_below_the_margin_passes(desk):
    with environment(DROP=0.02):
        result = desk.check(overrides={"gate__margin": 0.05})
    assert result.outcome is PASSED
    assert "less than the margin of 5.0 points" in rule(result, "drop").said


def test_a_rise_is_no_alarm(desk):
    with environment(DROP=-0.02):
        result = desk.check()
    assert (result.outcome, result.trained) == (PASSED, 4)
    assert result.drop < 0


def test_a_score_that_is_not_certain_to_reach_the_threshold_fails(desk):
    result = desk.check(overrides={"gate__threshold": 0.96})
    assert result.outcome is FAILED
    assert rule(result, "drop").outcome is PASSED
    assert rule(result, "threshold").outcome is FAILED
    assert result.trained == 24
    assert desk.check(2, overrides={"gate__threshold": 0.9}).outcome is PASSED


def test_two_checks_of_one_night_agree_and_another_night_has_other_seeds(desk):
    first, again, other = desk.check(1), desk.check(1), desk.check(2)
    assert first.score == again.score
    assert first.score != other.score


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"training__epochs": 2}, "training.epochs"),
        ({"metric__name": "loss"}, "metric"),
        ({"data__test": 0.3}, "data.test"),
        ({"search__seed": 5}, "search.seed"),
        ({"data__classes": 4}, "task"),
    ],
)
def test_what_makes_scores_incomparable_cannot_be_decided(desk, overrides, told):
    result = desk.check(overrides=overrides)
    assert (result.outcome, result.exit_code, result.trained) == (UNDECIDED, 4, 0)
    assert told in result.said
    assert "baseline set" in result.cure
    night = nights.read(desk.folder / "mlruns/studies/gated")[-1].night
    assert night.outcome is UNDECIDED
    assert told in night.reason
    assert night.changed == result.changed


def test_what_only_decided_which_pick_was_frozen_may_change(desk):
    result = desk.check(overrides={"confirm__alpha": 0.1, "search__points": 8})
    assert result.outcome is PASSED
    assert any(word.startswith("settings (") for word in result.changed)


@pytest.mark.parametrize("text", [None, "", "{}", "[1]", '{"format": 99}', '{"finalists": []}', "\udcff"])
def test_a_baseline_that_is_none_cannot_be_decided(desk, text):
    desk.baseline.unlink()
    if text is not None:
        desk.baseline.write_bytes(text.encode("utf-8", "surrogateescape"))
    result = desk.check()
    assert (result.outcome, result.trained, result.baseline) == (UNDECIDED, 0, None)
    assert "baseline.json" in result.said
    assert "baseline set" in result.cure
    assert result.nights == ()
    assert nights.read(desk.folder / "mlruns/studies/gated") == []
    assert not (desk.folder / "mlruns/mlflow.db").exists()


def test_a_night_has_its_name_and_its_metric(desk):
    assert [(night.night, night.metric) for night in desk.check().nights] == [("2026-01-01", "accuracy")]
    assert desk.check(night=None).nights[-1].night is None


def test_a_run_id_that_is_missing_is_told(desk):
    assert "mlflow:<run id>, found no run id" in desk.check(baseline="mlflow:", tracking="sqlite:///none.db").said


def test_a_report_of_what_was_only_checked_leads_to_the_history(desk):
    desk.check(storage="fresh")
    with pytest.raises(UsageError, match=r"sweeper history .*study\.yaml"):
        report(desk.file(), desk.folder / "fresh")


def test_a_report_made_again_names_the_command_of_the_run(desk):
    for path in report(desk.file(), desk.folder / "mlruns"):
        assert "sweeper report" not in (path.read_text() if path.name == "report.md" else "")
    noting(StudyFolder(desk.folder / "mlruns", "gated").ledger, "gated", {COMMAND: "sweeper run study.yaml -j 2"})
    (page,) = [path for path in report(desk.file(), desk.folder / "mlruns") if path.name == "report.md"]
    assert "sweeper run study.yaml -j 2" in page.read_text().replace("\\", "")


def test_no_baseline_at_all_is_told(desk):
    assert "expected a baseline, found none" in desk.check(baseline=None).said


def test_the_baseline_of_the_study_file_lies_beside_it(desk, monkeypatch):
    monkeypatch.chdir("/")
    assert desk.check(baseline=None, overrides={"gate__baseline": "baseline.json"}).outcome is PASSED


def test_few_scores_are_no_baseline(desk):
    desk.rebase(scores=read(desk.baseline).scores[:4])
    assert "5 seeds" in desk.check().said


def test_changed_data_are_said_and_compared_all_the_same(desk):
    with environment(DATA=7):
        calm = desk.check(1)
    assert calm.outcome is PASSED
    assert calm.changed == ("data",)
    with environment(DATA=7, DROP=0.3):
        worse = desk.check(2)
    assert (worse.outcome, worse.changed) == (FAILED, ("data",))
    assert worse.nights[-1].changed == ()
    assert desk.check(3).nights[-1].changed == ("data",)


def test_other_test_rows_widen_the_error(desk):
    with environment(DROP=0.06):
        assert desk.check(1).outcome is FAILED
    with environment(DROP=0.06, DATA=7):
        assert desk.check(1).outcome is PASSED


def test_changed_code_and_packages_are_said(desk):
    loop = desk.folder / "gate_loop.py"
    loop.write_text(loop.read_text() + "\n# another line\n")
    desk.rebase(packages={**read(desk.baseline).packages, "numpy": "1.0"})
    words = desk.check().changed
    assert words[0] == "code"
    assert words[1].startswith("numpy 1.0 -> ")
    assert len(words) == 2


def test_a_package_that_changed_over_night_is_said(desk):
    desk.check(1)
    path = desk.folder / "mlruns/studies/gated" / nights.FILE
    entry = json.loads(path.read_text())
    entry["packages"]["numpy"] = "1.0"
    path.write_text(json.dumps(entry) + "\n")
    (change,) = desk.check(2).nights[-1].changed
    assert change.startswith("numpy 1.0 -> ")


def test_one_seed_that_fails_is_borne_and_more_cannot_be_decided(desk):
    with environment(FAILING=1):
        assert desk.check().outcome is PASSED
    with environment(FAILING=2):
        result = desk.check()
    assert result.outcome is UNDECIDED
    assert "no such layer" in result.said
    assert result.nights[-1].reason == "only 1 of 3 trainings came to an end"


def test_a_pick_that_diverges_fails(desk):
    with environment(DIVERGING=1):
        result = desk.check()
    assert result.outcome is FAILED
    assert result.score == pytest.approx(0.5, abs=0.05)


def test_a_study_that_is_being_run_is_not_checked(desk):
    with StudyFolder(desk.folder / "mlruns", "gated").locked(), pytest.raises(StudyBusy):
        desk.check()


def test_a_torn_line_costs_itself_only(desk):
    desk.check(1)
    path = desk.folder / "mlruns/studies/gated" / nights.FILE
    whole = path.read_text()
    path.write_text(whole + whole[: len(whole) // 2])
    result = desk.check(2)
    assert len(result.nights) == 2
    assert len(nights.read(path.parent)) == 2
    assert isinstance(result.nights[0], Night)


@pytest.fixture
def old_python(tmp_path):
    """An interpreter of another environment, in which this sweeper is installed."""
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} DROP=${{OLD_DROP:-0}} exec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path


def test_the_old_side_is_trained_on_the_same_seeds(desk, old_python):
    with environment(DROP=0.02):
        result = desk.check(old=OldSide(old_python, None))
    assert result.outcome is FAILED
    assert result.trained == 4 + 10 + 10
    assert rule(result, "drop").figures["paired"] == 1
    assert result.drop == pytest.approx(0.02, abs=1e-9)  # seed by seed nothing else differs
    assert "the old side" in rule(result, "drop").said


def test_an_old_side_that_is_as_bad_as_the_new_one_fails_nothing(desk, old_python):
    with environment(DROP=0.02, OLD_DROP=0.02):
        result = desk.check(old=OldSide(old_python, None))
    assert result.outcome is PASSED
    assert rule(result, "drop").figures["paired"] == 1


def test_an_old_side_in_another_state_is_not_taken_for_the_baseline(desk, old_python):
    with environment(DROP=0.3, DATA=7):
        result = desk.check(old=OldSide(old_python, None))
    assert result.outcome is FAILED
    assert rule(result, "drop").figures["paired"] == 0
    assert "its data are not the baseline's" in desk.stream.getvalue()


def test_an_old_checkout_brings_its_own_data_and_code(desk, frozen, old_python):
    loop = desk.folder / "gate_loop.py"
    loop.write_text(loop.read_text().replace("0.95 +", "0.93 +"))
    result = desk.check(old=OldSide(old_python, frozen.folder / "study.yaml"))
    assert result.outcome is FAILED
    assert result.changed == ("code",)
    assert rule(result, "drop").figures["paired"] == 1


def test_an_interpreter_that_is_none_leaves_the_stored_scores(desk):
    with environment(DROP=0.02):
        result = desk.check(old=OldSide(Path("/bin/false"), None))
    assert (result.outcome, rule(result, "drop").figures["paired"]) == (FAILED, 0)
    assert "it ended with 1" in desk.stream.getvalue()


CHECK = ["check", "study.yaml", "--no-progress", "--baseline", "baseline.json"]


def command(desk, *words):
    return forks.start("sweeper.cli", words, folder=desk.folder, environ=dict(os.environ))


def test_the_command_line_ends_with_the_outcome(desk):
    with environment(DROP=0.02):
        process = command(desk, *CHECK, "--no-tracking", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    assert json.loads(out)["outcome"] == "FAILED"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's, while it is imported
def test_a_fresh_machine_has_baseline_and_nights_from_the_tracking_server(desk):
    address = f"sqlite:///{desk.folder}/tracked.db"
    shutil.rmtree(desk.folder / "mlruns")
    assert "no finished study" in desk.check(baseline="mlflow:latest", tracking=address, storage="a").said
    process = command(desk, "run", "study.yaml", "-q", "--tracking", address, "--engine", "inline")
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    first = desk.check(1, baseline="mlflow:latest", tracking=address, storage="b")
    assert first.outcome is PASSED
    with environment(DROP=0.02):
        second = desk.check(2, baseline=f"mlflow:{first.baseline.run_id}", tracking=address, storage="c")
    assert second.outcome is FAILED
    assert [night.outcome for night in second.nights] == [PASSED, FAILED]
    ids = [first.tracking["run_id"], second.tracking["run_id"]]
    assert [night.run_id for night in second.nights] == ids
    assert "no finished study with the run id" in desk.check(3, baseline="mlflow:0", tracking=address).said
    from mlflow import MlflowClient

    client = MlflowClient(address)
    written = client.get_run(second.tracking["run_id"])
    assert written.info.status == "FINISHED"
    assert (written.data.tags["sweeper.stage"], written.data.tags["sweeper.outcome"]) == ("gate", "FAILED")
    assert written.data.metrics["drop"] == pytest.approx(second.drop)
    assert [each.path for each in client.list_artifacts(written.info.run_id)] == ["gate.json"]
    children = client.search_runs([written.info.experiment_id], f"tags.`mlflow.parentRunId` = '{written.info.run_id}'")
    assert len(children) == 24


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's, while it is imported
def test_sigterm_closes_the_run_and_leaves_no_night(desk):
    address = f"sqlite:///{desk.folder}/tracked.db"
    loop = desk.folder / "gate_loop.py"
    slow = "    import time; open('begun', 'w'); time.sleep(3)\n    results = []\n"
    loop.write_text(loop.read_text().replace("    results = []\n", slow))
    process = command(desk, *CHECK, "--tracking", address)
    until = time.monotonic() + 60
    while not (desk.folder / "begun").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert nights.read(desk.folder / "mlruns/studies/gated") == []
    from mlflow import MlflowClient

    client = MlflowClient(address)
    (experiment,) = [each for each in client.search_experiments() if each.name == "gated"]
    (run,) = client.search_runs([experiment.experiment_id], "tags.`sweeper.stage` = 'gate'")
    assert run.info.status == "KILLED"


REAL = """\
name: gated
data: {name: "labels:load"}
model: {name: mlp, units: [16]}
training: {epochs: 8}
search: {points: 6}
confirm: {seeds: 10, looks: [10]}
keep: {models: none}
parameters:
  activation: {values: [relu, tanh]}
  optimizer: {value: adam}
"""

LABELS = """
import os
from dataclasses import replace
import numpy as np
from sweeper.testing import small_dataset

def load():
    data = small_dataset(400)
    rows = np.random.default_rng(0).random(400) < float(os.environ.get("WRONG", "0"))
    return replace(data, y=np.where(rows, 1 - data.y, data.y))
"""


@pytest.mark.slow
def test_real_networks_pass_on_their_data_and_fail_on_worsened_ones(tmp_path):
    desk = GateDesk(tmp_path).write(REAL)
    (tmp_path / "labels.py").write_text(LABELS)
    desk.freeze(engine="processes", workers=2)
    calm = desk.check(1, engine="processes", workers=2)
    assert calm.outcome is PASSED
    assert "scores the same again" in rule(calm, "canary").said
    with environment(WRONG=0.4):
        worse = desk.check(2, engine="processes", workers=2)
    assert (worse.outcome, worse.changed) == (FAILED, ("data",))
    assert worse.drop > 0.1
