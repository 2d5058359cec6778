import pytest
from progress_script import Script

from sweeper.report.rows import CellState
from sweeper.trial import Stage, Status, TrialEnded, TrialRecord
from sweeper.verdict import Objective


def states(row):
    return [cell.state for cell in row.points]


def test_cells_follow_their_trials_from_pending_to_ended():
    script = Script(1)
    first, second, third, fourth = script.plan(4)[0]
    row = script.progress.rows[script.combinations[0]]
    assert states(row) == [CellState.PENDING] * 4

    script.epoch(first, 4)
    assert row.points[0].state is CellState.RUNNING
    assert row.points[0].share == pytest.approx(0.5)

    script.score(first, 0.9)
    script.diverge(second)
    script.prune(third)
    script.fail(fourth)
    assert states(row) == [CellState.SCORED, CellState.DIVERGED, CellState.PRUNED, CellState.FAILED]
    assert row.points[0].score == 0.9
    assert (row.ended, row.diverged, row.explored_to_the_end) == (4, 1, True)


def test_the_best_is_the_highest_for_accuracy_and_the_lowest_for_loss():
    for objective, expected in ((Objective("accuracy", True, 0.003), 0.9), (Objective("loss", False, 0.01), 0.2)):
        script = Script(2, objective=objective)
        specs = script.plan(1)
        script.score(specs[0][0], 0.2)
        script.score(specs[1][0], 0.9)
        assert script.progress.best.score == expected


def test_pruned_diverged_and_failed_trials_and_confirmation_never_are_the_best():
    script = Script(2)
    explored = script.plan(3)
    script.prune(explored[0][0])
    script.diverge(explored[0][1])
    script.fail(explored[0][2])
    script.score(explored[1][0], 0.5)
    confirmed = script.plan(1, stage=Stage.CONFIRM, of=[0])
    script.score(confirmed[0][0], 0.99)
    assert script.progress.best.score == 0.5
    assert script.progress.best.combination == script.combinations[1]


def test_a_score_that_is_not_a_number_is_not_a_score():
    script = Script(1)
    script.score(script.plan(1)[0][0], float("nan"))
    assert script.progress.best is None


def test_trials_are_counted_by_stage_against_what_is_expected():
    script = Script(3, expected={Stage.EXPLORE: (12, 12), Stage.CONFIRM: (20, 80)})
    for spec in script.plan(4)[0]:
        script.score(spec, 0.9)
    assert script.progress.done_in(Stage.EXPLORE) == 4
    assert script.progress.total(Stage.EXPLORE) == (12, 12)
    assert script.progress.total(Stage.CONFIRM) == (20, 80)


def test_a_plan_larger_than_expected_raises_the_total():
    script = Script(1, expected={Stage.EXPLORE: (2, 2)})
    script.plan(5)
    assert script.progress.total(Stage.EXPLORE) == (5, 5)


def test_the_start_up_does_not_slow_the_rate():
    script = Script(2)
    specs = script.plan(4)
    script.wait(60.0)  # frameworks load
    for spec in specs[0] + specs[1]:
        for epoch in range(10):
            script.epoch(spec, epoch)
            script.wait(0.1)
        script.score(spec, 0.9)
    assert script.progress.rate == pytest.approx(1.0, rel=0.05)


def test_a_cohort_that_ends_at_once_does_not_make_the_rate_jump():
    script = Script(1)
    cohort = script.plan(16)[0]
    rates = []
    for epoch in range(10):
        for spec in cohort:
            script.epoch(spec, epoch)
        script.wait(1.0)
        rates.append(script.progress.rate)
    for spec in cohort:
        script.score(spec, 0.9)
    assert rates[3:] == pytest.approx([1.6] * 7, rel=0.15)
    assert script.progress.rate == pytest.approx(1.6, rel=0.15)


def test_the_rate_follows_the_last_minute():
    script = Script(1)
    specs = iter(script.plan(400)[0])
    for _ in range(100):  # one a second
        script.wait(1.0)
        script.score(next(specs), 0.9)
    for _ in range(280):  # four a second
        script.wait(0.25)
        script.score(next(specs), 0.9)
    assert script.progress.rate == pytest.approx(4.0, rel=0.05)


