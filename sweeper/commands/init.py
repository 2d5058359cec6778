"""`sweeper init`: a first study.yaml that validates and runs. Looks at the data with the standard library only."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sweeper import study_file, yaml_source
from sweeper.commands.arrays import Arrays, pictures
from sweeper.commands.columns import Columns
from sweeper.data import Task
from sweeper.errors import UsageError, unwritable
from sweeper.registry import is_reference, suggest
from sweeper.vocabulary import DATA_TASKS, MODEL_OPTIONS

Ask = Callable[[str, str], str]
"""A question and its default answer in, the answer out."""

Say = Callable[[str], object]

ATTEMPTS = 3
"""So often a question is put before the dialogue ends."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_NOT_WORDS = frozenset("y n yes no on off true false null".split())


@dataclass(frozen=True)
class Choices:
    """What the study is about; None is asked for, or chosen by the data.

    Attributes:
        data: built-in name, `module:function`, or path of a .csv, .tsv, .parquet or .npz file or a folder of images.
        target: column that is predicted, for tables.
        model: built-in name or `module:function`.
        name: of the study.
    """

    data: str | None = None
    target: str | None = None
    model: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Source:
    """The `data:` part of a study: a name, its options as YAML, what suits it, and what a first look told."""

    name: str
    options: tuple[tuple[str, str], ...] = ()
    model: str = "mlp"
    title: str = "study"
    rows: int | None = None
    notes: tuple[str, ...] = ()


def init(
    path: Path, choices: Choices | None = None, *, ask: Ask | None = None, force: bool = False, say: Say = str
) -> Path:
    """Write a commented study file and return where it is.

    Its first line names `study.schema.json` beside it, which the caller writes.

    Args:
        path: the file, or a folder for `study.yaml` in it.
        choices: what is decided already.
        ask: put to the user what `choices` leave open; without it the data decide.
        force: replace a file that is there.
        say: is told what a first look at the data told, line by line; the file says it too.

    Raises:
        UsageError: a file is there already, or the data or the model cannot be used.
        StudyError: the choices do not go together.
    """
    path = path / "study.yaml" if path.is_dir() else path
    if path.exists() and not force:
        raise UsageError.at(str(path), "no file there yet", "one that would be lost", "another name, or --force")
    choices = choices or Choices()
    question = f"Data: {', '.join(DATA_TASKS)}, or the path of a CSV, Parquet or NPZ file or of a folder of images"
    data = _settled(choices.data, ask, question, "digits", check_data)
    source = source_of(data, choices.target, path.parent, ask)
    question = f"Model: {', '.join(MODEL_OPTIONS)}, or module:function"
    model = _settled(choices.model, ask, question, source.model, check_model)
    text = _text(choices.name or source.title, source, model, path.as_posix())
    study_file.load(yaml_source.parse(text, str(path)).value)
    write_whole(path, text)
    for note in source.notes:
        say(note)
    return path


def _asked(ask: Ask | None, question: str, default: str) -> str:
    return default if ask is None else ask(question, default).strip() or default


def _settled(said: str | None, ask: Ask | None, question: str, default: str, check: Callable[[str], None]) -> str:
    """What was said or is answered, if `check` accepts it; a slip of the keyboard is asked about again.

    Raises:
        UsageError: what was said, or the last of `ATTEMPTS` answers, cannot be used.
    """
    again = question
    for attempt in range(1, ATTEMPTS + 1):
        answer = said or _asked(ask, again, default)
        try:
            check(answer)
        except UsageError as error:
            if said or ask is None or attempt == ATTEMPTS:
                raise
            again = f"{error}\n{question}"
        else:
            break
    return answer


def check_model(model: str) -> None:
    """Refuse what is neither a built-in model nor a reference.

    Raises:
        UsageError: that is so.
    """
    if model not in MODEL_OPTIONS and not is_reference(model):
        cure = suggest(model, MODEL_OPTIONS)
        raise UsageError.at("--model", "a built-in model or module:function", repr(model), cure)


def check_data(data: str) -> None:
    """Refuse what is neither a built-in data set, nor a reference, nor a file or folder that is there.

    Raises:
        UsageError: that is so.
    """
    if data in DATA_TASKS or is_reference(data):
        return
    if not _is_file(data):
        cure = f"{suggest(data, DATA_TASKS)}; or a path that ends in .csv, .parquet or .npz, or a folder of images"
        raise UsageError.at("--data", "a built-in data set, a file or a folder", repr(data), cure)
    if not Path(data).expanduser().exists():
        absolute = Path(data).expanduser().absolute()
        raise UsageError.at("--data", "a file or a folder that is there", f"nothing at {absolute}")


def _is_file(data: str) -> bool:
    path = Path(data).expanduser()
    return path.suffix.lower() in (".csv", ".tsv", ".txt", ".parquet", ".npz") or path.is_dir()


def source_of(data: str, target: str | None, folder: Path, ask: Ask | None) -> Source:
    """What stands under `data:`."""
    if data not in DATA_TASKS and not is_reference(data):
        return _file_source(Path(data).expanduser(), target, folder, ask)
    if target is not None:
        raise UsageError.at("--target", "a table with columns", repr(data), "leave --target out")
    if is_reference(data):
        return Source(data, title=data.partition(":")[0].rpartition(".")[2])
    return Source(data, model=_built_in_model(data), title=data.removeprefix("keras:"))


