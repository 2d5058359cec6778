"""A study played by hand: combinations, specs, endings and a clock that only the test moves."""

from sweeper.report.progress import Progress
from sweeper.trial import Cohort, Combination, EpochEnded, Seeds, Stage, Status, TrialEnded, TrialRecord, TrialSpec
from sweeper.verdict import Objective

ACCURACY = Objective("accuracy", maximize=True, epsilon=0.003)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def combinations(n=3):
    names = [(a, o) for a in ("relu", "tanh", "sigmoid", "gelu", "elu", "selu") for o in ("sgd", "adam", "rmsprop")]
    names += [(f"activation_{i}", "schedulefreeadamw") for i in range(n - len(names))]
    return [Combination({"activation": a, "optimizer": o}) for a, o in names[:n]]


class Script:
    """Feeds an observer (or a `Progress`) with a study."""

    def __init__(self, n=3, *, objective=ACCURACY, expected=None, epochs=10):
        self.clock = Clock()
        self.combinations = combinations(n)
        self.objective = objective
        self.epochs = epochs
        planned = {Stage.EXPLORE: (n * 4, n * 4), Stage.CONFIRM: (20, 80)} if expected is None else expected
        self.progress = Progress(self.combinations, objective, expected=planned, clock=self.clock)
        self.to = self.progress
        self.numbers = 0

    def spec(self, index=0, stage=Stage.EXPLORE, repetition=0, rate=0.01, **params):
        combination = self.combinations[index]
        values = {**combination, "learning_rate": rate, "dropout": 0.2, **params}
        spec = TrialSpec(self.numbers, stage, combination, values, Seeds(0, 1, 2), self.epochs, repetition)
        self.numbers += 1
        return spec

    def plan(self, per_combination=4, *, stage=Stage.EXPLORE, of=None, rates=None, first=0):
        """Plan a round of so many trials of each combination; returns the specs by combination index."""
        indices = range(len(self.combinations)) if of is None else of
        rates = rates or [10.0 ** -(i + 1) for i in range(per_combination)]
        specs = {
            index: [self.spec(index, stage, first + i, rates[i % len(rates)]) for i in range(per_combination)]
            for index in indices
        }
        self.to.round_planned([Cohort(tuple(trials)) for trials in specs.values()])
        return specs

    def epoch(self, spec, epoch):
        self.to.epoch(spec, EpochEnded(spec.number, epoch, {"val_accuracy": 0.5}))

    def score(self, spec, value, **metrics):
        ended = TrialEnded.completed(spec, {self.objective.validation: value, **metrics}, duration_s=1.0)
        self.to.trial(TrialRecord(spec, ended))

    def diverge(self, spec):
        self.to.trial(TrialRecord(spec, TrialEnded.diverged(spec, 3, duration_s=1.0)))

    def prune(self, spec):
        self.to.trial(TrialRecord(spec, TrialEnded.pruned(spec, {self.objective.validation: 0.9}, epochs=3)))

    def fail(self, spec, reason="ValueError: no", status=Status.FAILED):
        self.to.trial(TrialRecord(spec, TrialEnded.failed(spec, reason, status=status)))

    def wait(self, seconds):
        self.clock.now += seconds
