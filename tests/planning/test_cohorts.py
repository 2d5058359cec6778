from dataclasses import replace

import pytest

from sweeper.planning.cohorts import cohorts, numbered
from sweeper.planning.design import BalancedDesign
from sweeper.planning.history import MemoryHistory
from sweeper.planning.stages import Explore
from sweeper.resolve import space
from sweeper.study_file import load
from sweeper.trial import TrialEnded, TrialRecord

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
    specs = numbered(drafts(), MemoryHistory())[:4]
    specs = [
        replace(spec, params={**spec.params, "batch_size": size})
        for spec, size in zip(specs, (16, 16, 32, 32), strict=True)
    ]
    assert [len(cohort.trials) for cohort in cohorts(specs, 8)] == [2, 2]
