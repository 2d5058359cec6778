"""`sweeper baseline`: a verdict frozen for scheduled checks, from a study folder or from the tracking server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sweeper import __version__
from sweeper.commands.baseline_file import MLFLOW, read, write
from sweeper.commands.continuing import COMPLETE, NOTE, TRACKING, compare
from sweeper.commands.prepare import Prepared, prepare
from sweeper.errors import NoVerdict, Problem, UsageError
from sweeper.folder import StudyFolder
from sweeper.gate import Baseline
from sweeper.stats.gate import LEAST_BASELINE
from sweeper.study_file import StudyFile
from sweeper.trial import Combination


def set_baseline(file: StudyFile, root: Path, output: Path) -> Baseline:
    """Freeze the verdict of a finished study into a file.

    Raises:
        UsageError: the study has not been run.
        StudyChanged: the study file or the data are not those of the verdict.
        NoVerdict: nothing was confirmed.
        StorageError: the file cannot be written.
    """
    from sweeper.commands.judge import Judge
    from sweeper.planning.optuna_ledger import stored

    folder = StudyFolder(root.absolute(), file.config.name)
    ledger = folder.ledger_of_run(file.source.name)
    study = prepare(file)
    known = stored(ledger, file.config.name)
    compare(study, known.notes)
    verdict = Judge(study).verdict(known.records, complete=bool(known.notes.get(COMPLETE)))
    packages = known.notes.get(NOTE, {}).get("packages", {})
    run_id = (known.notes.get(TRACKING) or {}).get("run_id")
    baseline = freeze(verdict.to_dict(), study.settings, packages, run_id=run_id)
    write(baseline, output)
    return baseline


def freeze(
    verdict: Mapping[str, Any], settings: Mapping[str, Any], packages: Mapping[str, str], *, run_id: str | None
) -> Baseline:
    """A baseline from a verdict document and `Prepared.settings`.

    Raises:
        NoVerdict: the study is not finished, or its pick was not confirmed with enough seeds.
    """
    where = f"study {verdict['study']!r}"
    if not verdict["complete"]:
        raise NoVerdict(Problem(where, "a study that is finished", "an unfinished one", "the same sweeper run goes on"))
    pick = verdict["pick"]
    finalist = next((f for f in verdict["finalists"] if pick and f["combination"] == pick["combination"]), None)
    seeds = 0 if finalist is None else len(finalist["scores"])
    if pick is None or finalist is None or seeds < LEAST_BASELINE:
        expected = f"a pick that was confirmed with {LEAST_BASELINE} seeds at least"
        cure = "confirm: {seeds: 20}, then sweeper run --extend"
        raise NoVerdict(Problem(where, expected, f"{seeds} seeds", cure))
    plan = settings["fixed"]["plan"]
    scores = tuple(float(score) for score in finalist["scores"])
    own = float(plan["epsilon"])
    epsilon = own * abs(sum(scores) / seeds) if plan["epsilon_is_relative"] else own
    return Baseline(
        study=str(verdict["study"]),
        combination=Combination(pick["combination"]),
        params=dict(finalist["params"]),
        metric=str(verdict["metric"]),
        maximize=verdict["goal"] == "maximize",
        epsilon=epsilon,
        scores=scores,
        study_hash=str(settings["hash"]),
        data_hash=str(settings["fixed"]["data fingerprint"]),
        packages=dict(packages),
        sweeper=__version__,
        created=date.today().isoformat(),
        run_id=run_id,
        settings=settings["fixed"],
        task=str(settings["task"]),
        classes=settings["classes"],
        test_rows=int(settings["test_rows"]),
    )


def find(word: str, study: Prepared, tracking: str | None) -> Baseline:
    """The baseline that a word names: a file, `mlflow:latest`, or `mlflow:<run id>`.

    Raises:
        UsageError: there is none, or it is none.
        NoVerdict: the run carries no verdict that can be compared with.
    """
    if not word.startswith(MLFLOW):
        return read(Path(word))
    if not word.removeprefix(MLFLOW).strip():
        cure = "mlflow:latest takes the latest finished run of the study"
        raise UsageError(Problem(f"--baseline {word}", "mlflow:latest or mlflow:<run id>", "no run id", cure))
    if tracking is None:
        raise UsageError(
            Problem(f"--baseline {word}", "a tracking server to look on", "no tracking", "leave --no-tracking away")
        )
    from sweeper.tracking.quiet import prepare as quiet

    quiet()
    from sweeper.tracking.mlflow_gate import verdict_of

    found = verdict_of(tracking, study.config.tracking.experiment or study.config.name, word.removeprefix(MLFLOW))
    return freeze(found.verdict, found.settings, found.packages, run_id=found.run_id)
