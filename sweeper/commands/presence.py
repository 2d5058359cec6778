"""Files and modules that a study names and that are not there; looked for, never opened or imported."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sweeper.errors import Problem
from sweeper.registry import is_reference, suggest
from sweeper.study_file import StudyFile


def missing(file: StudyFile) -> Iterator[Problem]:
    """What the run would not find, each with its line."""
    config = file.config
    path = config.data.options.get("path")
    if isinstance(path, str) and not (file.folder / Path(path).expanduser()).exists():
        place = (file.folder / Path(path).expanduser()).resolve()
        beside = [entry.name for entry in place.parent.iterdir()] if place.parent.is_dir() else []
        near = suggest(place.name, beside)
        cure = near if near.startswith("did you mean") else "a path relative to the study file, or an absolute one"
        yield Problem(file.source.where(("data", "path")), "data that are there", f"nothing at {place}", cure)
    named = {("data", "name"): config.data.name, ("model", "name"): config.model.name, ("trainer",): config.trainer}
    for key, word in named.items():
        if word is None or not is_reference(word) or (key == ("model", "name") and config.trainer is not None):
            continue
        module = word.partition(":")[0]
        if not _is_there(module, file.folder):
            cure = f"{module.replace('.', '/')}.py beside the study file"
            yield Problem(
                file.source.where(key), f"a module in {file.folder}, or an installed one", f"no module {module!r}", cure
            )


def _is_there(module: str, folder: Path) -> bool:
    """Whether a module would be found, without running what stands in the packages above it."""
    if module in sys.modules:
        return True
    places: Sequence[str] | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = importlib.machinery.PathFinder.find_spec(name, [str(folder)] if places is None else places)
        finders = () if spec is not None else sys.meta_path
        spec = spec or next((found for finder in finders if (found := finder.find_spec(name, places))), None)
        if spec is None:
            return False
        places = list(spec.submodule_search_locations or ())
    return True
