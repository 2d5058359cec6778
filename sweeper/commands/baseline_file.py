"""baseline.json: small, one thing a line, so that a change of it reads well in a review."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sweeper.errors import Problem, UsageError, unwritable
from sweeper.gate import Baseline
from sweeper.report.units import Units, number
from sweeper.trial import Combination

MLFLOW = "mlflow:"
FORMAT = 1
_DIGITS = 9
"""Of scores: more than float32 has."""

_KINDS: Mapping[str, tuple[type, ...]] = {
    "study": (str,),
    "combination": (dict,),
    "params": (dict,),
    "metric": (str,),
    "maximize": (bool,),
    "epsilon": (int, float),
    "scores": (list,),
    "study_hash": (str,),
    "data_hash": (str,),
    "packages": (dict,),
    "sweeper": (str,),
    "created": (str,),
    "run_id": (str, type(None)),
    "settings": (dict,),
    "task": (str,),
    "classes": (int, type(None)),
    "test_rows": (int,),
}


def text(baseline: Baseline) -> str:
    """The file: sorted keys, one value a line."""
    document = {"format": FORMAT, **asdict(baseline), "combination": dict(baseline.combination)}
    document["scores"] = [float(f"{score:.{_DIGITS}g}") for score in baseline.scores]
    document["epsilon"] = float(f"{baseline.epsilon:.{_DIGITS}g}")
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write(baseline: Baseline, path: Path) -> None:
    """Write the file.

    Raises:
        UsageError, StorageError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(text(baseline), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        cure = "choose another file with --output"
        raise unwritable(str(path), "a file that can be written", error, cure) from error


def read(path: Path) -> Baseline:
    """Read the file.

    Raises:
        UsageError: it is missing, no baseline, or of another version.
    """
    cure = "sweeper baseline set STUDY --output baseline.json   and keep that file with the study"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(Problem(str(path), "a baseline", "no such file", cure)) from error
    except IsADirectoryError as error:
        raise UsageError(Problem(str(path), "a baseline, a file", "a folder", cure)) from error
    except OSError as error:
        raise UsageError(Problem(str(path), "a baseline that can be read", error.strerror or "", cure)) from error
    except ValueError as error:
        raise UsageError(Problem(str(path), "a baseline, as JSON", "something else, or nothing", cure)) from error
    problems = list(_problems(document, path, cure))
    if problems:
        raise UsageError(*problems)
    known = {name: document[name] for name in _KINDS}
    known["combination"] = Combination(known["combination"])
    known["scores"] = tuple(float(score) for score in known["scores"])
    return Baseline(**known)


def _problems(document: Any, path: Path, cure: str) -> list[Problem]:
    if not isinstance(document, dict):
        return [Problem(str(path), "a baseline", f"JSON of another kind ({type(document).__name__})", cure)]
    if "finalists" in document:
        return [Problem(str(path), "a baseline", "a verdict, which does not say what it was made with", cure)]
    if document.get("format") != FORMAT:
        received = f"format {document['format']!r}" if "format" in document else "no format"
        return [Problem(str(path), f"a baseline of format {FORMAT}", received, cure)]
    problems = []
    for name, kinds in _KINDS.items():
        value = document.get(name)
        wrong = not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
        if name not in document or wrong:
            received = "nothing" if name not in document else json.dumps(value)[:60]
            problems.append(Problem(f"{path}  {name}", f"{kinds[0].__name__}", received, cure))
    scores = document.get("scores")
    if not problems and not (isinstance(scores, list) and _finite(scores)):
        problems.append(Problem(f"{path}  scores", "two finite numbers at least", json.dumps(scores)[:60], cure))
    return problems


def _finite(scores: list[Any]) -> bool:
    plain = all(isinstance(score, (int, float)) and not isinstance(score, bool) for score in scores)
    return len(scores) > 1 and plain and all(abs(score) < float("inf") for score in scores)


def words(baseline: Baseline) -> str:
    """The baseline for people."""
    mean = sum(baseline.scores) / len(baseline.scores)
    sd = (sum((score - mean) ** 2 for score in baseline.scores) / (len(baseline.scores) - 1)) ** 0.5
    units = Units.fitting(baseline.metric, baseline.maximize, [sd] if sd else [], baseline.scores)
    params = ", ".join(f"{name} {number(value)}" for name, value in sorted(baseline.params.items()))
    packages = ", ".join(f"{name} {version}" for name, version in sorted(baseline.packages.items()))
    lines = [
        f"baseline of {baseline.study}, frozen {baseline.created}",
        f"  pick      {baseline.combination}  ({params})",
        f"  scored    {baseline.metric} {units.score(mean)}, sd {units.gap(sd)} over {len(baseline.scores)} seeds",
        f"  margin    {units.gap(baseline.epsilon)}, unless the study file names one (gate.margin)",
        f"  data      {baseline.data_hash[:12]}, {baseline.task}, {baseline.test_rows} test rows",
        f"  made by   {packages or 'unknown'}",
    ]
    return "\n".join(lines)
