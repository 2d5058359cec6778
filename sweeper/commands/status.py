"""`sweeper status` and `sweeper best`: what is stored of a study, without touching it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeper.errors import NoVerdict, Problem, UsageError
from sweeper.folder import StudyFolder
from sweeper.study_file import StudyFile


def status(file: StudyFile, root: Path) -> dict[str, Any]:
    """Counts by stage and status, whether somebody runs it, and the outcome if there is one."""
    folder = StudyFolder(root, file.config.name)
    if not folder.ledger.is_file():
        return {"study": file.config.name, "folder": str(folder.path), "state": "not begun", "trials": {}}
    from sweeper.planning.optuna_ledger import stored

    records = stored(folder.ledger, file.config.name).records
    counts: dict[str, Counter[str]] = {}
    for record in records:
        counts.setdefault(record.spec.stage.value, Counter())[record.ended.status.value] += 1
    verdict = _verdict(folder)
    state = "running" if folder.is_locked() else "stopped" if verdict is None or not verdict["complete"] else "done"
    return {
        "study": file.config.name,
        "folder": str(folder.path),
        "state": state,
        "trials": {stage: dict(count) for stage, count in counts.items()},
        "outcome": None if verdict is None or state == "running" else verdict["outcome"],
        "pick": None if verdict is None else verdict["pick"],
    }


def status_words(document: Mapping[str, Any]) -> str:
    """The status for people."""
    lines = [f"{document['study']}: {document['state']}  ({document['folder']})"]
    for stage, counts in document["trials"].items():
        told = ", ".join(f"{count} {name.lower()}" for name, count in sorted(counts.items()))
        lines.append(f"  {stage:<9} {told}")
    if document.get("outcome"):
        lines.append(f"  outcome   {document['outcome']}")
    if document.get("pick"):
        lines.append(f"  pick      {' + '.join(map(str, document['pick']['combination'].values()))}")
    if document["state"] == "stopped":
        lines.append("  the same run command continues")
    return "\n".join(lines)


def best(file: StudyFile, root: Path) -> dict[str, Any]:
    """The pick of a study with its parameters.

    Raises:
        UsageError: the study has not been run.
        NoVerdict: nothing completed.
    """
    folder = StudyFolder(root, file.config.name)
    verdict = _verdict(folder)
    if verdict is None:
        where, cure = str(folder.path), f"sweeper run {file.source.name}"
        raise UsageError(Problem(where, "a study that has been run", "no verdict.json", cure))
    pick = verdict["pick"]
    if pick is None:
        raise NoVerdict(Problem(str(folder.path), "a trial that completed", verdict["outcome"], "see the report"))
    return {"outcome": verdict["outcome"], **pick, "regret": verdict["regret"], "metric": verdict["metric"]}


def best_words(document: Mapping[str, Any]) -> str:
    """The pick as a few lines that can stand in a study file."""
    lines = [f"# {document['outcome']}: {' + '.join(map(str, document['combination'].values()))}"]
    lines += [f"{name}: {json.dumps(value)}" for name, value in document["params"].items()]
    return "\n".join(lines)


def _verdict(folder: StudyFolder) -> dict[str, Any] | None:
    if not folder.verdict.is_file():
        return None
    document: dict[str, Any] = json.loads(folder.verdict.read_text(encoding="utf-8"))
    return document
