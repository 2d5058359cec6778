"""The five small data sets that scikit-learn ships, read from its package folder.

`import sklearn.datasets` takes over a second, most of it for scipy, which is longer than a whole scripted study; the
files are plain comma- or space-separated numbers, so they are read without importing the package. A test compares
every value with what `sklearn.datasets` returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sweeper.catalog.preprocessing import Pixels, Table
from sweeper.data import Array, DataInfo, Dataset
from sweeper.errors import DataError

_MEASURES = "radius texture perimeter area smoothness compactness concavity concave_points symmetry fractal_dimension"
_CELL = [measure.replace("_", " ") for measure in _MEASURES.split()]


@dataclass(frozen=True)
class _Source:
    """A file of scikit-learn; the target is the last column, or stands in a file of its own.

    Attributes:
        skip: lines before the numbers.
        classes: names in the order of the ids; None for regression.
    """

    file: str
    features: tuple[str, ...]
    classes: tuple[str, ...] | None
    delimiter: str | None = ","
    skip: int = 1
    target_file: str | None = None


_SOURCES: Mapping[str, _Source] = {
    "digits": _Source("digits.csv.gz", (), tuple("0123456789"), skip=0),
    "breast_cancer": _Source(
        "breast_cancer.csv",
        (*(f"mean {m}" for m in _CELL), *(f"{m} error" for m in _CELL), *(f"worst {m}" for m in _CELL)),
        ("malignant", "benign"),
    ),
    "wine": _Source(
        "wine_data.csv",
        tuple(
            """alcohol malic_acid ash alcalinity_of_ash magnesium total_phenols flavanoids nonflavanoid_phenols
            proanthocyanins color_intensity hue od280/od315_of_diluted_wines proline""".split()
        ),
        ("class_0", "class_1", "class_2"),
    ),
    "iris": _Source(
        "iris.csv",
        ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        ("setosa", "versicolor", "virginica"),
    ),
    "diabetes": _Source(
        "diabetes_data_raw.csv.gz",
        tuple("age sex bmi bp s1 s2 s3 s4 s5 s6".split()),
        None,
        delimiter=None,
        skip=0,
        target_file="diabetes_target.csv.gz",
    ),
}


def load(name: str, options: Mapping[str, Any], folder: Path) -> Dataset:
    """`digits` as (8, 8, 1) images of 0 to 16, the others as tables to be standardised.

    Raises:
        DataError: scikit-learn or one of its files is not there.
    """
    source = _SOURCES[name]
    x, y = _read(source)
    classes = None if source.classes is None else len(source.classes)
    if name == "digits":
        info = DataInfo.of((8, 8, 1), classes=classes, class_names=source.classes)
        return Dataset(x.reshape(-1, 8, 8, 1).astype(np.uint8), y, info, preprocessing=Pixels(16.0), name=name)
    info = DataInfo.of(x.shape[1:], classes=classes, feature_names=source.features, class_names=source.classes)
    return Dataset(x, y, info, preprocessing=Table.of_numbers(source.features), name=name)


def _read(source: _Source) -> tuple[Array, Array]:
    values = _numbers(source.file, source.delimiter, source.skip)
    if source.target_file is not None:
        return values, _numbers(source.target_file, None, 0)
    return np.ascontiguousarray(values[:, :-1]), values[:, -1].astype(np.int32)


def _numbers(file: str, delimiter: str | None, skip: int) -> Array:
    path = _data_folder() / file
    if not path.exists():
        raise DataError.at(str(path), "a data file of scikit-learn 1.4 or later", "no such file", "update scikit-learn")
    return np.loadtxt(path, delimiter=delimiter, skiprows=skip)


def _data_folder() -> Path:
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise DataError.at("data.name", "scikit-learn, which ships this data set", "not installed", "install it")
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data"
