import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tracked import STUDY, record

from sweeper.errors import TrackingError
from sweeper.trial import Stage, Status, TrialEnded

pytestmark = pytest.mark.slow

PAIR = {"activation": "relu", "optimizer": "adam"}
VERDICT = {
    "outcome": "WINNER",
    "pick": {"combination": PAIR, "params": PAIR},
    "metric": "accuracy",
    "goal": "maximize",
    "regret": 0.001,
    "duration_s": 12.0,
    "finalists": [
        {"combination": PAIR, "score": 0.9, "interval": [0.89, 0.91], "seeds": 40, "in_set": True},
    ],
}


def test_a_study_from_beginning_to_end(store, tmp_path):
    (tmp_path / "figures").mkdir()
    for name, text in (("verdict.json", json.dumps(VERDICT)), ("report.html", "<p>"), ("figures/a.svg", "<svg/>")):
        (tmp_path / name).write_text(text)
    tracker = store.tracker()
    ids = tracker.start(STUDY)
    tracker.trial(record(0))
    artifacts = [str(tmp_path / name) for name in ("verdict.json", "report.html", "figures/a.svg")]
    tracker.finish("FINISHED", artifacts, {"sweeper.verdict": "relu + adam wins."})
    parent = store.client.get_run(ids["run_id"])
    assert (ids["uri"], ids["experiment"]) == (store.uri, "digits")
    assert (parent.info.status, parent.info.run_name) == ("FINISHED", "relu + adam wins")
    assert parent.data.metrics == {"regret": 0.001, "study_duration_s": 12.0, "test_accuracy": 0.9}
    assert parent.data.params["search.points"] == "8"
    assert parent.data.tags["sweeper.verdict"] == "relu + adam wins."
    assert parent.data.tags["mlflow.note.content"].startswith("### relu + adam wins.")
    assert f"/runs/{ids['run_id']}/artifacts/report.html" in parent.data.tags["mlflow.note.content"]
    assert parent.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert parent.inputs.dataset_inputs[0].dataset.digest == "bbbbbbbb"
    listed = {file.path for file in store.client.list_artifacts(ids["run_id"])}
    assert listed == {"study.yaml", "environment.json", "verdict.json", "report.html", "figures"}
    assert Path(parent.info.artifact_uri.removeprefix("file://")).is_relative_to(store.artifacts)


def test_a_trial_becomes_a_child_run(store):
    tracker = store.tracker()
    parent = tracker.start(STUDY)["run_id"]
    trial = record(3, stage=Stage.CONFIRM, repetition=2, momentum=0.9)
    tracker.trial(trial)
    child = store.children()[3]
    assert child.data.tags["mlflow.parentRunId"] == parent
    assert child.info.run_name == "relu + adam · lr 3.1e-3 · seed 2"
    assert child.info.status == "FINISHED"
    assert child.info.end_time == 1_700_000_003_000
    assert child.info.start_time == 1_700_000_001_000
    assert child.data.params == {
        "activation": "relu",
        "optimizer": "adam",
        "learning_rate": "0.0031",
        "learning_rate_log10": "-2.51",
        "momentum": "0.9",
    }
    assert [(step, value) for step, value, _ in store.history(child.info.run_id, "val_accuracy")] == list(
        enumerate(trial.curve["val_accuracy"])
    )
    assert child.data.metrics["best_epoch"] == 2


@pytest.mark.parametrize(
    ("status", "shown"), [(Status.PRUNED, "KILLED"), (Status.FAILED, "FAILED"), (Status.DIVERGED, "FINISHED")]
)
def test_how_a_trial_ended(store, status, shown):
    tracker = store.tracker()
    tracker.start(STUDY)
    tracker.trial(record(0, ended=TrialEnded(0, status, reason="<b>because</b>"), curve={}))
    child = store.children()[0]
    assert child.info.status == shown
    assert child.data.tags["sweeper.reason"] == "<b>because</b>"


def test_a_long_curve_is_complete(store):
    tracker = store.tracker()
    tracker.start(STUDY)
    tracker.trial(record(0, epochs=1200))
    assert len(store.history(store.children()[0].info.run_id, "val_loss")) == 1200


def test_a_resumed_study_goes_on_in_the_same_run_with_nothing_twice(store):
    first = store.tracker()
    begun = first.start(STUDY)
    for number in range(4):
        first.trial(record(number))
    resumed = store.tracker()
    assert resumed.start(STUDY) == begun
    assert store.client.get_run(begun["run_id"]).info.status == "RUNNING"
    for number in range(6):
        resumed.trial(record(number))
        resumed.trial(record(number))
    resumed.finish("FINISHED", [], {})
    children = store.children()
    assert sorted(children) == list(range(6))
    assert len(store.history(children[0].info.run_id, "val_accuracy")) == 3
    assert len(store.runs()) == 7


def test_finishing_twice_leaves_one_value_a_metric(store, tmp_path):
    (tmp_path / "verdict.json").write_text(json.dumps(VERDICT))
    for _ in range(2):
        tracker = store.tracker()
        ids = tracker.start(STUDY)
        tracker.finish("FINISHED", [str(tmp_path / "verdict.json")], {})
    assert len(store.history(ids["run_id"], "regret")) == 1


def test_an_interrupted_study_says_so_until_it_is_resumed(store, tmp_path):
    (tmp_path / "verdict.json").write_text(json.dumps(VERDICT))
    tracker = store.tracker()
    run_id = tracker.start(STUDY)["run_id"]
    tracker.finish("KILLED", [str(tmp_path / "verdict.json")], {})
    info = store.client.get_run(run_id).info
    assert (info.status, info.run_name) == ("KILLED", "digits · unfinished")
    store.tracker().start(STUDY)
    info = store.client.get_run(run_id).info
    assert (info.status, info.run_name) == ("RUNNING", "digits")


def test_what_a_kill_left_half_written_is_completed(store):
    tracker = store.tracker()
    tracker.start(STUDY)
    for number in range(3):
        tracker.trial(record(number))
    children = store.children()
    # killed after everything was sent but the end, and, for trial 2, right after the creation
    store.client.update_run(children[1].info.run_id, status="RUNNING")
    tags = children[2].data.tags
    store.client.delete_run(children[2].info.run_id)
    store.client.create_run(children[2].info.experiment_id, 1_700_000_000_000, tags, children[2].info.run_name)
    resumed = store.tracker()
    resumed.start(STUDY)
    for number in range(3):
        resumed.trial(record(number))
    after = store.children()
    assert {run.info.status for run in after.values()} == {"FINISHED"}
    for run in after.values():
        assert len(store.history(run.info.run_id, "val_accuracy")) == 3
        assert run.data.params == children[0].data.params


@pytest.mark.parametrize("copy_status", ["RUNNING", "FINISHED"])
@pytest.mark.parametrize("status", ["RUNNING", "FINISHED"])
def test_second_copies_from_answers_that_were_lost_are_deleted(store, status, copy_status):
    tracker = store.tracker()
    tracker.start(STUDY)
    tracker.trial(record(0))
    child = store.children()[0]
    store.client.update_run(child.info.run_id, status=status)
    copy = store.client.create_run(child.info.experiment_id, 1, child.data.tags, child.info.run_name)
    store.client.update_run(copy.info.run_id, status=copy_status)
    resumed = store.tracker()
    resumed.start(STUDY)
    resumed.trial(record(0))
    assert store.children()[0].info.status == "FINISHED"


def test_two_studies_of_one_experiment_are_two_runs(store):
    first = store.tracker().start(STUDY)
    second = store.tracker().start({**STUDY, "study_uid": "uid2"})
    assert first["run_id"] != second["run_id"]


def test_a_study_under_another_experiments_name_keeps_its_own(store, tmp_path):
    (tmp_path / "verdict.json").write_text(json.dumps(VERDICT))
    tracker = store.tracker("team board")
    run_id = tracker.start(STUDY)["run_id"]
    tracker.finish("FINISHED", [str(tmp_path / "verdict.json")], {})
    assert store.client.get_run(run_id).info.run_name == "digits · relu + adam wins"


