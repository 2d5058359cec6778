"""What a study means, checked before anything trains and without any framework: one function a topic."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from sweeper import resolve
from sweeper.config import StudyConfig
from sweeper.data import Task
from sweeper.errors import Problem
from sweeper.parameter_checks import PARAMETER_CHECKS, Found, Where
from sweeper.registry import is_reference, suggest
from sweeper.vocabulary import (
    DATA_OPTIONS,
    DATA_TASKS,
    FILE_DATA,
    LOSSES,
    METRICS,
    MODEL_OPTIONS,
    TABULAR,
)
from sweeper.yaml_source import Source

MIN_POINTS = 6
"""Fewer lose the best combination in 29 % of simulated worlds and more (docs/statistics.md)."""

_FLAT_TABLES = ("breast_cancer", "wine", "diabetes", "iris", *TABULAR)


def problems(config: StudyConfig, source: Source) -> list[tuple[Where, Problem]]:
    """Everything that is wrong with a study of the right shape, with the path of each problem."""
    found: list[tuple[Where, Problem]] = []
    checks: list[Callable[[StudyConfig], Found]] = [
        _data, _model, _metric, *PARAMETER_CHECKS, _search, _confirm, _fit_together,
    ]  # fmt: skip
    for check in checks:
        for path, expected, received, cure in check(config):
            if all(path != other for other, _ in found):
                found.append((path, Problem(source.where(path), expected, received, cure)))
    return found


def _data(config: StudyConfig) -> Found:
    data = config.data
    known = [*DATA_TASKS, *FILE_DATA]
    if data.name not in known and not is_reference(data.name):
        cure = suggest(data.name, known) + "; or module:function beside the study file"
        yield ("data", "name"), "a data set that sweeper knows", repr(data.name), cure
        return
    if data.validation + data.test >= 1:
        yield ("data",), "validation + test below 1", f"{data.validation} + {data.test}", "validation: 0.2, test: 0.2"
    if is_reference(data.name):
        return
    allowed = DATA_OPTIONS.get(data.name, ("samples",))
    for option in data.options:
        if option not in allowed:
            yield ("data", option), f"an option of {data.name}", repr(option), suggest(option, ("name", *allowed))
    needed = {"csv": ("path", "target"), "parquet": ("path", "target"), "npz": ("path",), "images": ("path",)}
    for option in needed.get(data.name, ()):
        if option not in data.options:
            yield ("data",), f"{option} for {data.name} data", "no such key", f"{option}: ..."


def _model(config: StudyConfig) -> Found:
    name, data = config.model.name, config.data.name
    if config.trainer is not None:
        if not is_reference(config.trainer):
            yield ("trainer",), "module:function", repr(config.trainer), "my_loop:train, in my_loop.py beside the file"
        return
    if is_reference(name):
        return
    if name not in MODEL_OPTIONS:
        cure = suggest(name, MODEL_OPTIONS) + "; or module:function beside the study file"
        yield ("model", "name"), "a model that sweeper knows", repr(name), cure
        return
    for option in config.model.options:
        if option not in MODEL_OPTIONS[name]:
            yield (
                ("model", option),
                f"an option of {name}",
                repr(option),
                suggest(option, ("name", *MODEL_OPTIONS[name])),
            )
    if name in ("cnn", "lstm") and data in _FLAT_TABLES:
        yield ("model", "name"), "a model for rows of a table", name, "name: mlp"
    if name == "cnn" and data in ("keras:imdb", "keras:reuters"):
        yield ("model", "name"), "a model for sequences of tokens", name, "name: lstm"


def _task(config: StudyConfig) -> Task | None:
    """The task, where it is known before the data are loaded."""
    return DATA_TASKS.get(config.data.name)


def _metric(config: StudyConfig) -> Found:
    task = _task(config)
    for key in ("name", "tie_break"):
        metric = getattr(config.metric, key)
        if metric is None or (config.trainer is not None and key == "name"):
            continue
        if metric not in METRICS:
            yield ("metric", key), "a metric that sweeper knows", repr(metric), suggest(metric, METRICS)
        elif task is not None and task not in METRICS[metric].tasks:
            fitting = [name for name, entry in METRICS.items() if task in entry.tasks]
            yield ("metric", key), f"a metric for {task} data", metric, "one of " + ", ".join(fitting)
    name, goal = config.metric.name, config.metric.goal
    if name is not None and name in METRICS and goal is not None and METRICS[name].maximize != (goal == "maximize"):
        yield ("metric", "goal"), f"the better direction of {name}", goal, "leave goal out"
    loss = config.training.loss
    if loss not in LOSSES:
        yield ("training", "loss"), "a loss that sweeper knows", repr(loss), suggest(loss, LOSSES)
    elif task is not None and task not in LOSSES[loss]:
        yield ("training", "loss"), f"a loss for {task} data", loss, "loss: auto"


def _search(config: StudyConfig) -> Found:
    search, combinations = config.search, _combinations(config)
    if search.strategy == "balanced":
        if search.trials is not None:
            yield ("search", "trials"), "points (a combination) for balanced search", "trials", "points: 8"
        if search.pruner != "none":
            cure = "pruner: none, or strategy: tpe"
            yield ("search", "pruner"), "no pruner: early curves favour fast starters", search.pruner, cure
        tuned = len(resolve.space(config).tuned_names()) if combinations else 0
        if search.points is not None and search.points < MIN_POINTS and tuned:
            yield (
                ("search", "points"),
                f"at least {MIN_POINTS}, or the best is often lost",
                str(search.points),
                "points: 8",
            )
        return
    if search.points is not None and search.strategy != "grid":
        yield ("search", "points"), f"trials (in all) for {search.strategy}", "points", "trials: 100"
    if search.trials is not None and search.trials < combinations:
        expected = f"at least one trial for each of {combinations} combinations"
        yield ("search", "trials"), expected, str(search.trials), f"trials: {8 * combinations}"
    needs = {"gp": "torch", "cmaes": "cmaes"}.get(search.strategy)
    if needs and importlib.util.find_spec(needs) is None:
        yield (
            ("search", "strategy"),
            f"the package {needs}, for {search.strategy}",
            "not installed",
            ("pip install 'keras-sweeper[search]'"),
        )


def _confirm(config: StudyConfig) -> Found:
    confirm = config.confirm
    if confirm.seeds == 1:
        yield ("confirm", "seeds"), "at least 2 seeds, or 0 for no confirmation", "1", "seeds: 10"
    has_own_test = config.data.name.startswith("keras:") or is_reference(config.data.name) or config.data.name == "npz"
    if confirm.seeds and config.data.test == 0 and not has_own_test:
        yield (
            ("data", "test"),
            "a test split, because finalists are confirmed on it",
            "0",
            "test: 0.2, or confirm: {seeds: 0}",
        )
    looks = confirm.looks
    if looks is not None and confirm.seeds:
        if sorted(set(looks)) != looks:
            yield ("confirm", "looks"), "numbers of seeds in rising order", str(looks), "looks: [10, 20, 30, 40]"
        elif looks[-1] != confirm.seeds:
            yield ("confirm", "looks"), f"a last look at all {confirm.seeds} seeds", str(looks), f"seeds: {looks[-1]}"


def _fit_together(config: StudyConfig) -> Found:
    if config.keep.models == "winner" and config.trainer is not None and "keep" in config.model_fields_set:
        yield ("keep", "models"), "none, because a trainer of your own keeps its own models", "winner", "models: none"


def _combinations(config: StudyConfig) -> int:
    count = 1
    for name in config.compare:
        count *= len(resolve.listed(config, name))
    return count
