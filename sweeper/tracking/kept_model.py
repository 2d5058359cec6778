"""The pick of a study as an MLflow model of the parent run, written without importing TensorFlow.

MLflow's own Keras flavour would import TensorFlow here and know nothing of preprocessing or class names. So the model
is a folder of plain files (no pickles) and one small Python file, `sweeper_kept_model.py`, that reads them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union

import numpy as np
import pandas as pd
from mlflow import MlflowClient, pyfunc
from mlflow.entities import LoggedModelOutput
from mlflow.models import Model, ModelSignature
from mlflow.types.schema import AnyType, ColSpec, DataType, Schema

NAME = "model"
"""So that `runs:/<parent run>/model` names it, as in MLflow's own examples."""

FILES = ("model.keras", "data.json", "preprocessing.json")
_LOADER = Path(__file__).with_name("sweeper_kept_model.py")
_DIGEST = "sweeper.model_sha256"
Example = Union[pd.DataFrame, "np.ndarray[Any, Any]"]


def log_kept_model(client: MlflowClient, run_id: str, keep: Path, requirements: Sequence[str]) -> str:
    """Log the model of a `keep` folder on a run, once: the same network again changes nothing.

    Args:
        client: of the store that the run is in.
        run_id: of the parent run.
        keep: holds `model.keras`, `data.json` (`task`, `input_shape`; optional `class_names`, `feature_names`,
            `vocabulary`, `target_mean`, `target_sd`) and `preprocessing.json` (may hold `null`).
        requirements: pip requirements such as `keras==3.15.1`. Given, because MLflow would otherwise start a process
            that imports TensorFlow to find them, which takes 25 seconds.

    Returns:
        The address for `mlflow.pyfunc.load_model`.
    """
    digest = hashlib.sha256((keep / "model.keras").read_bytes()).hexdigest()
    run = client.get_run(run_id)
    experiment_id = run.info.experiment_id
    for logged in client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'"):
        if logged.tags.get(_DIGEST) == digest and str(logged.status) == "READY":
            return str(logged.model_uri)
        client.delete_logged_model(logged.model_id)
    model = client.create_logged_model(experiment_id, NAME, run_id, tags={_DIGEST: digest}, model_type="keras")
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "saved")
        _save(keep, saved, requirements, Model(run_id=run_id, model_id=model.model_id, model_uuid=model.model_id))
        client.log_model_artifacts(model.model_id, str(saved))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    client.log_artifact(run_id, str(keep / "model.keras"))
    return str(model.model_uri)


def _save(keep: Path, target: Path, requirements: Sequence[str], document: Model) -> None:
    data = json.loads((keep / "data.json").read_text(encoding="utf-8"))
    stored = keep / "preprocessing.json"
    preprocessing = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else None
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "kept")
        plain.mkdir()
        for name in FILES:
            if (keep / name).is_file():
                shutil.copy(keep / name, plain)
        pyfunc.save_model(
            str(target),
            loader_module=_LOADER.stem,
            data_path=str(plain),
            code_paths=[str(_LOADER)],
            pip_requirements=list(requirements),
            signature=ModelSignature(_inputs(preprocessing), _outputs(data)),
            input_example=_example(data, preprocessing),
            mlflow_model=document,
        )


def _inputs(preprocessing: Mapping[str, Any] | None) -> Schema | None:
    """The columns of a table with words; None for numbers and arrays.

    MLflow enforces a schema before the model sees anything: named columns would refuse every numpy array, a tensor
    every other type (the float64 that numpy makes by default) and every other shape. The model takes all of these.
    """
    columns = _columns(preprocessing)
    if all(column["categories"] is None for column in columns):
        return None
    return Schema([ColSpec(_column_type(column), column["name"]) for column in columns])


def _column_type(column: Mapping[str, Any]) -> Any:
    """Words are strings; everything else is left open, for MLflow takes no integer where it expects a float."""
    if column["categories"] is not None and not any(_looks_like_value(word) for word in column["categories"]):
        return DataType.string
    return AnyType()  # type: ignore[no-untyped-call]


def _outputs(data: Mapping[str, Any]) -> Schema:
    if data["task"] == "regression":
        return Schema([ColSpec(DataType.double, "prediction")])
    names = data.get("class_names") or ()
    probabilities = [ColSpec(DataType.double, f"probability_{name}") for name in names]
    numbered = all(name.lstrip("-").isdecimal() for name in names)
    return Schema([ColSpec(DataType.long if numbered else DataType.string, "prediction"), *probabilities])


def _example(data: Mapping[str, Any], preprocessing: Mapping[str, Any] | None) -> Example:
    """One row that the model takes: medians and first categories, or zeros of the right shape."""
    columns = _columns(preprocessing)
    if columns and preprocessing is not None:
        learned = [entry["learned"] for entry in preprocessing["columns"]]
        row = {
            column["name"]: [fitted["fill"] if column["categories"] is None else next(iter(column["categories"]), "")]
            for column, fitted in zip(columns, learned, strict=True)
        }
        frame: pd.DataFrame = pd.DataFrame(row)
        return frame
    dtype = np.uint8 if preprocessing is not None else np.int32 if data.get("vocabulary") else np.float32
    return np.zeros((1, *data["input_shape"]), dtype=dtype)


def _columns(preprocessing: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    if preprocessing is None or preprocessing["kind"] != "table":
        return []
    return [entry["column"] for entry in preprocessing["columns"]]


def _looks_like_value(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return word in ("True", "False")
    return True
