import math
from dataclasses import replace

from stat_records import ACCURACY, LOSS, combination, record

from sweeper.stats.speed import speed
from sweeper.trial import Stage, Status
from sweeper.verdict import Finalist, Interval


def run(optimizer, course, repetition, *, metric="accuracy", status=Status.COMPLETED, rate=0.01, duration_s=10.0):
    metrics = {f"val_{metric}": course[-1]} if status is Status.COMPLETED else {}
    made = record(
        Stage.CONFIRM, optimizer, metrics, repetition=repetition, status=status, rate=rate, duration_s=duration_s
    )
    return replace(made, curve={f"val_{metric}": tuple(course)})


def finalist(optimizer):
    params = {"optimizer": optimizer, "learning_rate": 0.01}
    return Finalist(combination(optimizer), params, 0.9, Interval(0.8, 1.0), (0.9,), 0.0, True)


BOTH = [finalist("fast"), finalist("slow")]


def test_target_is_the_median_of_the_last_and_a_miss_is_infinite():
    fast = [run("fast", (0.6, 0.9, 0.95), i) for i in range(3)]
    slow = [run("slow", (0.5, 0.7, final), i) for i, final in enumerate((0.85, 0.8, 0.75))]
    found = speed([*fast, *slow], BOTH, ACCURACY)
    assert found.target == 0.8
    assert [pace.combination["optimizer"] for pace in found.paces] == ["fast", "slow"]
    assert found.paces[0].epochs == (2.0, 2.0, 2.0)
    assert found.paces[0].seconds == (2.0, 2.0, 2.0)  # 10 seconds for 10 epochs
    assert found.paces[1].epochs == (3.0, 3.0, math.inf)
    assert found.paces[1].reached == 2


def test_lower_is_better_for_losses():
    runs = [run("fast", (3.0, 1.0), 0, metric="loss"), run("slow", (3.0, 2.0), 0, metric="loss")]
    found = speed(runs, BOTH, LOSS)
    assert found.target == 2.0
    assert [pace.epochs for pace in found.paces] == [(2.0,), (2.0,)]


def test_diverged_run_misses():
    runs = [
        *(run("fast", (0.9, 0.9), i) for i in range(2)),
        run("fast", (0.1, math.nan), 2, status=Status.DIVERGED),
        run("slow", (0.2, 0.8), 0),
    ]
    assert speed(runs, BOTH, ACCURACY).paces[0].epochs == (1.0, 1.0, math.inf)


def test_runs_at_another_rate_do_not_count():
    runs = [run("fast", (0.9,), 0), run("fast", (0.1,), 1, rate=0.5), run("slow", (0.8,), 0)]
    assert speed(runs, BOTH, ACCURACY).paces[0].epochs == (1.0,)


def test_no_seconds_where_none_were_measured():
    runs = [run("fast", (0.9,), 0, duration_s=0.0), run("slow", (0.8,), 0, duration_s=0.0)]
    assert all(pace.seconds == () for pace in speed(runs, BOTH, ACCURACY).paces)


def test_nothing_without_a_confirmation_or_curves():
    bare = replace(run("fast", (0.9,), 0), curve={})
    assert speed([], BOTH, ACCURACY) is None
    assert speed([], [], ACCURACY) is None
    assert speed([bare], BOTH[:1], ACCURACY) is None
