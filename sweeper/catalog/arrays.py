"""Data sets from arrays: npz archives, and what a function of one's own returns.

How arrays become model inputs follows from their type alone:

* bytes (uint8) are pixels and are scaled to 0..1;
* a matrix of floats (rows, columns) is a table and is standardised, fitted on training rows;
* everything else is taken as it is: floats as float32, whole numbers (token ids, say) as int32.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sweeper.catalog.options import choice, path_of
from sweeper.catalog.preprocessing import Pixels, Table
from sweeper.catalog.targets import TASKS, Targets
from sweeper.data import Array, DataInfo, Dataset, Part, Preprocessing
from sweeper.errors import DataError
from sweeper.registry import suggest

_DEFAULT_KEYS: Mapping[str, tuple[str, ...]] = {
    "x": ("x", "x_train"),
    "y": ("y", "y_train"),
    "x_test": ("x_test",),
    "y_test": ("y_test",),
    "groups": ("groups",),
}
"""Role -> names that are tried where the study file gives none."""


def load(name: str, options: Mapping[str, Any], folder: Path) -> Dataset:
    """An npz archive with `x` and `y`, and maybe `x_test`, `y_test` and `groups`.

    Raises:
        DataError: not an npz archive, a missing array, or an array of Python objects.
    """
    path = path_of(options, folder)
    task = choice(options, "task", TASKS)
    try:
        with path.open("rb") as stream:  # numpy leaves a broken archive open that it has opened itself
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                expected = "an npz archive with x and y"
                raise DataError.at(str(path), expected, "a single array", "np.savez(path, x=x, y=y)")
            found = {role: _member(archive, role, options, path) for role in _DEFAULT_KEYS}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        received = f"{type(error).__name__}: {error}"
        raise DataError.at(str(path), "an npz archive of plain arrays", received, "np.savez(path, x=x, y=y)") from error
    return assemble(
        (found["x"], found["y"]),
        _test(found["x_test"], found["y_test"], path),
        groups=found["groups"],
        name=path.name,
        task=task,
    )


def assemble(
    rows: tuple[Any, Any],
    test: tuple[Any, Any] | None = None,
    *,
    groups: Any = None,
    name: str = "data",
    task: str | None = None,
) -> Dataset:
    """A data set by the rules in the head of this module; `check` still has to look at it.

    Args:
        rows: `x` (n, ...) and `y` (n,) or (n, targets).
        test: the same for fixed test rows.
        groups: (n,) ids of rows that belong together.
        name: for people.
        task: `classification`, `regression`, or None: inferred from `y` as in `targets`.

    Raises:
        DataError: something that is no array of numbers, or targets with gaps.
    """
    x, y = _features(rows[0], f"{name}  x"), _array(rows[1], f"{name}  y")
    x_test = None if test is None else _features(test[0], f"{name}  x_test")
    y_test = None if test is None else _array(test[1], f"{name}  y_test")
    if x.ndim < 2:
        received = f"shape {x.shape}"
        raise DataError.at(f"{name}  x", "at least two axes: rows, then features", received, "x.reshape(len(x), -1)")
    targets = Targets.of(y, y_test, task=task, where=f"{name}  y")
    info = DataInfo.of(
        x.shape[1:],
        classes=None if targets.classes is None else len(targets.classes),
        targets=targets.y.shape[1] if targets.y.ndim == 2 else 1,
        class_names=targets.classes,
    )
    part = None if x_test is None or targets.test is None else Part(x_test, targets.test)
    ids = None if groups is None else _array(groups, f"{name}  groups")
    return Dataset(x, targets.y, info, part, ids, _preprocessing(x), name=name)


def _preprocessing(x: Array) -> Preprocessing | None:
    if x.dtype == np.uint8:
        return Pixels()
    if x.dtype.kind == "f" and x.ndim == 2:
        return Table.of_numbers([f"x{column}" for column in range(x.shape[1])])
    return None


def _features(value: Any, where: str) -> Array:
    """As an array; numbers that a data frame of mixed types keeps as objects become floats."""
    array = _array(value, where)
    if array.dtype.kind != "O":
        return array
    try:
        return array.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise DataError.at(where, "numbers", str(error), "turn words into numbers, or name: csv") from error


def _array(value: Any, where: str) -> Array:
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DataError.at(where, "an array, every row of the same shape", str(error)) from error


def _member(archive: Any, role: str, options: Mapping[str, Any], path: Path) -> Array | None:
    wanted = options.get(role)
    candidates = _DEFAULT_KEYS[role] if wanted is None else (str(wanted),)
    for key in candidates:
        if key in archive.files:
            return np.asarray(archive[key])
    if wanted is None and role not in ("x", "y"):
        return None
    received = "arrays " + (", ".join(archive.files) or "none")
    raise DataError.at(f"{path}  {candidates[0]}", f"the array for data.{role}", received, suggest(role, archive.files))


def _test(x: Array | None, y: Array | None, path: Path) -> tuple[Array, Array] | None:
    if (x is None) is not (y is None):
        there, missing = ("y_test", "x_test") if x is None else ("x_test", "y_test")
        raise DataError.at(f"{path}  {missing}", "x_test and y_test, or neither", f"{there} alone")
    return None if x is None or y is None else (x, y)
