"""What every data set must fulfil, wherever it comes from, before anything trains on it.

Keras trains on a NaN without a word (one NaN cell and ReLU: a finite loss and constant predictions), so nothing that is
not a number gets past here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sweeper.catalog.preprocessing import Pixels, Table, is_gap
from sweeper.catalog.targets import encode
from sweeper.data import Array, DataInfo, Dataset, Part, Preprocessing, Task
from sweeper.errors import DataError

_CHUNK = 4096
"""Rows that are prepared at once: a few MB of float32 for common images."""


def check(dataset: Dataset, *, target: str = "y") -> Dataset:
    """The data set in its final form: plain numeric arrays, class ids from 0, group ids from 0.

    Args:
        dataset: from any loader.
        target: what errors call the target.

    Raises:
        DataError: rows or shapes that do not agree, values that are not finite numbers, one class only, a class or
            groups too few for the parts of a split, or token ids outside the vocabulary.
    """
    for x, y, suffix in _parts(dataset):
        _refuse_no_array(x, f"{dataset.name}  x{suffix}")
        _refuse_no_array(y, f"{dataset.name}  {target}{suffix}")
    _refuse_disagreement(dataset)
    _refuse_wrong_groups(dataset)
    for x, y, suffix in _parts(dataset):
        _refuse_nonfinite(x, f"{dataset.name}  x{suffix}", gaps_allowed=_fills_gaps(dataset.preprocessing))
        if y.dtype.kind not in "OU":
            _refuse_nonfinite(y, f"{dataset.name}  {target}{suffix}", gaps_allowed=False)
    labelled = _with_labels(dataset, target)
    _refuse_too_few(labelled, target)
    numeric = _with_plain_types(labelled)
    _refuse_wrong_tokens(numeric)
    _refuse_wrong_inputs(numeric)
    return numeric


def _parts(dataset: Dataset) -> list[tuple[Array, Array, str]]:
    parts = [(dataset.x, dataset.y, "")]
    return parts if dataset.test is None else [*parts, (dataset.test.x, dataset.test.y, "_test")]


def _refuse_no_array(value: object, where: str) -> None:
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        raise DataError.at(where, "a numpy array with the rows first", type(value).__name__, "numpy.asarray(...)")


def _refuse_disagreement(dataset: Dataset) -> None:
    name = dataset.name
    for x, y, suffix in _parts(dataset):
        if 0 in x.shape or x.ndim < 2:
            raise DataError.at(f"{name}  x{suffix}", "rows and, in each of them, features", f"shape {x.shape}")
        if len(x) != len(y):
            raise DataError.at(f"{name}  y{suffix}", f"{len(x)} targets, one for each row of x", f"{len(y)}")
        if x.shape[1:] != dataset.x.shape[1:]:
            expected = f"rows of shape {dataset.x.shape[1:]} as in x"
            raise DataError.at(f"{name}  x{suffix}", expected, f"rows of shape {x.shape[1:]}")
    if dataset.info.task is Task.REGRESSION and math.prod(dataset.y.shape[1:]) != dataset.info.output_units:
        expected = f"{dataset.info.output_units} number(s) a row, as info.output_units says"
        raise DataError.at(f"{name}  y", expected, f"shape {dataset.y.shape}", "DataInfo.of(..., targets=...)")


def _refuse_wrong_groups(dataset: Dataset) -> None:
    groups, where = dataset.groups, f"{dataset.name}  groups"
    if groups is None:
        return
    _refuse_no_array(groups, where)
    if groups.shape != (len(dataset),):
        raise DataError.at(where, f"one id for each of the {len(dataset)} rows", f"shape {groups.shape}")
    gaps = [is_gap(group) for group in groups.tolist()]
    if any(gaps):
        raise DataError.at(f"{where}[{gaps.index(True)}]", "an id in every row", f"none in {sum(gaps)} rows")


def _fills_gaps(preprocessing: Preprocessing | None) -> bool:
    if isinstance(preprocessing, Table):
        return any(column.missing for column in preprocessing.columns)
    return preprocessing is not None and not isinstance(preprocessing, Pixels)


def _refuse_nonfinite(values: Array, where: str, *, gaps_allowed: bool) -> None:
    if values.dtype.kind in "biu":
        return
    if values.dtype.kind != "f":
        first = values.reshape(-1)[0] if values.size else None
        raise DataError.at(where, "numbers", f"{values.dtype} such as {first!r}", "turn words into numbers")
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32, copy=False)
    bad = np.isinf(narrow) if gaps_allowed else ~np.isfinite(narrow)
    if bad.any():
        position = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError.at(
            f"{where}{list(position)}",
            "finite numbers that fit into float32",
            f"{values[position]}; {int(bad.sum())} such value(s) in {int(bad.reshape(len(bad), -1).any(axis=1).sum())} "
            f"of {len(values)} rows",
            "remove these rows or fill the gaps",
        )


def _with_labels(dataset: Dataset, target: str) -> Dataset:
    """With class ids from 0 where the labels are anything else."""
    info = dataset.info
    if info.task is Task.REGRESSION:
        return dataset
    where = f"{dataset.name}  {target}"
    if dataset.y.ndim == 2 and dataset.y.shape[1] == 1:
        test = None if dataset.test is None else Part(dataset.test.x, dataset.test.y.reshape(-1))
        dataset = replace(dataset, y=dataset.y[:, 0], test=test)
    if dataset.y.ndim != 1:
        raise DataError.at(where, "one class a row, shape (n,)", f"shape {dataset.y.shape}", "y.argmax(axis=1)")
    if all(_are_ids(y, info.classes or 0) for _, y, _ in _parts(dataset)):
        return dataset
    ids, test_ids, names = encode(dataset.y, None if dataset.test is None else dataset.test.y, where=where)
    fresh = DataInfo.of(
        info.input_shape,
        classes=len(names),
        feature_names=info.feature_names,
        class_names=names,
        vocabulary=info.vocabulary,
    )
    fixed = None if dataset.test is None or test_ids is None else Part(dataset.test.x, test_ids)
    return replace(dataset, y=ids, test=fixed, info=fresh)


def _are_ids(y: Array, classes: int) -> bool:
    return y.dtype.kind in "iu" and int(y.min()) >= 0 and int(y.max()) < classes


def _refuse_too_few(dataset: Dataset, target: str) -> None:
    parts = "training, validation and test" if dataset.test is None else "training and validation"
    needed = 3 if dataset.test is None else 2
    if dataset.info.task is Task.REGRESSION:
        _refuse_constant(dataset, target, needed, parts)
    else:
        _refuse_few_of_a_class(dataset, target, needed, parts)
    if dataset.groups is not None:
        groups = len(np.unique(dataset.groups))
        if groups < needed:
            raise DataError.at(f"{dataset.name}  groups", f"at least {needed} groups: {parts}", f"{groups}")


def _refuse_constant(dataset: Dataset, target: str, needed: int, parts: str) -> None:
    where = f"{dataset.name}  {target}"
    if len(dataset) < needed:
        raise DataError.at(where, f"at least {needed} rows: {parts}", f"{len(dataset)}")
    if dataset.y.max() == dataset.y.min():
        value = dataset.y.reshape(-1)[0]
        raise DataError.at(where, "targets that vary", f"{value} in all {len(dataset)} rows", "another target column")


def _refuse_few_of_a_class(dataset: Dataset, target: str, needed: int, parts: str) -> None:
    where = f"{dataset.name}  {target}"
    counts = np.bincount(dataset.y.astype(int))
    names = dataset.info.class_names or tuple(str(i) for i in range(len(counts)))
    present = np.flatnonzero(counts)
    if len(present) < 2:
        received = f"only class {names[present[0]]!r} in all {len(dataset)} rows"
        raise DataError.at(where, "at least two classes", received, "rows of another class, or another target column")
    scarce = [i for i in present if counts[i] < needed]
    if scarce:
        listed = ", ".join(f"{names[i]!r} ({counts[i]})" for i in scarce[:5]) + (", ..." if len(scarce) > 5 else "")
        raise DataError.at(
            where,
            f"at least {needed} rows of every class: {parts}",
            f"{len(scarce)} class(es) with fewer: {listed}",
            "more rows of these classes, or leave them out; task: regression if these are quantities",
        )


def _with_plain_types(dataset: Dataset) -> Dataset:
    """Ids as int32, and inputs that no preprocessing widens as float32 or int32."""
    is_regression = dataset.info.task is Task.REGRESSION
    keep_x = dataset.preprocessing is not None
    parts = [
        Part(x if keep_x else _narrow(x), y.astype(np.float64 if is_regression else np.int32, copy=False))
        for x, y, _ in _parts(dataset)
    ]
    groups = dataset.groups
    if groups is not None:
        groups = np.unique(groups.astype(str), return_inverse=True)[1].reshape(-1).astype(np.int32)
    return replace(dataset, x=parts[0].x, y=parts[0].y, test=parts[1] if len(parts) > 1 else None, groups=groups)


def _narrow(x: Array) -> Array:
    if x.dtype.kind in "fb":
        return x.astype(np.float32, copy=False)
    if x.dtype == np.uint8 or np.abs(x).max() > np.iinfo(np.int32).max:
        return x.astype(np.float32)
    return x.astype(np.int32, copy=False)


def _refuse_wrong_tokens(dataset: Dataset) -> None:
    vocabulary = dataset.info.vocabulary
    if vocabulary is None:
        return
    for x, _, suffix in _parts(dataset):
        if x.dtype.kind not in "iu" or x.min() < 0 or x.max() >= vocabulary:
            received = f"{x.dtype} from {x.min()} to {x.max()}"
            raise DataError.at(f"{dataset.name}  x{suffix}", f"token ids from 0 to {vocabulary - 1}", received)


def _refuse_wrong_inputs(dataset: Dataset) -> None:
    """What the model would get must have the announced shape and be finite, whatever the preprocessing does."""
    where, announced = f"{dataset.name}  x", tuple(dataset.info.input_shape)
    prepare = _prepared_by(dataset)
    for x, _, suffix in _parts(dataset):
        for start in range(0, len(x), _CHUNK):
            rows = x[start : start + _CHUNK]
            inputs = prepare(rows)
            if inputs.shape != (len(rows), *announced):
                expected = f"model inputs of shape {(len(rows), *announced)} for {len(rows)} rows"
                raise DataError.at(f"{where}{suffix}", expected, f"{inputs.shape}", "DataInfo.of(input_shape, ...)")
            _refuse_nonfinite(inputs, f"{where}{suffix} prepared", gaps_allowed=False)


def _prepared_by(dataset: Dataset) -> Callable[[Array], Array]:
    preprocessing = dataset.preprocessing
    if preprocessing is None:
        return lambda rows: rows
    try:
        fitted = preprocessing.fit(dataset.x)
        fitted(dataset.x[:1])
    except Exception as error:  # a user's preprocessing may raise anything
        received = f"{type(error).__name__}: {error}"
        raise DataError.at(f"{dataset.name}  preprocessing", "fit(x), then a call on rows", received) from error
    return fitted
