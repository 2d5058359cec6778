"""A first look at an NPZ archive and at a folder of images: names, shapes and numbers, no values."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from numpy.lib import format as npy

_INPUTS = ("x", "x_train", "features", "data", "images", "inputs", "train_x", "x_data")
_TARGETS = ("y", "y_train", "labels", "label", "target", "targets", "train_y", "y_data", "classes")
_FOUND_BY_ITSELF: Mapping[str, tuple[str, ...]] = {"x": ("x", "x_train"), "y": ("y", "y_train")}
_TEST = {"x_test": ("x_test", "test_x"), "y_test": ("y_test", "test_y")}


@dataclass(frozen=True)
class Arrays:
    """What an archive tells by its names and shapes.

    Attributes:
        options: of the data that have to be said, because the arrays are called something else than `x` and `y`.
        model: that suits the shape of the inputs.
        rows: how many, if that can be told.
    """

    options: tuple[tuple[str, str], ...] = ()
    model: str = "mlp"
    rows: int | None = None

    @classmethod
    def of(cls, path: Path) -> Arrays:
        """From the heads of the arrays; nothing where the file is no archive of arrays."""
        try:
            shapes = _shapes(path)
        except (OSError, ValueError, zipfile.BadZipFile):
            return cls()
        roles = {"x": _INPUTS, "y": _TARGETS, **_TEST}
        chosen = {role: _named(shapes, names) for role, names in roles.items()}
        options = tuple(
            (role, name)
            for role, name in chosen.items()
            if name is not None and name not in _FOUND_BY_ITSELF.get(role, (role,))
        )
        shape = shapes.get(chosen["x"] or "", ())
        return cls(options, "cnn" if len(shape) == 4 else "mlp", shape[0] if shape else None)


def pictures(folder: Path) -> int:
    """How many files the subfolders of a folder hold."""
    return sum(1 for file in folder.glob("*/*") if file.is_file() and not file.name.startswith("."))


def _named(shapes: Mapping[str, tuple[int, ...]], names: tuple[str, ...]) -> str | None:
    by_lower = {name.lower(): name for name in reversed(list(shapes))}
    return next((by_lower[name] for name in names if name in by_lower), None)


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    found = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if not member.endswith(".npy"):
                continue
            with archive.open(member) as stream:
                version = npy.read_magic(stream)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                found[member.removesuffix(".npy")] = tuple(read(stream)[0])
    return found
