import math

import pytest
from tracked import record

from sweeper.tracking.projection import Projection, flat, key, run_name
from sweeper.trial import Combination, Seeds, Stage, Status, TrialEnded, TrialRecord, TrialSpec

ACCURACY = Projection("accuracy", maximize=True, tags={"sweeper.study_hash": "abc"})


def latest(child):
    """Metric -> value, as MLflow shows it: of the highest step, then the latest time."""
    shown = {}
    for point in sorted(child.metrics, key=lambda point: (point.step, point.timestamp_ms)):
        shown[point.key] = point.value
    return shown


def steps(child, name):
    return [(point.step, point.value) for point in child.metrics if point.key == name]


def test_a_curve_has_one_point_an_epoch_spread_over_the_training():
    child = ACCURACY.child(record(number=0))
    points = [point for point in child.metrics if point.key == "val_accuracy"]
    assert [(point.step, round(point.value, 3)) for point in points] == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert child.end_ms - child.start_ms == 2000
    assert [point.timestamp_ms - child.start_ms for point in points] == [667, 1333, 2000]


def test_the_same_record_gives_the_same_run_to_the_millisecond():
    assert ACCURACY.child(record(number=4)) == ACCURACY.child(record(number=4))


def test_summary_metrics():
    curve = {"val_accuracy": (0.6, 0.9, 0.8), "val_loss": (3.0, 2.0, 1.0)}
    shown = latest(ACCURACY.child(record(curve=curve)))
    assert shown["best_val_accuracy"] == 0.9
    assert shown["best_epoch"] == 1
    assert shown["objective"] == shown["val_accuracy"] == 0.8
    assert shown["duration_s"] == 2.0


def test_the_best_of_a_loss_is_the_lowest():
    curve = {"val_loss": (3.0, math.nan, 1.0, 2.0)}
    shown = latest(Projection("loss", maximize=False).child(record(curve=curve)))
    assert (shown["best_val_loss"], shown["best_epoch"]) == (1.0, 2)


def test_a_final_value_that_ends_its_curve_is_not_repeated():
    assert len(steps(ACCURACY.child(record()), "val_accuracy")) == 3


def test_a_final_value_other_than_the_last_epochs_is_what_is_shown():
    spec = record().spec
    ended = TrialEnded.completed(spec, {"val_accuracy": 0.99})
    assert latest(ACCURACY.child(record(ended=ended)))["val_accuracy"] == 0.99


def test_a_trainer_that_reports_no_epochs_still_has_its_final_values():
    ended = TrialEnded.completed(record().spec, {"val_accuracy": 0.9, "test_accuracy": 0.8})
    shown = latest(ACCURACY.child(record(ended=ended, curve={})))
    assert shown == {"val_accuracy": 0.9, "test_accuracy": 0.8, "objective": 0.9, "duration_s": 0.0}


def test_nothing_infinite_reaches_a_chart():
    curve = {"val_accuracy": (0.5, math.nan), "loss": (1.0, math.inf)}
    ended = TrialEnded.diverged(record().spec, 1)
    child = ACCURACY.child(record(curve=curve, ended=ended))
    assert all(math.isfinite(point.value) for point in child.metrics)
    assert steps(child, "loss") == [(0, 1.0)]


def test_a_curve_of_nothing_but_nan_has_no_best():
    child = ACCURACY.child(record(curve={"val_accuracy": (math.nan,)}, ended=TrialEnded.diverged(record().spec, 0)))
    assert latest(child) == {"duration_s": 0.0}


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (Status.COMPLETED, "FINISHED"),
        (Status.DIVERGED, "FINISHED"),
        (Status.PRUNED, "KILLED"),
        (Status.FAILED, "FAILED"),
        (Status.CRASHED, "FAILED"),
        (Status.TIMED_OUT, "FAILED"),
    ],
)
def test_every_status_has_a_run_status(status, shown):
    child = ACCURACY.child(record(ended=TrialEnded(0, status, reason="because")))
    assert child.status == shown
    assert child.tags["sweeper.status"] == str(status)
    assert child.tags["sweeper.reason"] == "because"


def test_tags_find_a_trial_again():
    tags = ACCURACY.child(record(number=7, stage=Stage.CONFIRM, repetition=4)).tags
    assert tags == {
        "sweeper.study_hash": "abc",
        "sweeper.trial": "7",
        "sweeper.stage": "confirm",
        "sweeper.combination": "relu + adam",
        "sweeper.seed": "4",
        "sweeper.status": "COMPLETED",
    }


@pytest.mark.parametrize(
    ("trial", "name"),
    [
        (record(learning_rate=0.00314), "relu + adam · lr 3.1e-3"),
        (record(learning_rate=10), "relu + adam · lr 10"),
        (record(learning_rate=0.25), "relu + adam · lr 0.25"),
        (record(stage=Stage.CONFIRM, repetition=4), "relu + adam · lr 3.1e-3 · seed 4"),
        (record(stage=Stage.RACE, repetition=4), "relu + adam · lr 3.1e-3 · race 4"),
        (record(stage=Stage.KEEP), "relu + adam · lr 3.1e-3 · kept"),
    ],
)
def test_names_tell_runs_apart(trial, name):
    assert run_name(trial.spec) == name


def test_a_rate_that_is_compared_or_absent_is_not_named_again():
    compared = TrialSpec(
        3, Stage.SEARCH, Combination({"learning_rate": 0.1}), {"learning_rate": 0.1}, Seeds(1, 2, 3), 1
    )
    nothing = TrialSpec(3, Stage.SEARCH, Combination({}), {"units": 8}, Seeds(1, 2, 3), 1)
    assert run_name(compared) == "0.1"
    assert run_name(nothing) == "trial 3"


def test_params_are_flat_text():
    params = {"units": [64, 32], "nesterov": True, "momentum": None, "head": {"l2": 1e-4}, "learning_rate": 0.1 + 0.2}
    assert flat(params) == {
        "units": "[64, 32]",
        "nesterov": "True",
        "momentum": "None",
        "head.l2": "0.0001",
        "learning_rate": "0.30000000000000004",
    }
    assert len(flat({"text": "x" * 9000})["text"]) == 6000


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("val_accuracy", "val_accuracy"),
        ("top 5", "top 5"),
        ("a/b:c<d>", "a_b_c_d_"),
        ("../x", "_x"),
        ("é", "é"),
        ("", "_"),
    ],
)
def test_names_that_every_store_takes(name, stored):
    assert key(name) == stored


def test_a_clock_near_zero_gives_no_negative_time():
    assert ACCURACY.child(TrialRecord(record().spec, TrialEnded(0, Status.FAILED, duration_s=5.0))).start_ms == 0
