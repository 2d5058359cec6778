"""From the words of a study to what they mean: the space that is searched and the objective."""

from __future__ import annotations

import math
from typing import Any

from sweeper.config import DEFAULT_ACTIVATIONS, DEFAULT_OPTIMIZERS, ParameterSpec, StudyConfig
from sweeper.data import Task
from sweeper.space import Branch, Choice, Domain, Fixed, Parameter, Range, Space
from sweeper.trial import Scalar
from sweeper.verdict import Objective
from sweeper.vocabulary import METRICS, OPTIMIZERS, SGD_WITH_MOMENTUM

REAL_VALUED = "learning_rate dropout momentum rho weight_decay epsilon l2 recurrent_dropout".split()
"""Real-valued by nature: `min: 0, max: 1` does not make them integers, as it does for other parameters."""

DEFAULT_TRIALS = 100
"""Of a strategy of Optuna that is not told when to end."""

DEFAULT_POINTS = {0: 1, 1: 8, 2: 16}
"""Settings a combination by the number of tuned parameters; 32 from three on (docs/statistics.md)."""


def specs(config: StudyConfig, name: str) -> list[ParameterSpec]:
    """The specs of a parameter as a list."""
    found = config.parameters.get(name, [])
    return [found] if isinstance(found, ParameterSpec) else list(found)


def optimizers(config: StudyConfig) -> tuple[str, ...]:
    """Every optimizer that the study names."""
    return tuple(_spelled("optimizer", value) for value in listed(config, "optimizer"))


def listed(config: StudyConfig, name: str) -> tuple[Any, ...]:
    """All values of a parameter that lists them; the defaults for activation and optimizer."""
    defaults = {"activation": DEFAULT_ACTIVATIONS, "optimizer": DEFAULT_OPTIMIZERS}
    if name in defaults and name not in config.parameters:
        return defaults[name]
    values: list[Any] = []
    for spec in specs(config, name):
        values += [spec.value] if spec.values is None and spec.min is None else list(spec.values or [])
    return tuple(values)


def space(config: StudyConfig) -> Space:
    """The space of a study that passed its checks."""
    compared = [Parameter(name, (Branch(_choice(config, name), {}),)) for name in config.compare]
    others = [name for name in ("activation", "optimizer", *config.parameters) if name not in config.compare]
    parameters = [
        Parameter(
            name, tuple(_branch(name, spec) for spec in specs(config, name)) or (Branch(_choice(config, name), {}),)
        )
        for name in dict.fromkeys(others)
        if name != "learning_rate"
    ]
    rates = () if "learning_rate" in config.compare else (_learning_rate(config),)
    return Space((*compared, *parameters, *rates), tuple(config.compare))


def points(config: StudyConfig, searched: Space) -> int:
    """Settings that each combination is explored with."""
    return config.search.points or DEFAULT_POINTS.get(len(searched.tuned_names()), 32)


def search_trials(config: StudyConfig, searched: Space) -> int:
    """How many trials a strategy of Optuna draws; a grid ends with its last point."""
    search = config.search
    if search.strategy != "grid":
        return search.trials or DEFAULT_TRIALS
    each = points(config, searched)
    cells = [
        math.prod(len(d.values) if isinstance(d, Choice) else each for d in searched.tuned(c).values())
        for c in searched.combinations()
    ]
    return min(sum(cells), search.trials or sum(cells))


def objective(config: StudyConfig, task: Task) -> Objective:
    """What is optimised; without a metric in the study: accuracy, or the mean absolute error for regression."""
    metric = config.metric
    name = metric.name or ("mae" if task is Task.REGRESSION else "accuracy")
    known = METRICS.get(name)
    maximize = known.maximize if known else True
    if metric.goal is not None:
        maximize = metric.goal == "maximize"
    epsilon, relative = (known.epsilon, known.relative) if known else (0.01, True)
    if metric.epsilon is not None:
        epsilon, relative = metric.epsilon, False
    second = metric.tie_break if metric.tie_break != name else None
    second_known = METRICS.get(second or "")
    return Objective(name, maximize, epsilon, relative, second, second_known.maximize if second_known else False)


LOOK_EVERY = 8
"""Seeds: a stack full of them (`training.running.LANES`), which takes as long to train as one of five."""


def looks(config: StudyConfig) -> tuple[int, ...]:
    """After how many seeds a finalist the confirmation is judged."""
    if config.confirm.looks is not None:
        return tuple(config.confirm.looks)
    return usual_looks(config.confirm.seeds)


def usual_looks(seeds: int) -> tuple[int, ...]:
    """Whenever a stack is full, and at the last."""
    return tuple(sorted({*range(LOOK_EVERY, seeds, LOOK_EVERY), seeds})) if seeds else ()


def _spelled(name: str, value: Any) -> Any:
    """Keras takes optimizers in any case; one spelling each keeps them equal."""
    known = name == "optimizer" and str(value).lower() in OPTIMIZERS
    return str(value).lower() if known else value


def _choice(config: StudyConfig, name: str) -> Choice:
    return Choice(tuple(_spelled(name, value) for value in listed(config, name)))


def _branch(name: str, spec: ParameterSpec) -> Branch:
    return Branch(_domain(name, spec), _condition(spec))


def _condition(spec: ParameterSpec) -> dict[str, tuple[Scalar, ...]]:
    return {
        key: tuple(_spelled(key, value) for value in (values if isinstance(values, list) else [values]))
        for key, values in (spec.when or {}).items()
    }


def _domain(name: str, spec: ParameterSpec) -> Domain:
    if spec.min is not None and spec.max is not None:
        log = spec.scale == "log" or (spec.scale is None and name == "learning_rate")
        whole = isinstance(spec.min, int) and isinstance(spec.max, int)
        return Range(spec.min, spec.max, log, whole and name not in REAL_VALUED)
    if spec.values is not None and len(spec.values) > 1:
        return Choice(tuple(spec.values))
    return Fixed(spec.value if spec.values is None else spec.values[0])


def _learning_rate(config: StudyConfig) -> Parameter:
    """The study's own ranges first; where none holds, four decades that suit the optimizer."""
    branches = [_branch("learning_rate", spec) for spec in specs(config, "learning_rate")]
    for optimizer in optimizers(config):
        known = OPTIMIZERS.get(optimizer)
        low, high = (known.low, known.high) if known else (1e-5, 1e-1)
        if optimizer == "sgd" and "momentum" in config.parameters:
            low, high = SGD_WITH_MOMENTUM
        branches.append(Branch(Range(low, high, log=True), {"optimizer": (optimizer,)}))
    return Parameter("learning_rate", tuple(branches))