def test_trials_of_minutes_have_a_rate_without_epoch_events():
    script = Script(1)
    for spec in script.plan(4)[0]:
        script.wait(300.0)
        script.to.trial(TrialRecord(spec, TrialEnded.completed(spec, {"val_accuracy": 0.9}, duration_s=300.0)))
    assert script.progress.rate == pytest.approx(1 / 300)


def test_no_rate_and_no_time_left_before_there_is_anything_to_go_by():
    script = Script(1)
    script.plan(4)
    script.wait(30.0)
    assert script.progress.rate is None
    assert script.progress.time_left_s is None


def test_time_left_is_a_range_while_the_number_of_seeds_is_open():
    script = Script(3, expected={Stage.EXPLORE: (12, 12), Stage.CONFIRM: (20, 80)})
    specs = [spec for trials in script.plan(4).values() for spec in trials]
    script.epoch(specs[0], 0)
    for spec in specs[:8]:
        script.wait(1.0)
        script.score(spec, 0.9)
    low, high = script.progress.time_left_s
    assert low == pytest.approx(4 + 20, rel=0.05)
    assert high == pytest.approx(4 + 80, rel=0.05)


def test_stages_that_were_left_are_not_waited_for():
    script = Script(3, expected={Stage.EXPLORE: (12, 12), Stage.CONFIRM: (4, 4)})
    explored = script.plan(4)
    for spec in explored[0]:
        script.wait(1.0)
        script.score(spec, 0.9)
    for spec in script.plan(4, stage=Stage.CONFIRM, of=[0])[0][:3]:
        script.wait(1.0)
        script.score(spec, 0.9)
    assert script.progress.stage is Stage.CONFIRM
    assert script.progress.time_left_s == pytest.approx((1.0, 1.0), rel=0.2)


def test_restored_trials_are_done_but_say_nothing_about_the_rate():
    script = Script(1)
    specs = script.plan(4)[0]
    records = [TrialRecord(spec, TrialEnded.completed(spec, {"val_accuracy": 0.9})) for spec in specs[:2]]
    script.progress.restore(records)
    script.wait(5.0)
    assert (script.progress.restored, script.progress.done_in(Stage.EXPLORE)) == (2, 2)
    assert script.progress.rate is None
    assert script.progress.best.score == 0.9


def test_a_trial_that_is_told_twice_counts_once():
    script = Script(1)
    spec = script.plan(2)[0][0]
    script.score(spec, 0.9)
    script.score(spec, 0.9)
    script.epoch(spec, 0)
    row = script.progress.rows[script.combinations[0]]
    assert (script.progress.done, row.ended) == (1, 1)
    assert row.points[0].state is CellState.SCORED


def test_confirmation_is_told_by_its_validation_mean_only():
    script = Script(2)
    specs = script.plan(3, stage=Stage.CONFIRM, of=[1])[1]
    script.score(specs[0], 0.90, test_accuracy=0.10)
    script.score(specs[1], 0.94, test_accuracy=0.20)
    script.diverge(specs[2])
    (row,) = script.progress.finalists
    assert row.combination == script.combinations[1]
    assert row.seed_mean == pytest.approx(0.92)
    assert (row.seeds_ended, row.seeds_diverged) == (3, 1)


def test_the_training_that_is_kept_is_nobodys_seed():
    script = Script(1)
    script.score(script.plan(1, stage=Stage.CONFIRM)[0][0], 0.9)
    script.score(script.plan(1, stage=Stage.KEEP)[0][0], 0.1)
    (row,) = script.progress.finalists
    assert (row.seed_mean, len(row.seeds)) == (0.9, 1)


def test_failures_are_kept_with_their_reason():
    script = Script(1)
    script.fail(script.plan(2)[0][0], "the worker died", Status.CRASHED)
    assert script.progress.last_failure.ended.reason == "the worker died"
    assert script.progress.statuses[Status.CRASHED] == 1


def test_parameters_that_vary_inside_a_combination_are_known():
    script = Script(2)
    script.plan(4)
    assert script.progress.varying == {"learning_rate"}


def test_what_was_running_when_the_study_stopped_is_pending_again():
    script = Script(1)
    first, second = script.plan(2)[0]
    script.score(first, 0.9)
    script.epoch(second, 4)
    assert script.progress.running == 1
    script.progress.stopped()
    row = script.progress.rows[script.combinations[0]]
    assert states(row) == [CellState.SCORED, CellState.PENDING]
    assert script.progress.running == 0
