"""Every trial as a row of trials.csv: what it was, what it was trained with, and what came of it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweeper.report.material import Material
from sweeper.trial import Curve, TrialRecord
from sweeper.verdict import Objective

_BEFORE = ("number", "stage", "status")
_SEEDS = ("seed_split", "seed_init", "seed_shuffle", "repetition")
_AFTER = ("best_epoch", "epochs", "epochs_planned", "duration_s", "reason")


def trials_csv(material: Material) -> str:
    """The table as CSV (RFC 4180, one line of headings). Lists and mappings are JSON; a gap is empty."""
    return as_csv(table(material.records, material.objective, material.space.compare))


def table(records: Sequence[TrialRecord], objective: Objective, compare: Iterable[str]) -> dict[str, list[Any]]:
    """Every trial as a row: name of the column -> its values, None where a trial has none.

    A parameter or metric whose name is a column already is called `param.<name>` or `metric.<name>`.
    """
    params = _union((record.spec.params for record in records), first=compare)
    best = f"best_{objective.validation}"
    metrics = [name for name in _union(record.ended.metrics for record in records) if name not in (best, "best_epoch")]
    taken = {*_BEFORE, *_SEEDS, *_AFTER, best}
    param_columns = [_free(name, "param", taken) for name in params]
    taken |= set(param_columns)
    metric_columns = [_free(name, "metric", taken) for name in metrics]
    names = [*_BEFORE, *param_columns, *_SEEDS, *metric_columns, best, *_AFTER]
    rows = [_row(record, params, metrics, objective) for record in records]
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def as_csv(columns: Mapping[str, Sequence[Any]]) -> str:
    """The columns as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in zip(*columns.values(), strict=True))
    return buffer.getvalue()


def best_epoch(curve: Curve, objective: Objective) -> tuple[float | None, int | None]:
    """Best validation score of a trial and its epoch, counted from 0; the first one where several are equal."""
    values = [(objective.sign * v, -epoch) for epoch, v in enumerate(curve.get(objective.validation, ())) if _ok(v)]
    if not values:
        return None, None
    score, epoch = max(values)
    return objective.sign * score, -epoch


def _row(record: TrialRecord, params: list[str], metrics: list[str], objective: Objective) -> list[Any]:
    spec, ended = record.spec, record.ended
    best, epoch = best_epoch(record.curve, objective)
    cells: list[Any] = [spec.number, spec.stage.value, ended.status.value]
    cells += [spec.params.get(name, spec.combination.get(name)) for name in params]
    cells += [spec.seeds.split, spec.seeds.init, spec.seeds.shuffle, spec.repetition]
    cells += [ended.metrics.get(name) for name in metrics]
    cells += [best, epoch, ended.epochs, spec.epochs, ended.duration_s, ended.reason]
    return cells


def _union(mappings: Iterable[Any], first: Iterable[str] = ()) -> list[str]:
    names = dict.fromkeys(first)
    for mapping in mappings:
        names.update(dict.fromkeys(mapping))
    return list(names)


def _free(name: str, kind: str, taken: set[str]) -> str:
    return f"{kind}.{name}" if name in taken else name


def _ok(value: float) -> bool:
    return math.isfinite(value)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, default=str)
    return repr(value) if isinstance(value, float) else str(value)
