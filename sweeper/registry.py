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


def is_reference(word: str) -> bool:
    """Whether a word has the form `module:function` (`keras:mnist` and its like are data sets, not references)."""
    return bool(_REFERENCE.fullmatch(word)) and not word.startswith("keras:")


def resolve(reference: str, folder: str | Path = ".", *, what: str = "function") -> Any:
    """The object that `module:function` names, with `folder` on the import path.

    Raises:
        ModelError: the module cannot be imported or has no such function.
    """
    module_name, _, attribute = reference.partition(":")
    place = str(Path(folder).resolve())
    if place not in sys.path:
        sys.path.insert(0, place)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a user's module may raise anything while it is imported
        raise ModelError.at(
            f"{what} {reference}",
            f"a module that imports, in {place} or installed",
            f"{type(error).__name__}: {error}",
            f"put {module_name.replace('.', '/')}.py beside the study file, or run it with python to see the fault",
        ) from error
    if not hasattr(module, attribute):
        names = [name for name in vars(module) if callable(getattr(module, name)) and not name.startswith("_")]
        raise ModelError.at(
            f"{what} {reference}", f"a function in {module.__file__}", f"no {attribute!r}", suggest(attribute, names)
        )
    return getattr(module, attribute)


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'adam'?`, or the whole list where nothing comes near."""
    names = list(known)
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {by_lower[near[0]]!r}?"
    return "one of " + ", ".join(sorted(names)) if names else ""
