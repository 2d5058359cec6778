"""`sweeper report`: the report again, from the ledger alone; also what `run` ends with."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sweeper import environment
from sweeper.commands.continuing import COMPLETE, NOTE, SPENT_S, TRACKING, WAY, continue_or_begin
from sweeper.commands.judge import Judge
from sweeper.commands.prepare import Prepared, prepare
from sweeper.errors import Problem, UsageError
from sweeper.folder import StudyFolder
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.report.material import Material, load_predictions
from sweeper.report.write import write
from sweeper.study_file import StudyFile
from sweeper.trial import TrialRecord
from sweeper.verdict import Verdict


def report(file: StudyFile, root: Path) -> tuple[Path, ...]:
    """Write every file of the report from the ledger.

    Raises:
        UsageError: the study has not been run.
    """
    folder = StudyFolder(root.absolute(), file.config.name)
    if not folder.ledger.is_file():
        cure = f"sweeper run {file.source.name}"
        raise UsageError(Problem(str(folder.path), "a study that has been run", "no ledger", cure))
    study = prepare(file)
    with contextlib.closing(
        OptunaLedger(folder.ledger, file.config.name, space=study.space, objective=study.objective)
    ) as ledger:
        continue_or_begin(study, ledger, extend=False)
        judge = Judge(study)
        records = tuple(ledger.history.records())
        verdict = replace(
            judge.verdict(records, complete=bool(ledger.notes.get(COMPLETE))),
            duration_s=float(ledger.notes.get(SPENT_S, 0.0)),
            tracking=ledger.notes.get(TRACKING),
        )
        return write(
            folder.path, material(study, records, verdict, folder, ledger, f"sweeper report {file.source.name}")
        )


def material(
    study: Prepared,
    records: Sequence[TrialRecord],
    verdict: Verdict,
    folder: StudyFolder,
    ledger: OptunaLedger,
    command: str,
) -> Material:
    """Everything that the report of a study is made of."""
    predictions = load_predictions(folder.keep) if verdict.pick is not None else None
    return Material(
        verdict=verdict,
        records=tuple(records),
        objective=study.objective,
        space=study.space,
        provenance=_provenance(study, ledger, verdict, command),
        predictions=predictions,
    )


def _provenance(study: Prepared, ledger: OptunaLedger, verdict: Verdict, command: str) -> dict[str, Any]:
    config, data = study.config, study.data
    place = environment.describe(study.file.folder)
    began = ledger.notes.get(NOTE, {}).get("began")
    return {
        "study": study.file.source.text,
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
        "trained by": ledger.notes.get(WAY),
        "machine": f"{place.platform}, {place.cores} cores",
        "command": command,
        "started": began,
        "duration_s": verdict.duration_s,
    }


def _called(name: str, options: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value}' for key, value in options.items())})"
