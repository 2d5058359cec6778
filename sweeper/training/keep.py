"""The kept model of a study: `model.keras`, its predictions on the test rows, and what another program needs to use it.

Every file is written whole or not at all.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from sweeper.data import Array, Task
from sweeper.training.feed import Feed


def keep_model(folder: str | Path, model: keras.Model, feed: Feed) -> None:
    """Write `model.keras`, `predictions.npz`, `preprocessing.json` and `data.json` into `folder`.

    Args:
        folder: made if it is not there.
        model: uncompiled, so that it loads without anything of sweeper.
        feed: its split, whose test rows are opened. `predictions.npz` has `y_true` (n,) or (n, targets) and `y_pred`
            (n, output_units): class probabilities as the model gives them, or targets in their original unit.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    test = feed.open_test()
    predicted = model.predict(test.x, verbose=0) if len(test) else np.zeros((0, feed.info.output_units))
    with _whole(place / "model.keras") as path, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Keras 3.15 gives h5py variables, which NumPy 2 minds
        model.save(path)
    with _whole(place / "predictions.npz") as path:
        np.savez(path, y_true=_as_given(test.y, feed), y_pred=_as_given(predicted, feed))
    fitted = feed.split.preprocessing
    _write_json(place / "preprocessing.json", None if fitted is None else fitted.to_dict())
    _write_json(place / "data.json", _essentials(feed))


def _as_given(y: Array, feed: Feed) -> Array:
    """Targets, or predictions of them, as the data set has them."""
    if feed.info.task is Task.REGRESSION:
        return y * feed.split.target_sd + feed.split.target_mean
    return y


def _essentials(feed: Feed) -> dict[str, Any]:
    info = feed.info
    return {
        "task": info.task.value,
        "input_shape": list(info.input_shape),
        "class_names": None if info.class_names is None else list(info.class_names),
        "feature_names": None if info.feature_names is None else list(info.feature_names),
        "vocabulary": info.vocabulary,
        "target_mean": feed.split.target_mean,
        "target_sd": feed.split.target_sd,
    }


def _write_json(target: Path, document: Any) -> None:
    with _whole(target) as path:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A file beside `target` that takes its place once it is complete."""
    draft = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        yield draft
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
