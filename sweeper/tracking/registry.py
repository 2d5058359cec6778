"""The pick in MLflow's model registry, with what the verdict says of it; a version is registered once."""

from __future__ import annotations

from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from sweeper.tracking.addresses import is_server

MODEL_TAG = "sweeper.model"
ALIASES: Mapping[str, str] = {"WINNER": "winner", "TIE": "tie", "NOT_SEPARATED": "not-separated"}
"""Outcome -> the alias that moves to the version, so that `models:/<name>@winner` never names a mere pick."""


def register(client: MlflowClient, name: str, model_uri: str, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
    """Make the logged model a version of a registered model; the same model again is the version that is there.

    Args:
        client: of the store that the model is in.
        name: of the registered model; created where it does not exist.
        model_uri: `models:/m-...`, as `kept_model.log_kept_model` returns it.
        run_id: of the parent run.
        tags: of the version, such as `sweeper.outcome`; `sweeper.verdict` becomes its description too.
    """
    model_id = model_uri.removeprefix("models:/")
    version = _known(client, name, model_id, run_id)
    if version is None:
        # a store in this process would look for `models:/...` where MLflow's global address points
        source = model_uri if is_server(client.tracking_uri) else client.get_logged_model(model_id).artifact_location
        version = client.create_model_version(name, source, run_id, model_id=model_id)
        client.set_model_version_tag(name, version.version, MODEL_TAG, model_id)
    for key, text in tags.items():
        client.set_model_version_tag(name, version.version, key, text)
    client.update_model_version(name, version.version, tags.get("sweeper.verdict", ""))
    alias = ALIASES.get(tags.get("sweeper.outcome", ""))
    if alias is not None:
        client.set_registered_model_alias(name, alias, version.version)
    return version


def _known(client: MlflowClient, name: str, model_id: str, run_id: str) -> ModelVersion | None:
    """The version with this model, whoever lost the answer to its creation."""
    try:
        client.create_registered_model(name, {"sweeper": "the picks of sweeper studies"})
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    for version in client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'"):
        if model_id in (version.tags.get(MODEL_TAG), getattr(version, "model_id", None)):
            return version
    return None
