"""`sweeper export`: the way out. The pick as a script or a model, every trial as a table; all from what is stored."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sweeper.commands.continuing import COMPLETE, NOTE, compare
from sweeper.commands.judge import Judge
from sweeper.commands.prepare import Prepared, prepare
from sweeper.errors import NoVerdict, UsageError, unwritable
from sweeper.folder import StudyFolder
from sweeper.planning.optuna_ledger import Stored, stored
from sweeper.planning.stages import Candidate, is_kept
from sweeper.report.trials_csv import as_csv, table
from sweeper.study_file import StudyFile
from sweeper.trial import Stage, Status, TrialRecord
from sweeper.verdict import Objective


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Files to write; None: not this one."""

    script: Path | None = None
    model: Path | None = None
    trials: Path | None = None


def export(file: StudyFile, root: Path, wanted: Wanted) -> list[str]:
    """Write what is wanted; lines for people, the first word of each the file or `note`.

    Raises:
        UsageError: nothing is wanted, the study has not been run, it cannot give that, or a file cannot be written.
        NoVerdict: nothing completed, so there is no pick.
        StorageError: the ledger cannot be read, or the disk is full.
    """
    if wanted == Wanted():
        raise UsageError.at(
            "sweeper export", "what to write", "nothing", "--script pick.py, --model pick.keras, --trials trials.csv"
        )
    folder = StudyFolder(root.absolute(), file.config.name)
    known = stored(folder.ledger_of_run(file.source.name), file.config.name)
    lines = [] if wanted.trials is None else write_trials(known, wanted.trials)
    if wanted.script is None and wanted.model is None:
        return lines
    study = prepare(file)
    compare(study, known.notes)
    pick = Judge(study).pick(known.records)
    if pick is None:
        raise NoVerdict.at(str(folder.path), "a trial that completed", "none", f"sweeper run {file.source.name}")
    if not known.notes.get(COMPLETE):
        lines.append(f"note: the study is not finished, and the pick may change; sweeper run {file.source.name}")
    if wanted.model is not None:
        lines += _copy_model(study, folder, known, pick, wanted.model)
    if wanted.script is not None:
        lines += _write_script(study, known.records, pick, wanted.script)
    return lines


def write_trials(known: Stored, path: Path) -> list[str]:
    """Every finished trial as .csv or .parquet.

    Raises:
        UsageError: another ending, or no trial yet.
    """
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError.at("--trials", "a file that ends in .csv or .parquet", str(path), "--trials trials.csv")
    if not known.records:
        raise UsageError.at("--trials", "a trial that has ended", "none yet", "sweeper run")
    fixed = known.notes[NOTE]["fixed"]
    plan = fixed["plan"]
    objective = Objective(plan["metric"], plan["goal"] == "maximize", plan["epsilon"])
    columns = table(known.records, objective, fixed["compare"])
    ends = [datetime.fromtimestamp(record.ended_at, timezone.utc) for record in known.records]
    if path.suffix.lower() == ".csv":
        written = as_csv({**columns, "ended_at": [end.isoformat(timespec="seconds") for end in ends]})
        _whole(path, lambda draft: draft.write_text(written, encoding="utf-8"))
    else:
        _write_parquet({**columns, "ended_at": ends}, path)
    return [f"{path}: {len(known.records)} trials, {len(columns) + 1} columns"]


def _write_parquet(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError.at(
            "--trials", "pyarrow, for .parquet", str(error), "pip install pyarrow, or --trials trials.csv"
        ) from error
    arrays = {}
    for name, values in columns.items():
        kind = pa.timestamp("ms", tz="UTC") if name == "ended_at" else None
        try:
            arrays[name] = pa.array(_numbers_alike(values), type=kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # a parameter of several kinds: words and numbers, say
            arrays[name] = pa.array([None if value is None else json.dumps(value) for value in values])
        if arrays[name].type == pa.null():
            arrays[name] = arrays[name].cast(pa.float64())
    _whole(path, lambda draft: parquet.write_table(pa.table(arrays), draft))


def _numbers_alike(values: Sequence[Any]) -> list[Any]:
    """Whole numbers among fractions become fractions: a learning rate of 1 is one of 1.0."""
    known = [value for value in values if value is not None]
    mixed = {type(value) for value in known} == {int, float}
    return [float(value) if mixed and value is not None else value for value in values]


def _copy_model(study: Prepared, folder: StudyFolder, known: Stored, pick: Candidate, path: Path) -> list[str]:
    if path.suffix != ".keras":
        raise UsageError.at("--model", "a file that ends in .keras", str(path), f"--model {path.with_suffix('.keras')}")
    source = folder.keep / "model.keras"
    run = f"sweeper run {study.file.source.name}"
    if not (is_kept(known.records, pick.params, completed=True) and source.is_file()):
        off = study.config.keep.models == "none"
        found = "keep.models is none" if off else "not trained yet, or not for this pick"
        cure = f"keep: {{models: winner}}, then {run}" if off else run
        if study.config.trainer is not None:
            found, cure = "the study has a trainer of its own", "have it leave model.keras in the folder it is told"
        raise UsageError.at(str(source), "the kept model of the pick", found, cure)
    beside = path.with_suffix(".json")
    document = {
        "study": study.config.name,
        "combination": dict(pick.combination),
        "params": dict(pick.params),
        **{name: _json(folder.keep / f"{name}.json") for name in ("data", "preprocessing")},
    }
    _whole(path, lambda draft: shutil.copyfile(source, draft))
    _whole(beside, lambda draft: draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8"))
    return [f"{path}: {pick.combination}", f"{beside}: how its inputs are prepared, classes and units"]


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _write_script(study: Prepared, records: Sequence[TrialRecord], pick: Candidate, path: Path) -> list[str]:
    if study.config.trainer is not None:
        cure = "sweeper best   prints the parameters to call it with"
        raise UsageError.at("--script", "a study that Keras trains", f"trainer: {study.config.trainer}", cure)
    record = repeated(records, pick, study.objective)
    if record is None:
        raise NoVerdict.at("--script", "a completed trial of the pick", "none", "sweeper run")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's Keras is set to, as in a worker
    with _quiet_start():
        from sweeper.commands.scripting import written
    text, remarks = written(study, record)
    _whole(path, lambda draft: draft.write_text(text, encoding="utf-8"))
    what = f"trial {record.spec.number} ({record.spec.stage}), {pick.combination}"
    if record.spec.stage is not Stage.CONFIRM:
        remarks = (*remarks, "the pick has no confirmation yet: the script repeats its best single run, on validation")
    return [f"{path}: {what}", *(f"note: {remark}" for remark in remarks)]


def repeated(records: Sequence[TrialRecord], pick: Candidate, objective: Objective) -> TrialRecord | None:
    """The trial that a script repeats: the first confirmation of the pick, else the best run of its combination."""
    done = [
        record
        for record in records
        if record.ended.status is Status.COMPLETED and record.spec.combination == pick.combination
    ]
    confirmed = [r for r in done if r.spec.stage is Stage.CONFIRM and dict(r.spec.params) == dict(pick.params)]
    if confirmed:
        return min(confirmed, key=lambda record: record.spec.repetition)
    single = [r for r in done if r.spec.stage is not Stage.KEEP]
    same = [r for r in single if dict(r.spec.params) == dict(pick.params)]
    scored = [(value, r) for r in same or single if (value := r.value(objective.validation)) is not None]
    return max(scored, key=lambda pair: objective.sign * pair[0])[1] if scored else None


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Without what TensorFlow writes to the terminal while it is imported, past every setting; errors still raise."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _whole(path: Path, write: Any) -> None:
    """Whole or not at all."""
    draft = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(draft)
        draft.replace(path)
    except OSError as error:
        cure = "another name, or free some space"
        raise unwritable(str(path), "a file that can be written", error, cure) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
