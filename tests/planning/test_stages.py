from sweeper.planning.design import BalancedDesign
from sweeper.planning.history import MemoryHistory
from sweeper.planning.stages import Candidate, Confirm, Explore, Refine
from sweeper.resolve import space
from sweeper.study_file import load
from sweeper.trial import Stage, TrialEnded, TrialRecord

SPACE = space(load({"name": "x", "data": {"name": "digits"}}).config)
DESIGN = BalancedDesign(SPACE, 8, seed=0, epochs=2)
FIRST, SECOND = (DESIGN.draft(index) for index in (0, 8))


class Asked:
    """A question to the statistics that keeps what it was told."""

    def __init__(self, answer):
        self.answer = answer
        self.told = []

    def __call__(self, records):
        self.told.append(list(records))
        return self.answer


def train(planned, history):
    """Every trial of a round, completed."""
    specs = [spec for cohort in planned for spec in cohort.trials]
    for spec in specs:
        history.record(TrialRecord(spec, TrialEnded.completed(spec, {"val_accuracy": 0.5})))
    return specs


def stages(history):
    return {record.spec.stage for record in history.records()}


def test_an_exploration_is_over_once_and_begins_again_where_trials_are_forgiven():
    explore, history = Explore(DESIGN, 8), MemoryHistory()
    assert len(train(explore.next_round(history), history)) == 72
    assert explore.next_round(history) == []
    history.forgive([5])
    assert [spec.number for spec in train(explore.next_round(history), history)] == [72]


def test_a_race_asks_again_only_when_the_exploration_has_changed():
    question = Asked([(FIRST.combination, [FIRST.params, SECOND.params])])
    race, history = Refine(Stage.RACE, question, seed=0, epochs=2, cohort_size=8), MemoryHistory()
    train(Explore(DESIGN, 8).next_round(history), history)
    assert len(train(race.next_round(history), history)) == 2
    assert race.next_round(history) == []
    assert len(question.told) == 1
    history.forgive([0])
    assert race.next_round(history) == []
    assert [len(told) for told in question.told] == [72, 71]
    assert stages(history) == {Stage.EXPLORE, Stage.RACE}


def test_finalists_are_chosen_from_what_was_trained_before_confirmation():
    finalists = Asked([Candidate(FIRST.combination, FIRST.params), Candidate(SECOND.combination, SECOND.params)])
    looks = iter([([FIRST.combination, SECOND.combination], 3), ([SECOND.combination], 5), None])
    confirm = Confirm(finalists, lambda _: next(looks), seed=0, epochs=2, cohort_size=8)
    history = MemoryHistory()
    train(Explore(DESIGN, 8).next_round(history), history)
    assert len(train(confirm.next_round(history), history)) == 6
    assert [spec.repetition for spec in train(confirm.next_round(history), history)] == [3, 4]
    assert confirm.next_round(history) == ()
    assert [len(told) for told in finalists.told] == [72]
