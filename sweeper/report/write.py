"""Writes the report of a study: every file whole or not at all."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sweeper.errors import StorageError
from sweeper.report import markdown
from sweeper.report.figures import NAMES, pictures
from sweeper.report.material import Material
from sweeper.report.trials_csv import trials_csv
from sweeper.verdict import Verdict


def write(folder: Path, material: Material) -> tuple[Path, ...]:
    """Write report.html, report.md, verdict.json, trials.csv and figures/*.png into a folder.

    Figures of an earlier report that this one lacks are removed.

    Returns:
        The files, report.html first.

    Raises:
        StorageError: the folder cannot be written.
    """
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        files = tuple(whole(folder / name, content) for name, content in _files(material))
        for name in NAMES:
            path = folder / "figures" / f"{name}.png"
            if path not in files:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError.at(
            str(folder), "a folder that can be written to", str(error), "free some space or choose another folder"
        ) from error
    return files


def verdict_json(verdict: Verdict) -> str:
    """The verdict document; numbers that JSON does not know (NaN, infinity) are null."""
    return json_text(verdict.to_dict())


def json_text(document: Mapping[str, Any]) -> str:
    """A document as a JSON file; numbers that JSON does not know (NaN, infinity) are null."""
    return json.dumps(_finite(document), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _files(material: Material) -> Iterator[tuple[str, bytes]]:
    from sweeper.report import html

    drawn = pictures(material)
    yield "report.html", html.render(material, drawn).encode("utf-8", "replace")
    yield "report.md", markdown.render(material, drawn).encode("utf-8", "replace")
    yield "verdict.json", verdict_json(material.verdict).encode("utf-8", "replace")
    yield "trials.csv", trials_csv(material).encode("utf-8", "replace")
    for picture in drawn:
        yield f"figures/{picture.name}.png", picture.png


def whole(path: Path, content: bytes) -> Path:
    """Write beside the place, then rename: a reader sees the old file or the new one, never a half."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    if hasattr(value, "item"):  # a numpy scalar among the parameters
        return _finite(value.item())
    return value
