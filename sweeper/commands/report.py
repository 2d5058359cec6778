"""`sweeper report`: the report again, from the ledger alone; also what `run` ends with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeper import environment
from sweeper.commands.continuing import COMMAND, COMPLETE, NOTE, WAY, compare, told
from sweeper.commands.judge import Judge
from sweeper.commands.nights import read as read_nights
from sweeper.commands.prepare import Prepared, prepare
from sweeper.errors import UsageError
from sweeper.folder import StudyFolder
from sweeper.planning.optuna_ledger import stored
from sweeper.planning.stages import is_kept
from sweeper.report.material import Material, load_predictions
from sweeper.report.write import write
from sweeper.stats.secondary import secondary
from sweeper.study_file import StudyFile
from sweeper.trial import TrialRecord
from sweeper.verdict import Verdict


def report(file: StudyFile, root: Path) -> tuple[Path, ...]:
    """Write every file of the report from the ledger.

    Raises:
        UsageError: the study has not been run.
    """
    folder = StudyFolder(root.absolute(), file.config.name)
    if not folder.ledger.is_file() and read_nights(folder.path):
        cure = f"sweeper history {file.source.name}   shows its nights; sweeper run {file.source.name} makes a report"
        raise UsageError.at(str(folder.path), "a study that has been run here", "one that was only checked here", cure)
    ledger = folder.ledger_of_run(file.source.name)
    study = prepare(file)
    known = stored(ledger, file.config.name)
    compare(study, known.notes)
    verdict = told(Judge(study).verdict(known.records, complete=bool(known.notes.get(COMPLETE))), known.notes)
    return write(folder.path, material(study, known.records, verdict, folder, known.notes))


def material(
    study: Prepared,
    records: Sequence[TrialRecord],
    verdict: Verdict,
    folder: StudyFolder,
    notes: Mapping[str, Any],
) -> Material:
    """Everything that the report of a study is made of."""
    kept = verdict.pick is not None and is_kept(records, verdict.pick.params, completed=True)
    predictions = load_predictions(folder.keep) if kept else None
    return Material(
        verdict=verdict,
        records=tuple(records),
        objective=study.objective,
        space=study.space,
        provenance=_provenance(study, notes, verdict),
        predictions=predictions,
        reads=secondary(
            records,
            verdict,
            space=study.space,
            objective=study.objective,
            no_information=study.data.no_information().get(study.objective.metric),
            seed=study.config.search.seed,
        ),
        nights=tuple(entry.night for entry in read_nights(folder.path)),
    )


def _provenance(study: Prepared, notes: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    config, data = study.config, study.data
    place = environment.describe(study.file.folder)
    began = notes.get(NOTE, {}).get("began")
    return {
        "study": study.text,
        "description": config.description,
        "data": {
            "name": config.data.name,
            "rows": len(data),
            "features": list(data.info.input_shape),
            "task": data.info.task.value,
            "sizes": dict(data.sizes()),
            "fingerprint": study.fixed["data fingerprint"],
        },
        "model": config.trainer or _called(config.model.name, config.model.options),
        "training": {
            "epochs": config.training.epochs,
            "batch_size": config.training.batch_size,
            "schedule": config.training.schedule,
            "loss": config.training.loss,
        },
        "versions": {"python": place.python, **place.packages},
        "git": None if place.commit is None else place.commit + (" (with changes)" if place.dirty else ""),
        "trained by": notes.get(WAY),
        "machine": f"{place.platform}, {place.cores} cores",
        "command": notes.get(COMMAND),
        "started": began,
        "duration_s": verdict.duration_s,
    }


def _called(name: str, options: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value}' for key, value in options.items())})"
