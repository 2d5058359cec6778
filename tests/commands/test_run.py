"""The main job through the command line, with a trainer that takes no time: what is promised about every run."""

import contextlib
import json
import signal
import sqlite3
import time

import pytest
from scripted_desk import HELD, LOOP, STUDY, without_clock


def wait_for(condition, process, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.02)


def test_a_study_ends_in_a_verdict_and_its_files(undisturbed):
    desk = undisturbed.desk
    folder = desk.folder / "mlruns" / "studies" / "scripted"
    for name in ("report.html", "report.md", "verdict.json", "trials.csv", "study.db"):
        assert (folder / name).stat().st_size > 0
    verdict = desk.verdict()
    assert verdict["pick"]["combination"]["activation"] == "relu"
    assert verdict["trials"]["explore"] == {"COMPLETED": 72}
    assert len(desk.trained()) == sum(sum(counts.values()) for counts in verdict["trials"].values())


def test_json_is_all_there_is_on_stdout(desk):
    desk.write(STUDY.replace("loop:train", "loop:noisy"))
    done = desk.run("--json")
    assert without_clock(json.loads(done.out)) == desk.verdict()


def test_a_finished_study_is_recalled_and_not_trained_again(undisturbed):
    desk = undisturbed.desk
    trained = desk.trained()
    again = desk.run()
    assert again.code == 0
    assert again.out == undisturbed.done.out
    assert desk.trained() == trained


@pytest.mark.parametrize("words", [["-j", "1"], ["-j", "3"], ["--engine", "inline"]])
def test_workers_and_engine_change_no_number(desk, undisturbed, words):
    assert desk.run(*words).code == 0
    assert desk.verdict() == undisturbed.desk.verdict()


