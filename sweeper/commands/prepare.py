"""From a checked study file to everything that planning and training need; the data are loaded here, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeper import resolve, yaml_source
from sweeper.config import FREE_KEYS, StudyConfig
from sweeper.data import Dataset, Task
from sweeper.errors import DataError, Problem, StudyError
from sweeper.registry import is_reference
from sweeper.setup import TrainerSetup
from sweeper.space import Choice, Range, Space
from sweeper.stats.screening import most_finalists
from sweeper.study_file import StudyFile
from sweeper.tracking.parent import without_passwords
from sweeper.verdict import Objective
from sweeper.vocabulary import LOSSES, METRICS

_METRICS = {Task.BINARY: ("accuracy", "auc"), Task.MULTICLASS: ("accuracy",), Task.REGRESSION: ("mae", "rmse", "r2")}
"""Logged for every study besides the loss and the metric it compares by."""


@dataclass(frozen=True)
class Prepared:
    """A study that is ready to be planned and trained.

    Attributes:
        points: settings that each combination is explored with (balanced and grid).
        fixed: what may not change between runs, as JSON.
    """

    file: StudyFile
    data: Dataset
    space: Space
    objective: Objective
    setup: TrainerSetup
    points: int
    looks: tuple[int, ...]
    fixed: Mapping[str, Any]

    @property
    def config(self) -> StudyConfig:
        """The study as types."""
        return self.file.config

    @property
    def text(self) -> str:
        """The study as YAML: the file, or what was made of it by overrides or given as a mapping; no passwords."""
        source = self.file.source
        as_written = source.text and yaml_source.parse(source.text).value == source.value
        return without_passwords(source.text if as_written else yaml.safe_dump(source.value, sort_keys=False))

    @property
    def hash(self) -> str:
        """SHA-256 of all that determines the numbers of the study."""
        return hashlib.sha256(json.dumps(self.fixed, sort_keys=True).encode()).hexdigest()

    @property
    def settings(self) -> dict[str, Any]:
        """What a baseline has to know of the study besides its verdict, as JSON."""
        info = self.data.info
        return {
            "fixed": self.fixed,
            "hash": self.hash,
            "task": info.task.value,
            "classes": info.classes,
            "test_rows": self.data.sizes()["test"],
        }


def prepare(file: StudyFile) -> Prepared:
    """Load the data and resolve the study against them.

    Raises:
        DataError: the data cannot be used.
        StudyError: the study does not fit the data.
    """
    config = file.config
    data = _load(file)
    objective = resolve.objective(config, data.info.task)
    _fits(file, data, objective)
    space = resolve.space(config)
    setup = TrainerSetup(
        trainer=config.trainer or "keras",
        fuse=config.engine.fuse,
        folder=str(file.folder),
        model=config.model.name,
        model_options=config.model.options,
        metrics=_metrics(objective, data.info.task),
        loss=config.training.loss,
        batch_size=config.training.batch_size,
        schedule=config.training.schedule,
        mixed_precision=config.training.mixed_precision,
        deterministic=config.training.deterministic,
    )
    points, looks = resolve.points(config, space), resolve.looks(config)
    planned = {"confirm": {"seeds", "looks"}, "search": {"points", "trials"}}
    fixed = config.model_dump(mode="json", exclude={**dict.fromkeys(FREE_KEYS, True), **planned})
    fixed |= {"points": points, "trials": config.search.trials or 0, "looks": list(looks)}
    fixed |= {"plan": _plan(config, space, objective)}
    fixed |= {"data fingerprint": data.fingerprint, "fuse": config.engine.fuse, "code": _code(file)}
    return Prepared(file, data, space, objective, setup, points, looks, fixed)


def _plan(config: StudyConfig, space: Space, objective: Objective) -> dict[str, Any]:
    """What the study has agreed on before its first trial, with every default in it, as JSON.

    Points and looks stand beside it: a study may be extended by more of them.
    """
    combinations = space.combinations()
    alike: dict[str, list[str]] = {}
    for combination in combinations:
        tuned = (f"{name} {_written(domain)}" for name, domain in space.tuned(combination).items())
        alike.setdefault("; ".join(tuned) or "nothing is tuned", []).append(str(combination))
    automatic = config.confirm.finalists == "auto"
    return {
        "metric": objective.metric,
        "goal": "maximize" if objective.maximize else "minimize",
        "epsilon": objective.epsilon,
        "epsilon_is_relative": objective.relative,
        "tie_break": objective.tie_break,
        "alpha": config.confirm.alpha,
        "finalists": most_finalists(len(combinations)) if automatic else config.confirm.finalists,
        "ranges": [f"{ranges}: {', '.join(names)}" for ranges, names in alike.items()],
    }


def _written(domain: Choice | Range) -> str:
    """A domain in a word; a range may later get a decade at its end, by a rule that is part of the plan."""
    if isinstance(domain, Choice):
        return ", ".join(map(str, domain.values))
    return f"{domain.low:g} to {domain.high:g}" + (" (log)" if domain.log else "")


def _load(file: StudyFile) -> Dataset:
    from sweeper.catalog.datasets import load

    config = file.config.data
    data = load(config.name, config.options, file.folder)
    return data.divided(validation=config.validation, test=config.test, seed=file.config.search.seed)


def _fits(file: StudyFile, data: Dataset, objective: Objective) -> None:
    """What could not be checked before the task and the size of the data were known."""
    config, source, task = file.config, file.source, data.info.task
    problems = []
    known = METRICS.get(objective.metric)
    if known is not None and task not in known.tasks:
        fitting = ", ".join(name for name, metric in METRICS.items() if task in metric.tasks)
        expected = f"a metric for {task} data"
        problems.append(Problem(source.where(("metric", "name")), expected, objective.metric, f"one of {fitting}"))
    if task not in LOSSES[config.training.loss]:
        where = source.where(("training", "loss"))
        problems.append(Problem(where, f"a loss for {task} data", config.training.loss, "loss: auto"))
    if config.confirm.seeds and data.test is None and data.test_fraction == 0:
        where = source.where(("data", "test"))
        problems.append(Problem(where, "a test split, because finalists are confirmed on it", "0", "test: 0.2"))
    if problems:
        raise StudyError(*problems)
    rows = data.sizes()["train"]
    if config.trainer is None and rows < config.training.batch_size:
        raise DataError(
            Problem(
                source.where(("data",)),
                f"at least one full batch of {config.training.batch_size} training rows",
                f"{rows} of {len(data)} rows are left for training",
                f"training: {{batch_size: {max(1, rows // 8)}}}, or more data",
            )
        )


def _metrics(objective: Objective, task: Task) -> tuple[str, ...]:
    wanted = (objective.metric, *_METRICS[task], objective.tie_break)
    known = [name for name in wanted if name and name != "loss" and task in METRICS.get(name, METRICS["loss"]).tasks]
    return tuple(dict.fromkeys(known))


def _code(file: StudyFile) -> dict[str, str]:
    """SHA-256 of each of the user's own modules that lies beside the study file."""
    config = file.config
    references = [word for word in (config.model.name, config.data.name, config.trainer) if word and is_reference(word)]
    hashes = {}
    for reference in references:
        module = reference.partition(":")[0]
        path = file.folder / Path(*module.split(".")).with_suffix(".py")
        if path.is_file():
            hashes[module] = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashes
