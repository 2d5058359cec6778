"""The study in MLflow: one parent run, one child run a trial. Only the coordinator process writes here.

A projection of the ledger: every write may be repeated and changes nothing the second time, so a study that was
killed at any moment is completed by sending all of its records again. Explicit run ids throughout, never the fluent
API: there is no "current run" that a thread could get wrong.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Experiment, InputTag, Metric, Param, Run, RunTag

from sweeper.errors import TrackingError
from sweeper.protocols import Tracker
from sweeper.tracking import description
from sweeper.tracking.addresses import public_uri, sqlite_file
from sweeper.tracking.exclusive import exclusive
from sweeper.tracking.history import History
from sweeper.tracking.kept_model import log_kept_model
from sweeper.tracking.mlflow_children import Children, search
from sweeper.tracking.parent import (
    ended_ms,
    hashes,
    identifying,
    placed,
    plan_text,
    scores,
    source,
    verdict_among,
    without_passwords,
)
from sweeper.tracking.projection import Projection
from sweeper.tracking.registry import register
from sweeper.tracking.selection import All, Selection, selection
from sweeper.tracking.sqlite_store import gather, write_ahead
from sweeper.tracking.views import curves_address, report_address, trials_address, view_tags
from sweeper.trial import TrialRecord

NOTE = "mlflow.note.content"
VERDICT = "sweeper.verdict"
ENVIRONMENT, SETTINGS = "environment.json", "settings.json"
SOURCE = {"mlflow.source.name": "sweeper", "mlflow.source.type": "LOCAL"}
"""What the column "Source" shows; the fluent API would put the path of the script there."""

_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Without it the UI opens an experiment among traces and judges of language models."""

_GUIDE = (
    "One run a study, with its verdict as name and description and `report.html` among its artifacts. The trials are "
    "the runs below it: the plus before its name shows them."
)


class MlflowTracker:
    """Writes a study to an MLflow tracking store; satisfies `protocols.Tracker`.

    Args:
        uri: tracking address; the file of a `sqlite:///` address is created where it does not exist.
        experiment: name of the experiment; created where it does not exist.
        artifact_root: folder for the artifacts of an experiment that is created now; None leaves it to the server.
    """

    def __init__(self, uri: str, experiment: str, *, artifact_root: Path | None) -> None:
        self._uri = uri
        self._experiment = experiment
        self._artifact_root = artifact_root
        self._client = open_client(uri)
        self._study: Mapping[str, Any] = {}
        self._experiment_id = self._run_id = ""
        self._children: Children | None = None
        self._selection: Selection = All()
        self._model_uri: str | None = None

    def start(self, study: Mapping[str, Any]) -> Mapping[str, str | None]:
        """Open or find the parent run, and learn which trials are there already.

        Args:
            study: `name`, `study_uid`, `study_hash`, `data_hash`; and optional: `description`, `data` (`name`,
                `rows`, `features`, `task`), `study_text`, `environment`, `objective` (`metric`, `goal`),
                `strategy`, `plan` (nested) with `plan_hash`, `configuration` (nested, as resolved).

        Returns:
            `uri` (without a password), `experiment` and `run_id`.

        Raises:
            TrackingError: the experiment has been deleted.
            MlflowException: the store cannot be written.
        """
        self._study = study
        self._experiment_id = find_or_create(self._client, self._uri, self._experiment, self._artifact_root)
        found = self._only_parent()
        parent = found or self._create_parent()
        self._run_id = parent.info.run_id
        self._describe(parent)
        objective = study.get("objective", {})
        projection = Projection(
            objective.get("metric", "loss"), objective.get("goal") == "maximize", {**SOURCE, **hashes(study)}
        )
        self._children = Children(self._client, self._experiment_id, self._run_id, projection, History(self._uri))
        self._selection = selection(self._wanted("children", "all"), objective)
        for name, view in view_tags(self._run_id, study).items():
            self._client.set_experiment_tag(self._experiment_id, name, view)
        if found:
            self._client.update_run(self._run_id, status="RUNNING", name=study["name"])
            self._children.take_stock()
        return {"uri": public_uri(self._uri), "experiment": self._experiment, "run_id": self._run_id}

    def trial(self, record: TrialRecord) -> None:
        """Write a finished trial, unless it is there already; what a kill left half-written is completed.

        With `tracking.children` other than `all`, not every trial is written, and some only by `finish`.
        """
        assert self._children is not None, "start() comes first"
        for chosen in self._selection.take(record):
            self._children.write(chosen)

    def log_model(self, keep: Path, requirements: Sequence[str]) -> str:
        """Keep the pick as a model of the parent run; see `kept_model.log_kept_model`."""
        self._model_uri = log_kept_model(self._client, self._run_id, keep, requirements)
        return self._model_uri

    def finish(self, status: str, artifacts: Iterable[str], tags: Mapping[str, str]) -> None:
        """Close the parent run.

        Args:
            status: FINISHED, KILLED or FAILED.
            artifacts: files and folders. Files keep their places relative to the folder they share; a folder keeps
                its name. Scores are taken from a `verdict.json` among them.
            tags: further tags; `sweeper.verdict` is the verdict in one sentence and opens the description.
        """
        assert self._children is not None, "start() comes first"
        for chosen in self._selection.rest():
            self._children.write(chosen)
        self._children.settle()
        self._only_parent()
        paths = [Path(path) for path in artifacts]
        verdict = verdict_among(paths)
        registered = self._register(status, tags)
        if verdict or VERDICT in tags:
            links = self._links(report=any(path.name == "report.html" for path in paths)) + registered
            question = str(self._study.get("description") or "")
            note = description.closing(tags.get(VERDICT, ""), verdict, question, links)
            tags = {**tags, NOTE: note}
        end_ms = ended_ms(tags)
        known = self._client.get_run(self._run_id).data.metrics
        metrics = [
            Metric(name, value, end_ms, 0) for name, value in scores(verdict).items() if known.get(name) != value
        ]
        self._client.log_batch(self._run_id, metrics, tags=[RunTag(name, str(text)) for name, text in tags.items()])
        for path, folder in placed(paths):
            self._client.log_artifact(self._run_id, str(path), folder)
        self._client.update_run(self._run_id, name=self._title(status, verdict))
        self._client.set_terminated(self._run_id, status, end_ms)
        gather(self._uri)

    def _title(self, status: str, verdict: Mapping[str, Any]) -> str:
        name = str(self._study["name"])
        if status != "FINISHED":
            return f"{name} · unfinished"
        if not verdict:
            return name
        return ("" if name == self._experiment else f"{name} · ") + description.title(verdict)

    def _links(self, *, report: bool) -> list[str]:
        place = "", self._experiment_id, self._run_id
        looks = [f"[the report]({report_address(*place)})"] if report else []
        looks.append(f"[all trials, best first]({trials_address(*place)})")
        looks.append(f"[training curves of the finalists]({curves_address(*place)})")
        links = [f"Further: {', '.join(looks)}."]
        if self._model_uri:
            links.append(f"The pick as a model: `mlflow.pyfunc.load_model({self._model_uri!r})`")
        return links

    def _wanted(self, key: str, otherwise: str) -> str:
        """A word of `tracking` in the study file."""
        return str((self._study.get("configuration", {}).get("tracking") or {}).get(key) or otherwise)

    def _register(self, status: str, tags: Mapping[str, str]) -> list[str]:
        """Make the pick of a finished study a version of the registered model that `tracking.register` names."""
        name = self._wanted("register_as", "")
        if not (name and self._model_uri) or status != "FINISHED":
            return []
        version = register(self._client, name, self._model_uri, self._run_id, {**hashes(self._study), **tags})
        return [f"In the model registry: `models:/{name}/{version.version}`"]

    def _only_parent(self) -> Run | None:
        """The parent run, if there is one. Second ones, of which nothing is known but their tags, are deleted.

        A server that hung may answer two requests to create it, the first of them at any time later.
        """
        found = list(search(self._client, self._experiment_id, {"sweeper.study_uid": self._study["study_uid"]}))
        ours = [run for run in found if run.info.run_id == self._run_id]
        described = [run for run in found if run.data.params]
        parent = next(iter([*ours, *described, *found]), None)
        for run in found:
            if run is not parent and not run.data.params:
                self._client.delete_run(run.info.run_id)
        return parent

    def _create_parent(self) -> Run:
        study = self._study
        tags = {
            "sweeper.study_uid": study["study_uid"],
            "sweeper.stage": "study",
            **SOURCE,
            **hashes(study),
            **source(study.get("environment", {})),
        }
        return self._client.create_run(self._experiment_id, tags=tags, run_name=study["name"])

    def _describe(self, parent: Run) -> None:
        """Params, description, files and data set; whatever is there already stays."""
        study, known = self._study, parent.data.params
        params = identifying(study)
        new = [Param(name, value) for name, value in params.items() if name not in known]
        changed = [
            f"{name}: {known[name]} -> {value}" for name, value in params.items() if known.get(name, value) != value
        ]
        tags = [RunTag(NOTE, description.opening(study, trials_address("", self._experiment_id, self._run_id)))]
        if changed:  # params of a run cannot change, but a study may be extended
            tags.append(RunTag("sweeper.extended", "; ".join(changed)[:5000]))
        self._client.log_batch(self._run_id, params=new, tags=tags)
        if study.get("study_text"):
            self._client.log_text(self._run_id, without_passwords(study["study_text"]), "study.yaml")
        if study.get("plan") and "plan.sha256" not in known:
            self._client.log_text(self._run_id, plan_text(study["plan"]), "plan.json")
        if study.get("environment"):
            text = json.dumps(study["environment"], indent=2, default=str)
            self._client.log_text(self._run_id, text, ENVIRONMENT)
        if study.get("settings"):
            self._client.log_text(self._run_id, json.dumps(study["settings"], indent=2, sort_keys=True), SETTINGS)
        if study.get("data") and not (parent.inputs and parent.inputs.dataset_inputs):
            self._client.log_inputs(self._run_id, [_data_set(study["data"], study["data_hash"])])


def find_or_create(client: MlflowClient, uri: str, name: str, artifact_root: Path | None) -> str:
    """The id of an experiment.

    Raises:
        TrackingError: it has been deleted.
    """
    found: Experiment | None = client.get_experiment_by_name(name)
    if found is None:
        root = None if artifact_root is None else artifact_root.resolve().as_uri()
        return str(client.create_experiment(name, artifact_location=root, tags={**_KIND, NOTE: _GUIDE}))
    if found.lifecycle_stage == "deleted":
        raise TrackingError.at(
            f"{public_uri(uri)}  experiment {name!r}",
            "an experiment to write to",
            "one that has been deleted, whose name stays taken",
            f"mlflow experiments restore --experiment-id {found.experiment_id}   with MLFLOW_TRACKING_URI set\n"
            "tracking.experiment: another name   in the study file",
        )
    return str(found.experiment_id)


def open_client(uri: str) -> MlflowClient:
    """A client whose store has its tables."""
    file = sqlite_file(uri)
    write_ahead(uri)
    with contextlib.nullcontext() if file is None else exclusive(file):
        client = MlflowClient(uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI", uri))
        client.search_experiments(max_results=1)
        gather(uri)
    return client


def _data_set(data: Mapping[str, Any], data_hash: str) -> DatasetInput:
    """The data set by name, size and hash; the rows themselves stay where they are."""
    profile = {f"num_{name}": data[name] for name in ("rows", "features") if name in data}
    entity = Dataset(
        name=str(data.get("name", "data")),
        digest=data_hash[:8],
        source_type="code",
        source=json.dumps({"tags": SOURCE}),
        profile=json.dumps({**profile, "task": str(data.get("task", "")), "sha256": data_hash}),
    )
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training")])


def _conforms(tracker: MlflowTracker) -> Tracker:
    """For the type checker."""
    return tracker
