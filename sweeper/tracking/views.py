"""Two ready views of a study in the MLflow UI: all trials as a table, the finalists' curves by combination.

MLflow keeps a shared view as an experiment tag that an address refers to (its "Share view"); here both are written
when a study begins, so that a visitor need not know which of fifty columns matter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TAG = "mlflow.sharedViewState."
MODEL_TRAINING = "workflowType=machine_learning"
"""Without it the UI's menu is about language models. Older versions ignore it."""


def verdict_address(page: str, experiment_id: str, run_id: str) -> str:
    """Of the parent run. `page`: where the UI is, such as `http://127.0.0.1:5000/`, or empty for links within it."""
    return f"{page}#/experiments/{experiment_id}/runs/{run_id}?{MODEL_TRAINING}"


def report_address(page: str, experiment_id: str, run_id: str) -> str:
    """Of the report, shown beside the other artifacts."""
    return f"{page}#/experiments/{experiment_id}/runs/{run_id}/artifacts/report.html?{MODEL_TRAINING}"


def trials_address(page: str, experiment_id: str, run_id: str) -> str:
    """Of every trial of the study in a table, best first."""
    return f"{page}#/experiments/{experiment_id}/runs?{MODEL_TRAINING}&viewStateShareKey={run_id}-trials"


def curves_address(page: str, experiment_id: str, run_id: str) -> str:
    """Of the finalists' training curves, averaged over their seeds."""
    place = f"{page}#/experiments/{experiment_id}/runs?{MODEL_TRAINING}"
    return f"{place}&compareRunsMode=CHART&viewStateShareKey={run_id}-curves"


def view_tags(run_id: str, study: Mapping[str, Any]) -> dict[str, str]:
    """Experiment tags that hold the views of the study with this parent run."""
    objective = study.get("objective", {})
    metric = objective.get("metric", "loss")
    best = f"metrics.`best_val_{metric}`"
    common = {
        "selectedColumns": [
            *(f"params.`{name}`" for name in _parameters(study)),
            *(best, f"metrics.`val_{metric}`", f"metrics.`test_{metric}`"),
            *("tags.`sweeper.stage`", "tags.`sweeper.status`"),
        ],
        "orderByKey": best,
        "orderByAsc": objective.get("goal") == "minimize",
    }
    children = f"tags.`mlflow.parentRunId` = '{run_id}'"
    by_combination = [{"mode": "tag", "groupByData": "sweeper.combination"}]
    curves = {
        "searchFilter": f"{children} and tags.`sweeper.stage` = 'confirm'",
        "groupBy": {"aggregateFunction": "average", "groupByKeys": by_combination},
        "runsHiddenMode": "SHOW_ALL",
    }
    return {
        f"{TAG}{run_id}-trials": json.dumps({**common, "searchFilter": children}),
        f"{TAG}{run_id}-curves": json.dumps({**common, **curves}),
    }


def _parameters(study: Mapping[str, Any]) -> list[str]:
    """What is compared, then what is tuned."""
    configuration = study.get("configuration", {})
    names = [*configuration.get("compare", ()), "learning_rate", *(configuration.get("parameters") or ())]
    return list(dict.fromkeys(names))
