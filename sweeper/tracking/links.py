"""The addresses of a study in the MLflow UI, asked of the server itself, so that MLflow need not be imported."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sweeper.tracking.addresses import public_uri
from sweeper.tracking.reachable import authorization, tls
from sweeper.tracking.views import curves_address, trials_address, verdict_address

_API = "/api/2.0/mlflow"


@dataclass(frozen=True)
class StudyLinks:
    """Where to look: the parent run, all trials, the finalists' curves."""

    verdict: str
    trials: str
    curves: str


def study_links(server: str, experiment: str, study_uid: str | None = None) -> StudyLinks | None:
    """Where a study is shown; None where the server has no such study.

    Args:
        server: http(s) address of an MLflow server, a password in it included.
        experiment: its name.
        study_uid: as in the tag `sweeper.study_uid`; None: the newest study of the experiment.
    """
    found = _ask(server, f"/experiments/get-by-name?experiment_name={quote(experiment, safe='')}")
    if found is None:
        return None
    number = found["experiment"]["experiment_id"]
    wanted = "tags.`sweeper.stage` = 'study'" if study_uid is None else f"tags.`sweeper.study_uid` = '{study_uid}'"
    question = {"experiment_ids": [number], "filter": wanted, "max_results": 1, "order_by": ["start_time DESC"]}
    runs = (_ask(server, "/runs/search", question) or {}).get("runs")
    if not runs:
        return None
    place = public_uri(server).rstrip("/") + "/", number, runs[0]["info"]["run_id"]
    return StudyLinks(verdict_address(*place), trials_address(*place), curves_address(*place))


def run_link(server: str, experiment: str, run_id: str) -> str | None:
    """Where one run is shown, without a password; None where the server does not tell.

    Args:
        server: http(s) address of an MLflow server.
        experiment: name of the run's experiment.
        run_id: of the run.
    """
    found = _ask(server, f"/experiments/get-by-name?experiment_name={quote(experiment, safe='')}")
    number = (found or {}).get("experiment", {}).get("experiment_id")
    return None if number is None else verdict_address(public_uri(server).rstrip("/") + "/", str(number), run_id)


def _ask(server: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """The answer as JSON; None where there is none."""
    request = urllib.request.Request(
        public_uri(server).rstrip("/") + _API + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **authorization(server)},
    )
    try:
        with urllib.request.urlopen(request, timeout=10, context=tls(server)) as response:
            answer = json.load(response)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
