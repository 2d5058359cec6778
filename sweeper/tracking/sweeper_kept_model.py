"""The kept model of a sweeper study, as `mlflow.pyfunc` loads it. Travels with the model: needs no sweeper.

Rows go in as they stand in the data set: raw columns (words included) or raw arrays. Out comes a DataFrame:

* classification: `prediction` (the class's name, as a number where all names are whole numbers) and one column
  `probability_<class>` a class;
* regression: `prediction`, in the unit of the data; `prediction_0`, `prediction_1`, ... for several targets.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]
Rows = Union[pd.DataFrame, Array, Mapping[str, Any], list[Any]]


def _load_pyfunc(path: str) -> KeptModel:
    """The entry point that MLflow calls with the folder of the kept files."""
    return KeptModel(Path(path))


class KeptModel:
    """A trained network with everything around it.

    Args:
        folder: holds `model.keras`, `data.json` and `preprocessing.json`.
    """

    def __init__(self, folder: Path) -> None:
        self.network = keras.saving.load_model(folder / "model.keras", compile=False)
        self.data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
        stored = folder / "preprocessing.json"
        self.preprocessing: dict[str, Any] = (stored.is_file() and json.loads(stored.read_text(encoding="utf-8"))) or {}

    def predict(self, rows: Rows, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """One line of predictions a row.

        Args:
            rows: DataFrame with the data set's columns, or an array whose columns stand in the same order.
            params: none are known; MLflow passes them.

        Raises:
            ValueError: columns are missing, or text stands where numbers belong.
        """
        outputs = self.network.predict(self._inputs(rows), verbose=0)
        outputs = np.asarray(outputs, dtype=np.float64).reshape(len(outputs), -1)
        index = rows.index if isinstance(rows, pd.DataFrame) else None
        columns = self._numbers(outputs) if self.data["task"] == "regression" else self._classes(outputs)
        frame: pd.DataFrame = pd.DataFrame(columns, index=index)
        return frame

    def _inputs(self, rows: Rows) -> Array:
        kind = self.preprocessing.get("kind")
        if kind == "table":
            return _table(self.preprocessing["columns"], rows)
        names = self.data.get("feature_names")
        x = np.asarray(_frame(rows, names)) if isinstance(rows, pd.DataFrame) and names else np.asarray(rows)
        x = x.reshape(len(x), *self.data["input_shape"])
        if kind == "pixels":
            return np.asarray(np.divide(x, np.float32(self.preprocessing["maximum"]), dtype=np.float32))
        return x if np.issubdtype(x.dtype, np.integer) else x.astype(np.float32)

    def _numbers(self, outputs: Array) -> dict[str, Array]:
        values = outputs * self.data.get("target_sd", 1.0) + self.data.get("target_mean", 0.0)
        if values.shape[1] == 1:
            return {"prediction": values[:, 0]}
        return {f"prediction_{target}": values[:, target] for target in range(values.shape[1])}

    def _classes(self, outputs: Array) -> dict[str, Array]:
        if outputs.shape[1] == 1:
            outputs = np.column_stack([1.0 - outputs, outputs])
        names = self.data.get("class_names") or [str(number) for number in range(outputs.shape[1])]
        labels = np.array([int(name) for name in names]) if _are_numbers(names) else np.array(names, dtype=object)
        chosen = labels[outputs.argmax(axis=1)]
        return {"prediction": chosen, **{f"probability_{name}": outputs[:, i] for i, name in enumerate(names)}}


def _are_numbers(names: list[str]) -> bool:
    """Whether every class is called by a whole number, as in the digits 0 to 9."""
    return all(name.lstrip("-").isdecimal() for name in names)


def _frame(rows: Rows, names: list[str]) -> pd.DataFrame:
    """The named columns in their order; where the columns have numbers instead of names, by position."""
    frame: pd.DataFrame = pd.DataFrame(rows)
    if all(isinstance(label, (int, np.integer)) for label in frame.columns):
        if frame.shape[1] != len(names):
            raise ValueError(f"expected {len(names)} columns ({', '.join(names)}), received {frame.shape[1]}")
        renamed: pd.DataFrame = frame.set_axis(pd.Index(names), axis="columns")
        return renamed
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ValueError(f"columns missing: {', '.join(missing)}; the model takes exactly {', '.join(names)}")
    chosen: pd.DataFrame = pd.DataFrame(frame[names])
    return chosen


def _table(columns: list[dict[str, Any]], rows: Rows) -> Array:
    """(n, inputs) float32: numbers standardised, words one-hot, gaps filled, all as learned from training rows."""
    frame = _frame(rows, [entry["column"]["name"] for entry in columns])
    blocks: list[Array] = []
    for position, entry in enumerate(columns):
        column, learned, values = entry["column"], entry["learned"], frame.iloc[:, position]
        gap = values.isna().to_numpy() | (values == "").to_numpy(dtype=bool, na_value=False)
        blocks.append(_scaled(column, learned, values, gap) if column["categories"] is None else _words(entry, values))
        if column["missing"]:
            blocks.append((gap & learned["gaps"])[:, None])
    return np.column_stack(blocks).astype(np.float32)


def _scaled(column: Mapping[str, Any], learned: Mapping[str, Any], values: pd.Series[Any], gap: Array) -> Array:
    try:
        numbers = values.mask(gap, learned["fill"]).to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {column['name']}: expected numbers; {error}") from error
    if learned["sd"] == 0.0:
        return np.zeros((len(numbers), 1))
    return np.asarray((numbers - learned["mean"]) / learned["sd"])[:, None]


def _words(entry: Mapping[str, Any], values: pd.Series[Any]) -> Array:
    """(n, categories) one-hot; a gap, and a word that no training row had, are zeros."""
    seen = np.array(entry["learned"]["seen"], dtype=bool)
    words = np.array(["" if _is_gap(value) else _word(value) for value in values], dtype=object)
    matches: Array = np.equal(words[:, None], np.array(entry["column"]["categories"], dtype=object), dtype=bool)
    inputs: Array = np.logical_and(matches, seen)
    return inputs


def _word(value: Any) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _is_gap(value: Any) -> bool:
    return value is None or str(value) in ("", "nan", "<NA>", "NaT")
