"""Data sets by name: a table of strings, each imported when a study asks for it and no sooner."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sweeper.catalog.arrays import assemble
from sweeper.catalog.options import number, refuse_unknown
from sweeper.catalog.soundness import check
from sweeper.data import Array, Dataset, Part, Task
from sweeper.errors import DataError, ModelError
from sweeper.registry import is_reference, resolve, suggest
from sweeper.seeds import generator
from sweeper.vocabulary import DATA_OPTIONS, DATA_TASKS

LOADERS: Mapping[str, str] = {
    **dict.fromkeys(DATA_TASKS, "sweeper.catalog.sklearn_data:load"),
    **{name: "sweeper.catalog.keras_data:load" for name in DATA_TASKS if name.startswith("keras:")},
    "csv": "sweeper.catalog.tables:load",
    "parquet": "sweeper.catalog.tables:load",
    "npz": "sweeper.catalog.arrays:load",
    "images": "sweeper.catalog.images:load",
}
"""Name -> `module:function`, called with the name, the options and the folder of the study file."""

_BUILT_IN_OPTIONS = ("samples",)

SAMPLES = "samples"
"""What the order of the rows depends on, of which `samples` takes the first."""


def load(name: str, options: Mapping[str, Any], folder: Path) -> Dataset:
    """The data set that a study names, checked, with class ids from 0.

    Shares and seed of the split are the caller's to set, with `Dataset.divided`.

    Args:
        name: a name of `LOADERS`, or `module:function` beside the study file. Such a function is called with the
            options as keywords and returns `(x, y)`, `((x, y), (x_test, y_test))` or a `sweeper.data.Dataset`.
        options: everything else that `data` holds but `validation` and `test`. Built-in data sets take `samples`:
            the first n training rows of a fixed order in which the classes take turns by their size, with three rows
            of each in front; a fixed test part is shortened in proportion.
        folder: of the study file; paths are relative to it.

    Raises:
        DataError: names the place, what was expected, what was found and what to do.
    """
    if is_reference(name):
        return check(_from_function(name, options, folder))
    if name not in LOADERS:
        expected = "a data set that sweeper knows, or module:function beside the study file"
        raise DataError.at("data.name", expected, repr(name), suggest(name, LOADERS))
    refuse_unknown(options, DATA_OPTIONS.get(name, _BUILT_IN_OPTIONS), name)
    module, _, function = LOADERS[name].partition(":")
    loaded: Dataset = getattr(importlib.import_module(module), function)(name, options, folder)
    if "samples" in options:
        loaded = shortened(loaded, number(options, "samples", len(loaded)))
    return check(loaded, target=str(options.get("target", "y")))


def shortened(dataset: Dataset, samples: int) -> Dataset:
    """With `samples` training rows, and as large a share of the fixed test rows.

    The larger sample holds the smaller one, and neither depends on the seed of a study.

    Raises:
        DataError: more rows than there are, or fewer than three of every class.
    """
    least = 3 * (dataset.info.classes or 1)
    if not least <= samples <= len(dataset):
        expected = f"a number from {least} to {len(dataset)} for {dataset.name}"
        raise DataError.at("data.samples", expected, str(samples), f"samples: {min(max(samples, least), len(dataset))}")
    is_regression = dataset.info.task is Task.REGRESSION
    rows = fixed_order(dataset.y, is_regression, generator(SAMPLES))[:samples]
    test = dataset.test
    if test is not None:
        kept = max(round(samples * len(test) / len(dataset)), min(least, len(test)))
        chosen = fixed_order(test.y, is_regression, generator(SAMPLES))[:kept]
        test = Part(test.x[chosen], test.y[chosen])
    return replace(dataset, x=dataset.x[rows], y=dataset.y[rows], test=test)


def fixed_order(y: Array, is_regression: bool, rng: np.random.Generator) -> Array:
    """Row numbers: shuffled, and for classes interleaved so that any first part has each in its share."""
    shuffled = rng.permutation(len(y))
    if is_regression:
        return shuffled
    turn = np.empty(len(y))
    labels = y[shuffled]
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        turn[members] = (np.arange(len(members)) + 0.5) / len(members)
        turn[members[:3]] = -1.0
    return np.asarray(shuffled[np.argsort(turn, kind="stable")])


def _from_function(reference: str, options: Mapping[str, Any], folder: Path) -> Dataset:
    where = f"data.name: {reference}"
    try:
        function = resolve(reference, folder, what="data function")
    except ModelError as error:
        raise DataError(*error.problems) from error
    if not callable(function):
        raise DataError.at(where, "a function", type(function).__name__)
    try:
        returned = function(**options)
    except Exception as error:  # a user's function may raise anything
        raise DataError.at(where, "data", _told(error), "call it with python to see the fault") from error
    return _understood(returned, where, reference)


def _understood(returned: object, where: str, name: str) -> Dataset:
    if isinstance(returned, Dataset):
        return returned
    if not (isinstance(returned, (tuple, list)) and len(returned) == 2):
        shown = type(returned).__name__ + (f" of {len(returned)}" if isinstance(returned, (tuple, list)) else "")
        expected = "(x, y), ((x, y), (x_test, y_test)) or a sweeper.data.Dataset"
        raise DataError.at(where, expected, shown, "return x, y")
    first, second = returned
    if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second) == 2:
        return assemble(first, second, name=name)
    return assemble((first, second), name=name)


def _told(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[1:]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
