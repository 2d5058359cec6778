"""`sweeper import`: a Weights & Biases sweep file as a study; what has no counterpart is listed with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeper import resolve, study_file, yaml_source
from sweeper.commands.init import check_data, check_model, scalar, source_of, write_whole
from sweeper.commands.wandb_parameters import Found, belongs, canonical, parameters
from sweeper.config import TrainingConfig
from sweeper.data import Task
from sweeper.errors import StudyError, UsageError
from sweeper.registry import suggest
from sweeper.vocabulary import DATA_TASKS, LOSSES, METRICS, OPTIMIZERS, SCHEDULES, optimizer_arguments

_KEYS = tuple(
    "program method metric parameters name description project entity early_terminate command run_cap".split()
)
_STRATEGIES = {"bayes": "tpe", "random": "random", "grid": "grid"}
_METRIC_KEYS = ("name", "goal", "target")
_PRUNER_KEYS = ("type", "min_iter", "max_iter", "s", "eta", "strict")
_METRICS = {
    "acc": "accuracy", "categorical_accuracy": "accuracy", "sparse_categorical_accuracy": "accuracy",
    "binary_accuracy": "accuracy", "mean_absolute_error": "mae", "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse", "f1_score": "f1", "roc_auc": "auc", "auroc": "auc", "r2_score": "r2",
    "top5_accuracy": "top_5_accuracy",
}  # fmt: skip
_PART = re.compile(r"(?:val|valid|validation|test|train|training|eval|epoch|best|dev)[_/. -]+")
_STAND_INS = {Task.MULTICLASS: "digits", Task.BINARY: "breast_cancer", Task.REGRESSION: "diabetes"}


@dataclass(frozen=True)
class Options:
    """What a sweep file does not say; None: something that stands in for it."""

    data: str | None = None
    target: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class Imported:
    """What came of it.

    Attributes:
        path: of the study.
        notes: what was not taken over, as `sweep.yaml:12  key: why`.
    """

    path: Path
    notes: tuple[str, ...]


def import_sweep(sweep: Path, output: Path, options: Options, *, force: bool = False) -> Imported:
    """Write a study that does what a sweep did.

    Raises:
        UsageError: a file is there already, or the data or model cannot be used.
        StudyError: the sweep makes no sense; every problem at once, each with its line.
    """
    if output.resolve() == sweep.resolve():
        raise UsageError.at("--output", "another file than the sweep", str(output), "--output study.yaml")
    if output.exists() and not force:
        raise UsageError.at(str(output), "no file there yet", "one that would be lost", "another name, or --force")
    if options.model is not None:
        check_model(options.model)
    if options.data is not None:
        check_data(options.data)
    found = Found(yaml_source.read(sweep, kind="sweep file of W&B", example="method: random"))
    document = found.source.value
    for key in document:
        if key not in _KEYS and suggest(key, _KEYS).startswith("did you mean"):
            found.wrong((key,), "a key of a W&B sweep", key, suggest(key, _KEYS))
    parameters(found)
    study = _Study(found, sweep, output, options).document()
    if found.problems:
        raise StudyError(*sorted(found.problems, key=lambda problem: _line(problem.where)))
    ordered = sorted(found.notes, key=lambda note: found.source.line(note[0]))
    notes = tuple(f"{found.source.where(path)}: {why}" for path, why in ordered)
    text = _text(study, sweep, output, notes)
    study_file.load(yaml_source.parse(text, str(output)).value)
    write_whole(output, text)
    return Imported(output, notes)


class _Study:
    """A study document in the making."""

    def __init__(self, found: Found, sweep: Path, output: Path, options: Options) -> None:
        self._found, self._options = found, options
        self._sweep: Mapping[str, Any] = found.source.value
        self._file, self._output = sweep, output

    def document(self) -> dict[str, Any]:
        """Every key that the sweep has a counterpart for."""
        metric = self._metric()
        data, model = self._data(metric)
        training = self._training()
        self._drop_strangers(model)
        compare = self._compare()
        self._conditions()
        made: dict[str, Any] = {"name": self._name()}
        if self._sweep.get("description"):
            made["description"] = str(self._sweep["description"])
        made |= {"data": data, "model": {"name": model}}
        made |= {"metric": metric} if metric else {}
        made |= {"compare": compare, "parameters": self._found.parameters}
        made |= {"training": training} if training else {}
        made["search"] = self._search(compare)
        if self._sweep.get("project"):
            made["tracking"] = {"experiment": str(self._sweep["project"])}
        self._not_taken_over()
        return made

    def _name(self) -> str:
        return str(self._sweep.get("name") or self._sweep.get("project") or self._file.stem)

    def _metric(self) -> dict[str, Any]:
        found, given = self._found, self._sweep.get("metric")
        if given is None:
            return {}
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            found.wrong(("metric",), "name and goal", given, "metric: {name: val_accuracy, goal: maximize}")
            return {}
        goal = given.get("goal", "minimize")
        if goal not in ("minimize", "maximize"):
            found.wrong(("metric", "goal"), "minimize or maximize", goal, suggest(str(goal), ("minimize", "maximize")))
        if "target" in given:
            found.note(("metric", "target"), "sweeper trains what it has planned, so that the comparison is fair")
        found.strangers(("metric",), given, _METRIC_KEYS)
        short = given["name"].lower()
        while _PART.match(short):
            short = _PART.sub("", short, count=1)
        short = _METRICS.get(short.replace("-", "_"), short)
        if short not in METRICS:
            found.note(("metric", "name"), f"{given['name']!r} is no metric of sweeper: the default of the task stands")
            return {}
        if METRICS[short].maximize != (goal == "maximize"):
            found.note(("metric", "goal"), f"{short} is {'maximized' if METRICS[short].maximize else 'minimized'} here")
        return {"name": short}

    def _data(self, metric: dict[str, Any]) -> tuple[dict[str, Any], str]:
        options = self._options
        data = options.data
        if data is None:
            tasks = METRICS[metric["name"]].tasks if metric else (Task.MULTICLASS,)
            task = Task.MULTICLASS if Task.MULTICLASS in tasks else tasks[0]
            data = _STAND_INS[task]
            self._found.note((), f"a sweep does not say what it trains on: {data} stands in; give --data and --target")
        source = source_of(data, options.target, self._output.parent, None)
        if options.model is None:
            self._found.note((), f"a sweep does not say what it trains: {source.model} stands in; give --model")
        values = {key: yaml_source.parse(f"value: {text}").value["value"] for key, text in source.options}
        known = DATA_TASKS.get(source.name)
        if metric and known is not None and known not in METRICS[metric["name"]].tasks:
            self._found.note(("metric", "name"), f"{metric['name']} does not fit {source.name}: left out")
            metric.clear()
        return {"name": source.name, **values}, options.model or source.model

    def _training(self) -> dict[str, Any]:
        """What a study sets once, taken out of the parameters."""
        made: dict[str, Any] = {}
        for name in ("epochs", "batch_size", "loss", "schedule", "seed"):
            spec = self._found.parameters.get(name)
            if spec is None or (name == "batch_size" and "value" not in spec):
                continue
            del self._found.parameters[name]
            path = self._path(name)
            if name == "seed":
                why = "seeds are sweeper's own: fresh ones for the confirmation, equal for everybody"
                self._found.left_out(path, why)
                continue
            value = spec.get("value", max(spec["values"]) if name == "epochs" and "values" in spec else spec.get("max"))
            if "value" not in spec and name == "epochs":
                self._found.note(path, f"every trial trains equally long: {value} epochs")
            fits = {"loss": value in LOSSES, "schedule": value in SCHEDULES}.get(name, _is_count(value))
            if fits:
                made[name] = value if isinstance(value, str) else int(value or 0)
            else:
                self._found.left_out(path, f"{name} {spec} has no counterpart: the default stands")
        if "epochs" not in made:
            stand_in = TrainingConfig().epochs
            self._found.note(("parameters",), f"no epochs among the parameters: every trial trains {stand_in}")
        return made

    def _path(self, name: str) -> tuple[Any, ...]:
        """Where a parameter stands in the sweep."""
        places = [p for p in self._found.source.lines if len(p) > 1 and p[0] == "parameters"]
        names = [tuple(str(part) for part in p[1:] if part != "parameters") for p in places]
        fitting = (
            p for p, n in zip(places, names, strict=True) if n and canonical(n) == name and p[-1] != "parameters"
        )
        return next(fitting, ("parameters",))

    def _drop_strangers(self, model: str) -> None:
        for name in list(self._found.parameters):
            if not belongs(name, model):
                del self._found.parameters[name]
                self._found.left_out(
                    self._path(name), f"neither {model} nor an optimizer takes it; a model of your own may: --model"
                )

    def _compare(self) -> list[str]:
        """What is compared: activation and optimizer where they are listed, else what else is."""
        specs = self._found.parameters
        listed = [name for name, spec in specs.items() if _is_plain_list(spec)]
        main: list[str] = [name for name in ("activation", "optimizer") if name in listed]
        chosen = main or [name for name in listed if name != "learning_rate"][:2]
        if chosen and not main:
            told = f"neither activation nor optimizer is listed: {' and '.join(chosen)} are compared"
            self._found.note(("parameters",), told if len(chosen) > 1 else told.replace(" are ", " is "))
        if not chosen:
            self._found.note(("parameters",), "nothing is listed that could be compared: three activations are")
            specs["activation"] = {"values": ["relu", "sigmoid", "tanh"]}
            chosen = ["activation"]
        for name, stand_in in (("activation", "relu"), ("optimizer", "adam")):
            if name not in specs:
                specs[name] = {"value": stand_in}
                self._found.note(("parameters",), f"no {name} among the parameters: {stand_in} stands in")
        return chosen

    def _conditions(self) -> None:
        """Arguments that not every optimizer takes hold for those that do."""
        spec = self._found.parameters["optimizer"]
        used = [str(value) for value in spec.get("values", [spec.get("value")])]
        for name in list(self._found.parameters):
            taking = [word for word in used if word in OPTIMIZERS and name in optimizer_arguments(word)]
            anybody = any(name in optimizer_arguments(word) for word in OPTIMIZERS)
            if not anybody or len(taking) == len(used):
                continue
            if taking:
                self._found.parameters[name]["when"] = {"optimizer": taking if len(taking) > 1 else taking[0]}
                continue
            del self._found.parameters[name]
            self._found.left_out(self._path(name), f"none of the optimizers takes it ({', '.join(used)})")

    def _search(self, compare: Sequence[str]) -> dict[str, Any]:
        found, sweep = self._found, self._sweep
        method = sweep.get("method")
        if str(method) not in _STRATEGIES:
            cure = suggest(str(method), _STRATEGIES) if method else "method: random"
            found.wrong(("method",), "grid, random or bayes", method, cure)
        made: dict[str, Any] = {"strategy": _STRATEGIES.get(str(method), "random")}
        least = 1
        for name in compare:
            least *= len(found.parameters[name].get("values", [0]))
        cap = sweep.get("run_cap")
        if cap is not None and not _is_count(cap):
            found.wrong(("run_cap",), "a whole number from 1", cap, "run_cap: 100")
        elif cap is not None:
            made["trials"] = max(int(cap), least)
            if cap < least:
                found.note(("run_cap",), f"{least} combinations need a trial each: {least} trials")
        elif method != "grid":
            made["trials"] = max(resolve.DEFAULT_TRIALS, least)
            found.note(("method",), f"without run_cap W&B runs until it is stopped: {made['trials']} trials here")
        if sweep.get("early_terminate") is not None:
            made |= self._pruner(sweep["early_terminate"])
        return made

    def _pruner(self, given: Any) -> dict[str, Any]:
        kind = given.get("type") if isinstance(given, dict) else given
        if kind != "hyperband":
            expected = "type: hyperband, the only one that W&B has"
            self._found.wrong(("early_terminate",), expected, given, "early_terminate: {type: hyperband, min_iter: 3}")
            return {}
        options = given if isinstance(given, dict) else {}
        self._found.strangers(("early_terminate",), options, _PRUNER_KEYS)
        for key in options:
            if key in _PRUNER_KEYS[1:]:
                self._found.note(("early_terminate", key), "brackets follow from training.epochs")
        return {"pruner": "hyperband"}

    def _not_taken_over(self) -> None:
        why = {
            "program": "sweeper trains the model itself; give the model of your script as --model module:function",
            "command": "sweeper starts its own workers",
            "entity": "MLflow has no entities",
        }
        for key in self._sweep:
            if key in why or key not in _KEYS:
                self._found.note((key,), why.get(key, "no counterpart"))


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 1 and float(value).is_integer()


def _is_plain_list(spec: Mapping[str, Any]) -> bool:
    values = spec.get("values", ())
    return len(values) > 1 and all(isinstance(value, (str, int, float, bool)) for value in values)


def _line(where: str) -> int:
    found = re.search(r":(\d+)", where)
    return int(found[1]) if found else 0


def _text(study: Mapping[str, Any], sweep: Path, output: Path, notes: Sequence[str]) -> str:
    lines = [
        "# yaml-language-server: $schema=study.schema.json",
        "#",
        f"# From the W&B sweep {sweep.name}, by sweeper import.",
    ]
    if notes:
        lines += ["# Not taken over, or not as it was:", *("#   " + note.replace("\n", " ") for note in notes)]
    lines += [
        "#",
        "# search.strategy is what the sweep did. strategy: balanced (without trials and pruner) tries every",
        "# combination equally often, and is the only one that supports a claim about which is best.",
        f"#   sweeper run {output.as_posix()}",
        "",
    ]
    for key, value in study.items():
        if key == "parameters":
            lines.append("parameters:")
            lines += [f"  {scalar(name)}: {_flow(spec)}" for name, spec in value.items()]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value on one line, as YAML reads it back."""
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(yaml.safe_dump(value, width=10_000)).replace("\n...", "").strip()