def test_an_extended_study_says_what_changed(store):
    store.tracker().start(STUDY)
    ids = store.tracker().start({**STUDY, "configuration": {"search": {"points": 16}}, "study_text": "new"})
    run = store.client.get_run(ids["run_id"])
    assert run.data.params["search.points"] == "8"
    assert run.data.tags["sweeper.extended"] == "search.points: 8 -> 16"


def test_a_deleted_experiment_is_told_with_its_cure(store):
    store.tracker().start(STUDY)
    number = store.client.get_experiment_by_name("digits").experiment_id
    store.client.delete_experiment(number)
    with pytest.raises(TrackingError, match=f"restore --experiment-id {number}"):
        store.tracker().start(STUDY)


def test_a_parent_deleted_in_the_ui_is_written_anew(store):
    tracker = store.tracker()
    old = tracker.start(STUDY)["run_id"]
    tracker.trial(record(0))
    for run in store.runs():
        store.client.delete_run(run.info.run_id)
    again = store.tracker()
    assert again.start(STUDY)["run_id"] != old
    again.trial(record(0))
    assert sorted(store.children()) == [0]


KILLED = textwrap.dedent(
    """
    import sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from tracked import STUDY, record
    from sweeper.tracking.quiet import open_tracker
    tracker = open_tracker({uri!r}, "digits", artifact_root=Path({artifacts!r}))
    tracker.start(STUDY)
    for number in range(100000):
        tracker.trial(record(number))
        print(number, flush=True)
    """
)


@pytest.mark.parametrize("after", [0, 5, 17])
def test_kill_9_at_any_moment_loses_and_doubles_nothing(store, after):
    code = KILLED.format(tests=str(Path(__file__).parent), uri=store.uri, artifacts=str(store.artifacts))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) == after:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    sent = 3 + max(int(run.data.tags.get("sweeper.trial", after)) for run in store.runs())
    resumed = store.tracker()
    resumed.start(STUDY)
    for number in range(sent):
        resumed.trial(record(number))
    resumed.finish("FINISHED", [], {})
    children = store.children()
    assert sorted(children) == list(range(sent))
    assert {run.info.status for run in children.values()} == {"FINISHED"}
    assert all(len(store.history(run.info.run_id, "val_loss")) == 3 for run in children.values())


def test_nothing_reaches_the_terminal_and_no_framework_is_imported(tmp_path):
    code = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from tracked import STUDY, record
        from sweeper.tracking.quiet import open_tracker
        folder = Path({str(tmp_path)!r})
        tracker = open_tracker(f"sqlite:///{{folder}}/new/mlflow.db", "digits", artifact_root=folder / "artifacts")
        tracker.start(STUDY)
        tracker.trial(record(0))
        tracker.finish("FINISHED", [], {{}})
        assert not {{"tensorflow", "keras", "torch"}} & set(sys.modules)
        """
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_log_messages_go_to_the_file(tmp_path):
    code = textwrap.dedent(
        f"""
        import logging
        from pathlib import Path
        from sweeper.tracking import quiet
        quiet.prepare(Path({str(tmp_path)!r}) / "mlflow.log")
        logging.getLogger("mlflow.store").warning("careful")
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "careful" in (tmp_path / "mlflow.log").read_text()


def test_two_processes_may_create_one_database_at_once(tmp_path):
    code = textwrap.dedent(
        f"""
        from sweeper.tracking.quiet import open_tracker
        study = {STUDY!r}
        import sys
        tracker = open_tracker("sqlite:///{tmp_path}/mlflow.db", sys.argv[1], artifact_root=None)
        tracker.start(dict(study, study_uid=sys.argv[1]))
        """
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, name], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    for process in both:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("children", "before", "after"),
    [("finalists", [3], [3]), ("best-per-combination", [], [2]), ("all", [0, 1, 2, 3], [0, 1, 2, 3])],
)
def test_only_the_wanted_trials_get_runs(store, children, before, after):
    tracker = store.tracker()
    tracker.start({**STUDY, "configuration": {"tracking": {"children": children}}})
    for number in range(3):
        tracker.trial(record(number))
    tracker.trial(record(3, stage=Stage.CONFIRM))
    assert sorted(store.children()) == before
    tracker.finish("FINISHED", [], {})
    assert sorted(store.children()) == after
