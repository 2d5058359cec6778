"""How the rows of a study are loaded, divided and prepared, as Python that needs no sweeper.

What sweeper finds out when it looks at a file (which columns are numbers, which classes there are) is written down as
it was found; how rows are divided is copied from sweeper's own source.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sweeper import splits
from sweeper.data import DataInfo, Task
from sweeper.registry import is_reference
from sweeper.report.script_parts import ARRAYS, COLUMNS, IMAGES, OWN_PREPARING, SAMPLES, STANDARDISED, TARGETS


@dataclass(frozen=True)
class Rows:
    """The data of a study, as far as a script has to know them.

    Attributes:
        name, options: as in the study file.
        folder: of the study file; paths are relative to it.
        preparing: `pixels`, `table`, `own` (of the user's data function), or `none`.
        maximum: of a pixel.
        columns: of a table: `name`, `categories` (words, or None for numbers) and `missing`.
        order: source of the function that puts rows in the order of which `samples` takes the first.
        order_seed, test_seed, validation_seed: of NumPy's generators.
        has_test, has_groups: whether test rows are fixed, and whether rows belong together.
        rows: how many there are.
    """

    name: str
    options: Mapping[str, Any]
    folder: Path
    info: DataInfo
    preparing: str
    maximum: float = 255.0
    columns: Sequence[Mapping[str, Any]] = ()
    order: str = field(default="", repr=False)
    order_seed: int = 0
    test_seed: int = 0
    validation_seed: int = 0
    validation: float = 0.2
    test: float = 0.2
    has_test: bool = False
    has_groups: bool = False
    rows: int = 0

    @property
    def is_regression(self) -> bool:
        """Whether numbers are predicted."""
        return self.info.task is Task.REGRESSION

    @property
    def path(self) -> Path:
        """Of the file or folder."""
        return (self.folder / Path(str(self.options.get("path", "."))).expanduser()).resolve()


def loading(rows: Rows) -> str:
    """The function `load_data() -> x, y, groups, test`."""
    if rows.name in _SKLEARN:
        body = _SKLEARN[rows.name]
    elif rows.name.startswith("keras:"):
        body = _keras(rows)
    elif rows.name in ("csv", "parquet"):
        body = _table(rows)
    elif rows.name == "images":
        body = IMAGES.format(path=str(rows.path), size=rows.options.get("size", 64), mode=_mode(rows))
    else:
        body = _arrays(rows)
    shorter = ""
    if "samples" in rows.options and not is_reference(rows.name):
        shorter = SAMPLES.format(
            samples=rows.options["samples"],
            order=rows.order,
            seed=rows.order_seed,
            least=3 * (rows.info.classes or 1),
            is_regression=rows.is_regression,
        )
    call = "shortened(*read_data())" if shorter else "read_data()"
    return "\n\n\n".join(
        [
            'def read_data():\n    """Raw rows, targets, groups and fixed test rows, where there are some."""\n'
            + _indented(body),
            *([shorter] if shorter else []),
            f'def load_data():\n    """As `read_data`, checked for their number."""\n'
            f"    x, y, groups, test = {call}\n"
            + ("    groups = np.unique(groups.astype(str), return_inverse=True)[1]\n" if rows.has_groups else "")
            + f"    if len(y) != {rows.rows}:\n"
            f'        print(f"these are {{len(y)}} rows; sweeper trained with {rows.rows}")\n'
            "    return x, y, groups, test",
        ]
    )


def dividing(rows: Rows) -> str:
    """The function `split(y, groups) -> training, validation and test row numbers`."""
    function = splits.grouped if rows.has_groups else splits.stratified
    given = "strata[rest], groups[rest]" if rows.has_groups else "strata[rest]"
    at_first = "strata, groups" if rows.has_groups else "strata"
    strata = "np.zeros(len(y), dtype=int)" if rows.is_regression else "y.astype(int)"
    fixed = rows.has_test or rows.test == 0
    lines = [
        "def split(y, groups):",
        '    """Row numbers of the training, validation and test part: the test rows are the same for every seed."""',
        f"    rows, strata = np.arange(len(y)), {strata}",
        "    rest, test = rows, rows[:0]"
        if fixed
        else f"    held = {function.__name__}({at_first}, {rows.test!r}, np.random.default_rng({rows.test_seed}))\n"
        "    rest, test = rows[~held], rows[held]",
        f"    share = {rows.validation!r} * len(y) / len(rest)",
        f"    held = {function.__name__}({given}, share, np.random.default_rng({rows.validation_seed}))",
        "    return rest[~held], rest[held], test",
    ]
    return "\n\n\n".join([inspect.getsource(function).rstrip(), "\n".join(lines)])


def preparing(rows: Rows) -> str:
    """The function `prepared(x, x_train) -> model inputs`; whatever is learned is learned from `x_train`."""
    if rows.preparing == "table":
        if all(column["categories"] is None and not column["missing"] for column in rows.columns):
            return STANDARDISED
        return COLUMNS
    head = 'def prepared(x, x_train):\n    """Model inputs from raw rows."""\n'
    if rows.preparing == "pixels":
        return f"{head}    return np.divide(x, np.float32({rows.maximum!r}), dtype=np.float32)"
    if rows.preparing == "own":
        return OWN_PREPARING
    kind = "float32" if rows.info.vocabulary is None else "int32"
    return f"{head}    return np.ascontiguousarray(x, dtype=np.{kind})"


def constants(rows: Rows) -> str:
    """What stands at the head of the script: columns and classes of a table."""
    if rows.name not in ("csv", "parquet"):
        return ""
    inside = ",\n".join(
        f"    ({_quoted(c['name'])}, {_words(c['categories'])}, {bool(c['missing'])!r})" for c in rows.columns
    )
    lines = ["# Column, its words (None: numbers), whether some rows have a gap there", f"COLUMNS = [\n{inside},\n]"]
    if rows.info.class_names is not None:
        lines.append(f"CLASSES = {_words(rows.info.class_names)}")
    return "\n".join(lines)


def _keras(rows: Rows) -> str:
    short = rows.name.partition(":")[2]
    if short in ("imdb", "reuters"):
        vocabulary, length = rows.options.get("vocabulary", 10_000), rows.options.get("length", 200)
        return (
            f"(x, y), (x_test, y_test) = keras.datasets.{short}.load_data(num_words={vocabulary})\n"
            f'padded = lambda texts: keras.utils.pad_sequences(texts, maxlen={length}, dtype="int32")\n'
            "return padded(x), y.astype(np.int32), None, (padded(x_test), y_test.astype(np.int32))"
        )
    load = f"(x, y), (x_test, y_test) = keras.datasets.{short}.load_data()\n"
    if rows.is_regression:
        return load + "return x.astype(np.float64), y, None, (x_test.astype(np.float64), y_test)"
    return (
        load + f"shape = (-1, *{rows.info.input_shape!r})\n"
        "ids = lambda labels: np.asarray(labels).reshape(-1).astype(np.int32)\n"
        "return x.reshape(shape), ids(y), None, (x_test.reshape(shape), ids(y_test))"
    )


def _table(rows: Rows) -> str:
    if rows.name == "csv":
        delimiter = rows.options.get("delimiter", "\t" if rows.path.suffix == ".tsv" else ",")
        decimal = "decimal=',', " if rows.options.get("decimal") == "," else ""
        read = (
            f"frame = pd.read_csv({_quoted(str(rows.path))}, sep={_quoted(delimiter)}, {decimal}index_col=False, "
            'skipinitialspace=True, low_memory=False, encoding="utf-8-sig")'
        )
    else:
        read = f"frame = pd.read_parquet({_quoted(str(rows.path))}).reset_index(drop=True)"
    target, groups = _one(rows.options["target"]), rows.options.get("groups")
    numbers = f"pd.to_numeric(frame[{_quoted(target)}].astype(object)).to_numpy(np.float64)"
    classes = f"np.array([CLASSES.index(word(value)) for value in frame[{_quoted(target)}].tolist()], dtype=np.int32)"
    grouped = f"pd.factorize(frame[{_quoted(_one(groups))}])[0]" if groups is not None else "None"
    return "\n".join(
        [
            "import pandas as pd",
            "",
            read,
            "frame.columns = [str(name).strip() for name in frame.columns]",
            "word = lambda value: str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)",
            "x = np.full((len(frame), len(COLUMNS)), np.nan)",
            "for place, (name, words, _) in enumerate(COLUMNS):",
            "    column = frame[name]",
            "    if words is None:",
            '        numbers = pd.to_numeric(column.astype(object), errors="coerce")',
            "        x[:, place] = numbers.to_numpy(np.float64, na_value=np.nan)",
            "    else:",
            "        known = column.notna().to_numpy()",
            "        x[known, place] = [words.index(word(value)) for value in column[known].tolist()]",
            f"y = {numbers if rows.is_regression else classes}",
            f"return x, y, {grouped}, None",
        ]
    )


def _arrays(rows: Rows) -> str:
    targets = "numbers" if rows.is_regression else "classes"
    if rows.name == "npz":
        keys = {role: rows.options.get(role) for role in ("x", "y", "x_test", "y_test", "groups")}
        defaults = {"x": ("x", "x_train"), "y": ("y", "y_train")}
        chosen = {
            role: ", ".join(map(_quoted, [str(key)] if key else defaults.get(role, (role,))))
            for role, key in keys.items()
        }
        read = "\n".join(
            [
                f"archive = np.load({_quoted(str(rows.path))}, allow_pickle=False)",
                "first = lambda *keys: next((archive[key] for key in keys if key in archive.files), None)",
                *(f"{role} = first({listed})" for role, listed in chosen.items()),
                "test = None if x_test is None else (x_test, y_test)",
            ]
        )
    else:
        module, _, function = rows.name.partition(":")
        read = "\n".join(
            [
                f"sys.path.insert(0, {_quoted(str(rows.folder))})",
                f"from {module} import {function} as load",
                "",
                ARRAYS.format(options=repr(dict(rows.options))),
            ]
        )
    return "\n".join([read, TARGETS[targets], "return x, y, groups, test"])


def _mode(rows: Rows) -> str:
    return "L" if rows.options.get("color") == "grayscale" else "RGB"


def _one(value: Any) -> str:
    return str(value[0] if isinstance(value, (list, tuple)) else value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _words(words: Sequence[str] | None) -> str:
    return "None" if words is None else f"[{', '.join(map(_quoted, words))}]"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in code.splitlines())


_LOADED = "from sklearn.datasets import load_{name}\n\nx, y = load_{name}(return_X_y=True)\n"
_SKLEARN: Mapping[str, str] = {
    "digits": _LOADED.format(name="digits")
    + "return x.reshape(-1, 8, 8, 1).astype(np.uint8), y.astype(np.int32), None, None",
    **{
        name: _LOADED.format(name=name) + "return x, y.astype(np.int32), None, None"
        for name in ("breast_cancer", "wine", "iris")
    },
    "diabetes": "from sklearn.datasets import load_diabetes\n\n"
    "x, y = load_diabetes(return_X_y=True, scaled=False)\n"
    "return x, y, None, None",
}
