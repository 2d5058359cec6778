import pytest

from sweeper import study_file
from sweeper.commands.plan import COORDINATION_S, affordable, plan, told_by, words
from sweeper.trial import Status, TrialEnded


def ends(*durations, epochs):
    return [
        TrialEnded(number, Status.COMPLETED, epochs=count, duration_s=seconds)
        for number, (seconds, count) in enumerate(zip(durations, epochs, strict=True))
    ]


def test_an_epoch_never_costs_nothing_however_noisy_the_short_trials_are():
    probe = told_by(20, [ends(1.0, 0.3, 0.4, 0.2, epochs=(1, 1, 1, 5))])
    assert probe.trial_s == pytest.approx(0.8)
    assert probe.first_s == pytest.approx(0.7)


def test_workers_are_averaged():
    one, other = ends(1, 0.1, 0.1, 1, epochs=(1, 1, 1, 5)), ends(1, 0.1, 0.1, 2, epochs=(1, 1, 1, 5))
    assert told_by(5, [one, other]).trial_s == pytest.approx(1.5)


def test_compiling_is_never_a_gain():
    assert told_by(5, [ends(0.1, 0.3, 0.3, 1, epochs=(1, 1, 1, 5))]).first_s == 0


def test_the_coordinator_takes_its_time_with_each_trial_however_many_workers_there_are():
    probe = told_by(5, [ends(1.0, 0.5, 0.5, 1, epochs=(1, 1, 1, 5))])
    low, high = probe.total_s(100, 9, slots=4)
    assert low == pytest.approx(100 / 4 + 100 * COORDINATION_S + 0.5 * 9 / 4)
    assert high > low


@pytest.mark.parametrize(
    ("epochs", "epoch_s", "trained"), [(3, 0.01, 3), (20, 0.01, 5), (100, 0.01, 25), (100, 1.0, 4), (100, 60.0, 1)]
)
def test_a_probe_is_short(epochs, epoch_s, trained):
    assert affordable(epochs, epoch_s) == trained


def test_a_plan_of_a_study_with_a_loop_of_its_own_has_a_time(desk, monkeypatch):
    monkeypatch.chdir(desk.folder)
    planned = plan(study_file.load("study.yaml"), probe=True, wanted_workers=2)
    low, high = planned.total_s
    least = sum(count for count, _ in planned.trials.values())
    assert high > low >= COORDINATION_S * least
    assert "time      about " in words(planned)
    assert len(desk.trained()) == 8
