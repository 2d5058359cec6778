"""From words to objects: `module:function` references and near-miss suggestions."""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sweeper.errors import ModelError

_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

_IMPORTED: dict[str, tuple[str, int]] = {}
"""Module -> its file and the file's time of change (ns), as of its import through a reference."""


def is_reference(word: str) -> bool:
    """Whether a word has the form `module:function` (`keras:mnist` and its like are data sets, not references)."""
    return bool(_REFERENCE.fullmatch(word)) and not word.startswith("keras:")


def resolve(reference: str, folder: str | Path = ".", *, what: str = "function") -> Any:
    """The object that `module:function` names, with `folder` first on the import path.

    A module of `folder` wins over one of the same name that another study's folder gave, and is imported again when its
    file has changed: one process may run several studies.

    Raises:
        ModelError: the module cannot be imported or has no such function.
    """
    module_name, _, attribute = reference.partition(":")
    place = Path(folder).resolve()
    _forget_others(module_name, place)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a user's module may raise anything while it is imported
        raise ModelError.at(
            f"{what} {reference}",
            f"a module that imports, in {place} or installed",
            f"{type(error).__name__}: {error}",
            f"put {module_name.replace('.', '/')}.py beside the study file, or run it with python to see the fault",
        ) from error
    _note(module_name)
    if not hasattr(module, attribute):
        names = [name for name in vars(module) if callable(getattr(module, name)) and not name.startswith("_")]
        raise ModelError.at(
            f"{what} {reference}", f"a function in {module.__file__}", f"no {attribute!r}", suggest(attribute, names)
        )
    return getattr(module, attribute)


def _forget_others(module_name: str, place: Path) -> None:
    """Put `place` first on the import path, and drop what `sys.modules` would give instead of its file."""
    path = str(place)
    if sys.path[:1] != [path]:
        sys.path[:] = [path, *(entry for entry in sys.path if entry != path)]
    importlib.invalidate_caches()  # a file may have been written since the folder was looked into
    shadowed = {Path(file).stem for file, _ in _IMPORTED.values() if Path(file).parent != place}
    for name in {module_name, *shadowed} & set(sys.modules):
        if _is_another(name, place):
            top = name.partition(".")[0]
            for stale in [known for known in sys.modules if known == top or known.startswith(f"{top}.")]:
                del sys.modules[stale]


def _is_another(name: str, place: Path) -> bool:
    """Whether the imported module is not the one that lies in `place` now."""
    base = place.joinpath(*name.split("."))
    here = next((file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()), None)
    if here is None:
        return False
    file = getattr(sys.modules[name], "__file__", None)
    if file is None or Path(file).resolve() != here:
        return True
    return name in _IMPORTED and _IMPORTED[name] != (str(here), here.stat().st_mtime_ns)


def _note(name: str) -> None:
    file = getattr(sys.modules[name], "__file__", None)
    if file is not None and Path(file).is_file():  # a module may also come out of an archive
        resolved = Path(file).resolve()
        _IMPORTED[name] = (str(resolved), resolved.stat().st_mtime_ns)


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'adam'?`, or the whole list where nothing comes near."""
    names = list(known)
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {by_lower[near[0]]!r}?"
    return "one of " + ", ".join(sorted(names)) if names else ""
