"""Trial records made by hand."""

from __future__ import annotations

from dataclasses import replace
from math import log10

from sweeper.space import Branch, Choice, Fixed, Parameter, Range, Space
from sweeper.trial import Combination, Seeds, Stage, Status, TrialEnded, TrialRecord, TrialSpec
from sweeper.verdict import Objective

ACCURACY = Objective("accuracy", True, 0.003, tie_break="loss")
LOSS = Objective("loss", False, 0.01, relative=True)
RATES = Range(1e-4, 1.0, log=True)


def parameter(name, domain, **when):
    return Parameter(name, (Branch(domain, {key: (value,) for key, value in when.items()}),))


def space(*optimizers, tuned=True):
    """Optimizers are compared, the learning rate is tuned (or fixed)."""
    rate = RATES if tuned else Fixed(0.01)
    return Space((parameter("optimizer", Choice(optimizers)), parameter("learning_rate", rate)), ("optimizer",))


def combination(optimizer):
    return Combination({"optimizer": optimizer})


def record(stage, optimizer, metrics, *, rate=0.01, repetition=0, status=Status.COMPLETED, duration_s=1.0, **params):
    every = {"optimizer": optimizer, "learning_rate": rate, **params}
    spec = TrialSpec(0, stage, combination(optimizer), every, Seeds(0, 0, 0), 10, repetition)
    reason = None if status is Status.COMPLETED else "made by hand"
    return TrialRecord(spec, TrialEnded(0, status, metrics, 10, reason, duration_s))


def explored(optimizer, scores, *, metric="accuracy", diverged=(), stage=Stage.EXPLORE):
    """One trial for each learning rate -> score, and a diverged one for each rate in `diverged`."""
    done = [record(stage, optimizer, {f"val_{metric}": score}, rate=rate) for rate, score in scores.items()]
    return done + [record(stage, optimizer, {}, rate=rate, status=Status.DIVERGED) for rate in diverged]


def peaked(optimizer, top, *, at=0.01, metric="accuracy"):
    """Eight points of a curve that loses 0.02 a squared decade."""
    rates = [RATES.at((i + 0.5) / 8) for i in range(8)]
    return explored(optimizer, {rate: top - 0.02 * log10(rate / at) ** 2 for rate in rates}, metric=metric)


def confirmed(optimizer, scores, *, metric="accuracy", diverged=(), failed=(), rate=0.01, **more):
    """One confirmation run for each score, in order of repetition; `diverged` and `failed` name repetitions."""
    runs = []
    for repetition, score in enumerate(scores):
        status = Status.COMPLETED
        status = Status.DIVERGED if repetition in diverged else Status.FAILED if repetition in failed else status
        metrics = {f"test_{metric}": float(score)} if status is Status.COMPLETED else {}
        metrics |= {f"test_{name}": float(values[repetition]) for name, values in more.items()}
        runs.append(record(Stage.CONFIRM, optimizer, metrics, rate=rate, repetition=repetition, status=status))
    return runs


def as_planned(records, chosen):
    """The records with the runs of the confirm stage at the parameters that their finalists are confirmed with."""
    planned = {each.combination: each.params for each in chosen}

    def moved(each):
        params = planned.get(each.spec.combination)
        if each.spec.stage is not Stage.CONFIRM or params is None:
            return each
        return replace(each, spec=replace(each.spec, params=params))

    return [moved(each) for each in records]
