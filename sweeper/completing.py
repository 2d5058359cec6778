"""What a shell may complete words to: files, studies, keys of a study file and their values, names of data and models.

Nothing but the standard library is imported before a shell asks.
"""

from __future__ import annotations

import os
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def files(*endings: str) -> Completer:
    """Completes to files with these endings, and to folders on the way to them; `.yaml` and so on."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        folder, _, start = begun.rpartition("/")
        place = Path(os.path.expanduser(folder or ("/" if begun.startswith("/") else ".")))
        try:
            entries = sorted(place.iterdir())
        except OSError:
            return []
        head = begun[: len(begun) - len(start)]
        fitting = [e for e in entries if e.name.startswith(start) and (start.startswith(".") or e.name[0] != ".")]
        return [
            CompletionItem(f"{head}{entry.name}/" if entry.is_dir() else f"{head}{entry.name}")
            for entry in fitting
            if entry.is_dir() or entry.suffix.lower() in endings
        ]

    return complete


def studies(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Completes to the names of studies that have been run, and to study files."""
    root = Path(context.params.get("storage") or os.environ.get("SWEEPER_STORAGE", "mlruns")) / "studies"
    try:
        names = sorted(place.name for place in root.iterdir() if (place / "study.db").is_file())
    except OSError:
        names = []
    known = [CompletionItem(name, help="study") for name in names if name.startswith(begun)]
    return known + files(".yaml", ".yml", ".json")(context, parameter, begun)


def data(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Completes to built-in data sets, to files of tables and arrays, and to folders."""
    from sweeper.vocabulary import DATA_TASKS

    tables = files(".csv", ".tsv", ".txt", ".parquet", ".npz")
    return _fitting(DATA_TASKS, begun) + tables(context, parameter, begun)


def models(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Completes to built-in models, and to the modules in this folder, up to the colon before their function."""
    from sweeper.vocabulary import MODEL_OPTIONS

    modules = sorted(f"{path.stem}:" for path in Path().glob("*.py") if path.stem.isidentifier())
    return _fitting([*MODEL_OPTIONS, *modules], begun)


def baselines(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Completes to files of a baseline, and to the last one in MLflow."""
    return _fitting(["mlflow:latest"], begun) + files(".json")(context, parameter, begun)


def keys(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Completes to a key of a study file, and after `=` to the values that it may have."""
    key, equals, _ = begun.partition("=")
    if equals:
        return _fitting((f"{key}={value}" for value in _values(key)), begun)
    return _fitting(_keys(begun), begun)


def _fitting(words: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(begun)]


def _keys(begun: str) -> Iterator[str]:
    """Every key down to the one after which a value stands; parameters by their name, one level after the other."""
    from sweeper.config import ParameterSpec, StudyConfig
    from sweeper.study_file import fields, models_in

    for name, found in fields(StudyConfig).items():
        inner = models_in(found.annotation)
        if name == "parameters":
            parameter = begun.split(".")[1] if begun.count(".") > 1 else ""
            if parameter:
                yield from (f"parameters.{parameter}.{key}=" for key in fields(ParameterSpec))
            elif "." in begun:
                yield from (f"parameters.{known}." for known in _parameters())
            else:
                yield "parameters."
        elif inner:
            yield from (f"{name}.{key}=" for key in fields(inner[0]))
        else:
            yield f"{name}="


def _parameters() -> list[str]:
    from sweeper.vocabulary import ALL_OPTIMIZER_ARGUMENTS, MODEL_OPTIONS, TRAINING_PARAMETERS

    return sorted({*TRAINING_PARAMETERS, *ALL_OPTIMIZER_ARGUMENTS}.union(*MODEL_OPTIONS.values()))


def _values(key: str) -> list[str]:
    """The words among the values of a key."""
    from sweeper import vocabulary
    from sweeper.config import StudyConfig
    from sweeper.study_file import fields, models_in

    known: dict[str, Iterable[str]] = {
        "data.name": (*vocabulary.DATA_TASKS, *vocabulary.FILE_DATA),
        "model.name": vocabulary.MODEL_OPTIONS,
        "metric.name": vocabulary.METRICS,
        "metric.tie_break": vocabulary.METRICS,
        "training.loss": vocabulary.LOSSES,
        "parameters.activation.value": vocabulary.ACTIVATIONS,
        "parameters.optimizer.value": vocabulary.OPTIMIZERS,
    }
    section, _, name = key.partition(".")
    found = fields(StudyConfig).get(section)
    inner = models_in(found.annotation) if found is not None else []
    option = fields(inner[0]).get(name) if inner else None
    return list(known.get(key, () if option is None else _words_in(option.annotation)))


def _words_in(annotation: Any) -> Iterator[str]:
    """The words that a type names, however deep."""
    if annotation is bool:
        yield from ("true", "false")
    elif typing.get_origin(annotation) is typing.Literal:
        yield from map(str, typing.get_args(annotation))
    else:
        for argument in typing.get_args(annotation):
            yield from _words_in(argument)
