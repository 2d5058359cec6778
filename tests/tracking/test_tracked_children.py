import pytest
from tracked import record

from sweeper.tracking.selection import selection
from sweeper.trial import Stage, TrialEnded

OBJECTIVE = {"metric": "accuracy", "goal": "maximize"}


def scored(number, value, stage=Stage.EXPLORE, **params):
    end = TrialEnded(number, record().ended.status, {"val_accuracy": value})
    return record(number, stage, ended=end, **params)


def taken(chosen, records):
    now = [each.spec.number for given in records for each in chosen.take(given)]
    return now, [each.spec.number for each in chosen.rest()]


def test_all_are_written_as_they_end():
    assert taken(selection("all", OBJECTIVE), [scored(0, 0.5), scored(1, 0.6)]) == ([0, 1], [])


def test_finalists_are_what_only_finalists_reach():
    stages = list(Stage)
    records = [scored(number, 0.5, stage) for number, stage in enumerate(stages)]
    now, rest = taken(selection("finalists", OBJECTIVE), records)
    assert [stages[number] for number in now] == [Stage.RACE, Stage.CONFIRM, Stage.KEEP]
    assert rest == []


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_the_best_of_each_combination_is_known_at_the_end(goal):
    sign = 1 if goal == "maximize" else -1
    records = [
        scored(0, sign * 0.5),
        scored(1, sign * 0.9, activation="tanh"),
        scored(2, sign * 0.7),
        scored(3, sign * 0.7),
        scored(4, sign * 0.8, activation="tanh"),
        scored(5, sign * 0.99, Stage.CONFIRM),
        scored(6, sign * 0.95, Stage.KEEP),
    ]
    chosen = {"metric": "accuracy", "goal": goal}
    assert taken(selection("best-per-combination", chosen), records) == ([], [1, 2])
    assert taken(selection("best-per-combination", chosen), records[::-1]) == ([], [1, 2])


def test_a_combination_of_which_nothing_has_a_score_gets_no_run():
    failed = record(0, ended=TrialEnded.diverged(record().spec, epoch=1))
    assert taken(selection("best-per-combination", OBJECTIVE), [failed]) == ([], [])