@pytest.mark.parametrize("after", [10, 40, 80])
def test_a_kill_at_any_moment_changes_no_number_and_repeats_no_trial(desk, undisturbed, after):
    process = desk.start("run", "study.yaml", "--no-tracking", "-j", "2", TRIAL_S="0.02")
    wait_for(lambda: len(desk.trained()) >= after, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    stored = states(desk)
    before = len(desk.trained())
    done = desk.run("-j", "2")
    assert done.code == 0, done.err
    assert desk.verdict() == undisturbed.desk.verdict()
    finished = {number for number, state in stored.items() if state == "COMPLETE"}
    trained_again = {int(line.split()[1]) for line in desk.trained()[before:]}
    assert finished
    assert not finished & trained_again
    assert finished | trained_again == set(states(desk))
    assert set(states(desk).values()) == {"COMPLETE"}
    assert len(states(desk)) == sum(sum(counts.values()) for counts in undisturbed.desk.verdict()["trials"].values())


def states(desk):
    """Trial number -> state, as the ledger has them."""
    with contextlib.closing(sqlite3.connect(desk.folder / "mlruns/studies/scripted/study.db")) as ledger:
        return dict(ledger.execute("select number, state from trials"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_study_says_so_and_continues(desk, number, code):
    process = desk.start("run", "study.yaml", "--no-tracking", "--no-progress", TRIAL_S="0.05")
    wait_for(lambda: len(desk.trained()) >= 10, process)
    wait_for(lambda: list(states(desk).values()).count("COMPLETE") >= 8, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "goes on where it stopped" in err
    assert "No verdict" in out
    verdict = desk.verdict()
    assert verdict["complete"] is False
    stored = verdict["trials"]["explore"]["COMPLETED"]
    assert stored >= 8
    before = len(desk.trained())
    assert desk.run().code == 0
    assert desk.verdict()["complete"] is True
    total = sum(sum(counts.values()) for counts in desk.verdict()["trials"].values())
    assert len(desk.trained()) - before == total - stored


def test_a_second_run_of_the_same_study_is_refused(desk):
    (desk.folder / "loop.py").write_text(LOOP + HELD)
    desk.write(STUDY.replace("loop:train", "loop:held"))
    process = desk.start("run", "study.yaml", "--no-tracking", "-q")
    wait_for(lambda: len(desk.trained()) >= 1, process)
    second = desk.run()
    assert second.code == 2
    assert f"process {process.pid}" in second.err
    status = json.loads(desk.sweeper("status", "study.yaml", "--json").out)
    assert status["state"] == "running"
    (desk.folder / "released").touch()
    process.communicate(timeout=120)
    assert process.returncode == 0


def test_a_changed_study_stops_with_what_changed(finished):
    changed = finished.run("-S", "training.epochs=3")
    assert changed.code == 2
    assert "training.epochs: 2 -> 3" in changed.err
    assert "--fresh" in changed.err
    assert "--extend" not in changed.err


def test_changed_code_of_the_trainer_stops_too(finished):
    path = finished.folder / "loop.py"
    path.write_text(path.read_text() + "\n# another line\n")
    assert "code.loop" in finished.run().err


def test_what_changes_no_number_may_change(finished):
    assert finished.run("-S", "budget.time=3h", "-S", "description=other").code == 0


def test_fresh_begins_anew_and_keeps_the_old_folder(finished):
    assert finished.run("--fresh", "-S", "training.epochs=3").code == 0
    assert (finished.folder / "mlruns/studies/scripted.1/verdict.json").exists()


def test_extend_trains_what_is_missing_on_top(desk):
    desk.run("-S", "confirm.seeds=2", "-S", "confirm.looks=[2]")
    before = desk.trained()
    refused = desk.run("-S", "search.points=16", "-S", "confirm.seeds=2", "-S", "confirm.looks=[2]")
    assert refused.code == 2
    assert "--extend" in refused.err
    done = desk.run("--extend", "-S", "search.points=16", "-S", "confirm.seeds=2", "-S", "confirm.looks=[2]")
    assert done.code == 0, done.err
    assert desk.verdict()["trials"]["explore"] == {"COMPLETED": 144}
    added = desk.trained()[len(before) :]
    assert sum(line.startswith("explore") for line in added) == 72


def test_every_trial_diverging_is_no_verdict(desk):
    desk.write(STUDY.replace("loop:train", "loop:diverge"))
    done = desk.run()
    assert done.code == 4
    assert desk.verdict()["outcome"] == "NO_VERDICT"


def test_a_faulty_trainer_ends_the_study_and_can_be_retried(desk):
    desk.write(STUDY.replace("loop:train", "loop:fail"))
    done = desk.run()
    assert done.code == 5
    assert "ValueError: no such layer" in done.err
    assert "loop.py" in done.err
    (desk.folder / "mended").touch()
    again = desk.run("--retry-failed")
    assert again.code == 0, again.err
    assert desk.verdict()["trials"]["explore"] == {"COMPLETED": 72}


def test_a_study_in_which_nothing_trained_may_change(desk):
    desk.write(STUDY.replace("loop:train", "loop:fail"))
    assert desk.run().code == 5
    desk.write(STUDY)
    done = desk.run()
    assert done.code == 0, done.err
    assert desk.verdict()["trials"]["explore"] == {"COMPLETED": 72}


def test_a_time_limit_ends_the_study_and_the_next_run_continues(desk):
    done = desk.run("--time", "1s", TRIAL_S="0.1")
    assert done.code == 5
    assert "budget.time" in done.err
    assert desk.run().code == 0
    assert desk.verdict()["complete"] is True


def test_a_silent_tracking_server_costs_no_training_and_is_told_first_and_last(desk):
    done = desk.sweeper("run", "study.yaml", "--no-progress", "--tracking", "http://127.0.0.1:9")
    assert done.code == 5
    assert "127.0.0.1:9" in "".join(done.err.splitlines()[:2])
    assert "sweeper sync study.yaml --tracking http://127.0.0.1:9" in done.out + done.err
    assert desk.verdict()["outcome"]


def test_a_place_that_cannot_be_written_is_told(desk):
    (desk.folder / "taken").write_text("a file")
    done = desk.run("--storage", "taken/inside")
    assert done.code == 2
    assert "--storage" in done.err
    assert desk.trained() == []


def test_a_damaged_ledger_is_told_and_fresh_helps(finished):
    ledger = finished.folder / "mlruns/studies/scripted/study.db"
    ledger.write_bytes(b"SQLite format 3\0" + b"?" * 4096)
    damaged = finished.run("-S", "description=x")
    assert damaged.code == 5
    assert "--fresh" in damaged.err
    assert finished.run("--fresh").code == 0


@pytest.mark.parametrize("strategy", ["tpe", "qmc", "cmaes", "grid"])
def test_optunas_samplers_resume_to_the_same_trials(desk, strategy):
    size = "search.points=3" if strategy == "grid" else "search.trials=24"
    words = ["-S", f"search.strategy={strategy}", "-S", size]
    assert desk.run(*words, "-j", "2").code == 0
    whole = desk.verdict()
    (desk.folder / "trained.txt").unlink()
    process = desk.start("run", "study.yaml", "--no-tracking", "--fresh", "-j", "2", *words, TRIAL_S="0.05")
    wait_for(lambda: len(desk.trained()) >= 10, process)
    process.kill()
    process.communicate()
    assert desk.run(*words, "-j", "2").code == 0
    assert desk.verdict() == whole


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_pruned_trials_are_counted_as_such(desk, pruner):
    done = desk.run(
        "-S",
        "search.strategy=random",
        "-S",
        "search.trials=40",
        "-S",
        f"search.pruner={pruner}",
        "-S",
        "training.epochs=9",
    )
    assert done.code == 0, done.err
    assert desk.verdict()["trials"]["search"].get("PRUNED", 0) > 0
