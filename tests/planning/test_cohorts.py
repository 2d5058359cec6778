from dataclasses import replace

import pytest

from sweeper.planning.cohorts import numbered, planned
from sweeper.planning.design import BalancedDesign
from sweeper.planning.history import MemoryHistory
from sweeper.planning.stages import Explore
from sweeper.resolve import space
from sweeper.study_file import load
from sweeper.trial import Stage, TrialEnded, TrialRecord

SPACE = space(load({"name": "x", "data": {"name": "digits"}}).config)
DESIGN = BalancedDesign(SPACE, 8, seed=0, epochs=2)


def record(spec):
    return TrialRecord(spec, TrialEnded.completed(spec, {"val_accuracy": 0.5}))


def drafts(design=DESIGN):
    return [design.draft(index) for index in range(len(design))]


@pytest.mark.parametrize("done", [[], [0, 1, 2], [8, 9, 30, 71], list(range(72))])
def test_a_round_cut_short_gets_the_same_numbers_again(done):
    complete = numbered(drafts(), MemoryHistory())
    history = MemoryHistory(record(complete[index]) for index in done)
    assert numbered(drafts(), history) == [spec for spec in complete if spec.number not in done]


def test_an_extended_design_keeps_what_is_done_and_numbers_the_rest_after_it():
    history = MemoryHistory(record(spec) for spec in numbered(drafts(), MemoryHistory()))
    wider = BalancedDesign(SPACE, 16, seed=0, epochs=2)
    more = numbered(drafts(wider), history)
    assert [spec.number for spec in more] == list(range(72, 144))
    assert {spec.repetition for spec in more} == set(range(8, 16))


def test_forgiven_trials_are_planned_again_under_new_numbers():
    complete = numbered(drafts(), MemoryHistory())
    history = MemoryHistory(record(spec) for spec in complete)
    history.forgive([3])
    (again,) = numbered(drafts(), history)
    assert again == replace(complete[3], number=72)


def test_cohorts_share_everything_but_rate_and_seeds():
    planned = Explore(DESIGN, cohort_size=8).next_round(MemoryHistory())
    assert len(planned) == 9
    assert all(len(cohort.trials) == 8 for cohort in planned)
    assert all(len({spec.combination for spec in cohort.trials}) == 1 for cohort in planned)


def test_cohorts_divide_where_a_static_parameter_changes():
    chosen = [
        replace(draft, params={**draft.params, "batch_size": size})
        for draft, size in zip(drafts()[:4], (16, 16, 32, 32), strict=True)
    ]
    assert [len(cohort.trials) for cohort in planned(chosen, MemoryHistory(), 8)] == [2, 2]


@pytest.mark.parametrize("done", [[], [0, 1, 2], [8, 9, 30, 71], list(range(72))])
def test_a_cohort_cut_short_knows_its_company(done):
    whole = planned(drafts(), MemoryHistory(), 8)
    history = MemoryHistory(record(spec) for cohort in whole for spec in cohort.trials if spec.number in done)
    for cohort in planned(drafts(), history, 8):
        (before,) = (each for each in whole if cohort.trials[0] in each.trials)
        assert cohort.trials == tuple(spec for spec in before.trials if spec.number not in done)
        assert (cohort.company or cohort.trials) == before.trials


def test_a_trial_that_failed_keeps_nobody_company():
    whole = planned(drafts(), MemoryHistory(), 8)
    bad, good, *_ = whole[0].trials
    history = MemoryHistory([TrialRecord(bad, TrialEnded.failed(bad, "a fault")), record(good)])
    first = planned(drafts(), history, 8)[0]
    assert first.company == whole[0].trials[1:]


def test_later_looks_go_on_where_the_last_block_ended():
    reps = [replace(drafts()[0], stage=Stage.CONFIRM, repetition=n, number=-1) for n in range(10)]
    first = planned(reps[:6], MemoryHistory(), 5)
    assert [[spec.repetition for spec in cohort.trials] for cohort in first] == [[0, 1, 2, 3, 4], [5]]
    history = MemoryHistory(record(spec) for cohort in first for spec in cohort.trials)
    (second,) = planned(reps, history, 5)
    assert [spec.repetition for spec in second.trials] == [6, 7, 8, 9]
    assert [spec.repetition for spec in second.company] == [5, 6, 7, 8, 9]
