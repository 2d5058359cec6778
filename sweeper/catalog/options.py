"""Typed access to the options of a data set, with an error that names the key as it stands in the study file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sweeper.errors import DataError
from sweeper.registry import suggest

Options = Mapping[str, Any]


def path_of(options: Options, folder: Path, *, is_folder: bool = False) -> Path:
    """What `data.path` names, relative to the folder of the study file.

    Raises:
        DataError: no path, nothing there, or a file where a folder belongs and the other way round.
    """
    kind = "folder" if is_folder else "file"
    given = options.get("path")
    if not isinstance(given, str) or not given:
        raise DataError.at("data.path", f"the {kind} that holds the data", repr(given), "path: ...")
    path = folder / Path(given).expanduser()
    if not path.exists():
        neighbours = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = suggest(path.name, neighbours)
        cure = near if near.startswith("did") else f"a path relative to {folder.resolve()}, or an absolute one"
        raise DataError.at(f"data.path: {given}", f"a {kind} that is there", f"nothing at {path.resolve()}", cure)
    if path.is_dir() is not is_folder:
        raise DataError.at(f"data.path: {given}", f"a {kind}", "a folder" if path.is_dir() else "a file")
    if not os.access(path, os.R_OK):
        raise DataError.at(f"data.path: {given}", f"a {kind} that may be read", "no permission", f"chmod +r {path}")
    return path


def number(options: Options, key: str, default: int, *, least: int = 1) -> int:
    """A whole number of at least `least`.

    Raises:
        DataError: anything else.
    """
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DataError.at(f"data.{key}", f"a whole number of at least {least}", repr(value), f"{key}: {default}")
    return value


def choice(options: Options, key: str, allowed: tuple[str, ...], default: str | None = None) -> str | None:
    """One of `allowed`, or the default where the key is absent.

    Raises:
        DataError: anything else.
    """
    value = options.get(key, default)
    if value is not None and value not in allowed:
        raise DataError.at(f"data.{key}", "one of " + ", ".join(allowed), repr(value), suggest(str(value), allowed))
    return None if value is None else str(value)


def names(options: Options, key: str) -> tuple[str, ...]:
    """A name or a list of names.

    Raises:
        DataError: anything else.
    """
    value = options.get(key, ())
    listed = value if isinstance(value, (list, tuple)) else (value,)
    if not all(type(name) in (str, int) for name in listed):
        raise DataError.at(f"data.{key}", "a name or a list of names", repr(value), f"{key}: [first, second]")
    return tuple(str(name) for name in listed)


def refuse_unknown(options: Options, allowed: Iterable[str], data_name: str) -> None:
    """Refuse a key that the loader of `data_name` does not know.

    Raises:
        DataError: names every such key.
    """
    known = tuple(allowed)
    for key in options:
        if key not in known:
            expected = "one of " + ", ".join(known) if known else "no options"
            raise DataError.at(f"data.{key}", f"{expected} for {data_name}", repr(options[key]), suggest(key, known))