def _built_in_model(data: str) -> str:
    if data in ("keras:imdb", "keras:reuters"):
        return "lstm"
    images = data.startswith("keras:") and DATA_TASKS[data] is Task.MULTICLASS
    return "cnn" if images else "mlp"


def _file_source(path: Path, target: str | None, folder: Path, ask: Ask | None) -> Source:
    place = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    options: tuple[tuple[str, str], ...] = (("path", scalar(place)),)
    suffix, title = path.suffix.lower(), path.resolve().stem
    if path.is_dir():
        return Source("images", options, "cnn", title, rows=pictures(path))
    if suffix == ".npz":
        seen = Arrays.of(path)
        return Source("npz", (*options, *seen.options), seen.model, title, seen.rows)
    columns = Columns.of_parquet(path) if suffix == ".parquet" else Columns.of(path)
    if columns is None:
        target = target or _asked(ask, "Target: the column that is to be predicted", "target")
        return Source("parquet", (*options, ("target", scalar(target))), "mlp", title)
    return _table_source(path, columns, (target, ask), Source("csv", options, "mlp", title, columns.rows))


def _table_source(path: Path, columns: Columns, said: tuple[str | None, Ask | None], source: Source) -> Source:
    """With the target, what is left out, and what a first look told."""
    question = f"Target: the column that is to be predicted ({', '.join(columns.names[:20])})"

    def check(name: str) -> None:
        if name not in columns.names:
            raise UsageError.at("--target", f"a column of {path}", repr(name), suggest(name, columns.names))

    target = _settled(said[0], said[1], question, columns.likely_target, check)
    options = (*source.options, ("target", scalar(target)))
    left_out = [scalar(name) for name, _ in columns.useless(target)]
    if len(left_out) == len(columns.names) - 1:
        raise UsageError.at(str(path), "a column to predict from", f"none of {', '.join(columns.names[:10])}")
    if left_out:
        options += (("drop", f"[{', '.join(left_out)}]"),)
    suffix = path.suffix.lower()
    if suffix != ".parquet" and columns.delimiter != ("\t" if suffix == ".tsv" else ","):
        options += (("delimiter", json.dumps(columns.delimiter)),)
    if columns.decimal != ".":
        options += (("decimal", json.dumps(columns.decimal)),)
    name = "parquet" if suffix == ".parquet" else "csv"
    return replace(source, name=name, options=options, notes=tuple(columns.notes(target)))


def scalar(text: str) -> str:
    """A string as YAML reads it back, quoted where it must be."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _NOT_WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _batch_size(rows: int | None) -> int:
    """32, or less where the training rows (three in five) would not fill two batches."""
    size = 32
    while rows is not None and size > 1 and 2 * size > 0.6 * rows:
        size //= 2
    return size


def _text(name: str, source: Source, model: str, file: str) -> str:
    """The study file."""
    options = "".join(f", {key}: {value}" for key, value in source.options)
    units = ", units: [64, 32]" if model == "mlp" else ""
    return _TEMPLATE.format(
        file=file,
        name=scalar(name),
        data=f"{{name: {scalar(source.name)}{options}, validation: 0.2, test: 0.2}}",
        model=f"{{name: {scalar(model)}{units}}}",
        notes="".join(f"#   * {_comment(note)}\n" for note in source.notes),
        batch_size=_batch_size(source.rows),
    )


def _comment(text: str) -> str:
    """Text that stays on its line."""
    return " ".join(text.split())


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        UsageError: it cannot be written.
        StorageError: the disk is full.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise unwritable(str(path), "a file that can be written", error, "another name") from error


_TEMPLATE = """\
# yaml-language-server: $schema=study.schema.json
#
#   sweeper validate {file}    checks this file
#   sweeper plan {file}        says how many trials it takes, and how long
#   sweeper run {file}         trains them and ends in a verdict; the same command continues what was interrupted
#
# Only name and data are needed. Everything else has a default, which is what stands here.

name: {name}

# Rows are divided into training, validation and test. The test rows stay sealed until the finalists are confirmed.
{notes}data: {data}

# mlp, cnn, lstm, or a function of your own: "my_model:build" in my_model.py beside this file.
model: {model}

# The default is accuracy, or mae where numbers are predicted. epsilon: the smallest difference that matters to you.
# metric: {{name: accuracy, epsilon: 0.003}}

# What is compared. All the other parameters are tuned inside each combination.
compare: [activation, optimizer]
parameters:
  activation: {{values: [relu, sigmoid, tanh]}}   # any Keras activation: gelu, silu, elu, selu, mish, ...
  optimizer: {{values: [sgd, adam, rmsprop]}}     # any Keras optimizer: adamw, nadam, lion, adagrad, ...
  # The default range of the learning rate suits each optimizer. A range of your own:
  # learning_rate:
  #   - {{when: {{optimizer: sgd}}, min: 1.0e-3, max: 10, scale: log}}
  #   - {{min: 1.0e-5, max: 1.0e-1, scale: log}}

training: {{epochs: 30, batch_size: {batch_size}, schedule: cosine}}

# Every combination is tried with the same number of settings, so that the comparison is fair.
search: {{strategy: balanced, points: 8, seed: 0}}

# The finalists train again with fresh seeds, 40 at most, and are judged after every 8.
confirm: {{seeds: 40, alpha: 0.05}}

# budget: {{time: 2h, per_trial: 10m}}           # what is not done in time is done when the command runs again
"""
