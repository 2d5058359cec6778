"""Scheduled checks in MLflow: a run each, in the experiment of the study; and what earlier runs say.

CI machines start with empty folders, so the tracking server is their memory: the verdict that a check compares with and
the nights before it are read from there.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from sweeper.errors import Problem, UsageError
from sweeper.tracking.addresses import public_uri, sqlite_file
from sweeper.tracking.background import Writer
from sweeper.tracking.history import History
from sweeper.tracking.mlflow_children import Children, search
from sweeper.tracking.mlflow_tracker import ENVIRONMENT, SETTINGS, SOURCE, find_or_create, open_client
from sweeper.tracking.parent import hashes, source
from sweeper.tracking.projection import Projection, flat, key
from sweeper.trial import TrialRecord

CHECK, ENTRY, STAGE = "sweeper.check", "sweeper.night", "sweeper.stage"
LATEST = "latest"
MOST_NIGHTS = 400
"""Read back: a year and a bit."""


@dataclass(frozen=True)
class TrackedVerdict:
    """What a finished parent run says of its study.

    Attributes:
        verdict: verdict.json; `settings` is `Prepared.settings`, `packages` what it was made with.
    """

    verdict: Mapping[str, Any]
    settings: Mapping[str, Any]
    packages: Mapping[str, str]
    run_id: str


class MlflowGate:
    """Writes a check as a run, its trainings as children; satisfies `background.Writer`.

    Args:
        uri: tracking address.
        experiment: of the study; created where it does not exist.
        artifact_root: folder for the artifacts of an experiment that is created now; None leaves it to the server.
    """

    def __init__(self, uri: str, experiment: str, *, artifact_root: Path | None) -> None:
        self._uri, self._experiment, self._artifact_root = uri, experiment, artifact_root
        self._client = open_client(uri)
        self._run_id = ""
        self._children: Children | None = None

    def start(self, study: Mapping[str, Any]) -> Mapping[str, str | None]:
        """Open the run of the check, or find it where an answer of the server was lost.

        Args:
            study: `name`, `check` (unique), `study_hash`, `data_hash`, `objective`, `params` of the pick,
                `environment`.
        """
        experiment_id = find_or_create(self._client, self._uri, self._experiment, self._artifact_root)
        tags = {STAGE: "gate", CHECK: study["check"], **SOURCE, **hashes(study), **source(study["environment"])}
        run = next(search(self._client, experiment_id, {CHECK: study["check"]}), None)
        run = run or self._client.create_run(experiment_id, tags=tags, run_name=f"{study['name']} · check")
        self._run_id = run.info.run_id
        params = [Param(name, value) for name, value in flat(study["params"]).items()]
        self._client.log_batch(self._run_id, params=params)
        objective = study["objective"]
        projection = Projection(objective["metric"], objective["goal"] == "maximize", {**SOURCE, **hashes(study)})
        self._children = Children(self._client, experiment_id, self._run_id, projection, History(self._uri))
        self._children.take_stock()
        return {"uri": public_uri(self._uri), "experiment": self._experiment, "run_id": self._run_id}

    def trial(self, record: TrialRecord) -> None:
        """Write a training of the check."""
        assert self._children is not None, "start() comes first"
        self._children.write(record)

    def log_model(self, keep: Path, requirements: Sequence[str]) -> None:
        """A check keeps no model."""

    def finish(self, status: str, artifacts: Iterable[str], tags: Mapping[str, str]) -> None:
        """Close the run: scores and words from a `gate.json` among the artifacts."""
        now_ms = round(time.time() * 1000)
        for path in artifacts:
            self._client.log_artifact(self._run_id, path)
            if Path(path).name == "gate.json":
                document = json.loads(Path(path).read_text(encoding="utf-8"))
                self._client.log_batch(self._run_id, _metrics(document, now_ms))
                answer = f"{document['study']} · check {document['outcome'].lower()}"
                self._client.update_run(self._run_id, name=answer)
        self._client.log_batch(self._run_id, tags=[RunTag(name, str(text)) for name, text in tags.items()])
        self._client.set_terminated(self._run_id, status, now_ms)


def open_gate(uri: str, experiment: str, *, artifact_root: Path | None) -> Writer:
    """The writer of a check, for a process that `quiet.prepare` has prepared."""
    return MlflowGate(uri, experiment, artifact_root=artifact_root)


def nights(uri: str, experiment: str) -> list[dict[str, Any]]:
    """Entries of the checks of an experiment as they were written, each with the `run_id` of its run, newest first."""
    found = []
    for run in _runs(uri, experiment, "gate", MOST_NIGHTS):
        try:
            entry = json.loads(run.data.tags[ENTRY])
        except (KeyError, ValueError):  # a check that was killed
            continue
        if isinstance(entry, dict):
            found.append({**entry, "run_id": run.info.run_id})
    return found


def verdict_of(uri: str, experiment: str, which: str) -> TrackedVerdict:
    """The verdict of the study's latest finished parent run, or that of a run.

    Raises:
        UsageError: there is no such run, or it carries no verdict, or was made by a version that kept no settings.
    """
    where = f"{public_uri(uri)}  experiment {experiment!r}"
    runs = [run for run in _runs(uri, experiment, "study", MOST_NIGHTS) if which in (LATEST, run.info.run_id)]
    if not runs:
        known = "no finished study" if which == LATEST else f"no finished study with the run id {which}"
        cure = "sweeper run STUDY with the same tracking address; or a file: sweeper baseline set"
        raise UsageError(Problem(where, "the verdict of a study", known, cure))
    run = runs[0]
    client = open_client(uri)
    with tempfile.TemporaryDirectory(prefix="sweeper-") as folder:
        parts = [_artifact(client, run, name, folder) for name in ("verdict.json", SETTINGS, ENVIRONMENT)]
    verdict, settings, environment = parts
    if verdict is None or settings is None:
        missing = "verdict.json" if verdict is None else SETTINGS
        cure = "sweeper baseline set STUDY on the machine that ran it, or sweeper run --fresh"
        raise UsageError(Problem(f"{where}  run {run.info.run_id}", f"an artifact {missing}", "none", cure))
    known_packages = (environment or {}).get("packages")
    packages = {"python": str(environment["python"]), **known_packages} if environment and known_packages else {}
    return TrackedVerdict(verdict, settings, packages, run.info.run_id)


def _runs(uri: str, experiment: str, stage: str, most: int) -> list[Run]:
    """The finished runs of a stage, newest first; none where the store or the experiment is not there yet."""
    file = sqlite_file(uri)
    if file is not None and not file.is_file():
        return []
    client = open_client(uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return []
    wanted = f"tags.`{STAGE}` = '{stage}' and attributes.status = 'FINISHED'"
    page = client.search_runs([found.experiment_id], wanted, max_results=most, order_by=["attributes.start_time DESC"])
    return list(page)


def _artifact(client: MlflowClient, run: Run, name: str, folder: str) -> dict[str, Any] | None:
    try:
        path = client.download_artifacts(run.info.run_id, name, folder)
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (MlflowException, OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _metrics(document: Mapping[str, Any], now_ms: int) -> list[Metric]:
    values = {f"test_{document['metric']}": document["score"], "drop": document["drop"]}
    values["check_duration_s"] = document["duration_s"]
    return [Metric(key(name), float(value), now_ms, 0) for name, value in values.items() if value is not None]


def _conforms(gate: MlflowGate) -> Writer:
    """For the type checker."""
    return gate
