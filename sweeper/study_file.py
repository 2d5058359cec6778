"""From a file (or a mapping) to a checked `StudyConfig`: every problem at once, each with its line."""

from __future__ import annotations

import copy
import typing
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Union

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sweeper import checks, shapes, yaml_source
from sweeper.config import StudyConfig
from sweeper.errors import Problem, StudyError, UsageError
from sweeper.registry import suggest
from sweeper.yaml_source import Source

StudyLike = Union[str, Path, Mapping[str, Any]]

_PLAIN_WORDS = {
    "string_type": "text",
    "string_too_short": "at least one character",
    "string_pattern_mismatch": "a name without / and :",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "too_short": "at least one item",
}
"""Pydantic's kind of error -> what belongs there."""

_PLACEHOLDERS: dict[str, Any] = {"name": "study", "data": {"name": "digits"}}
"""Stand in for required keys that are wrong or missing, so that the rest of the file is still checked."""


@dataclass(frozen=True)
class StudyFile:
    """A study that passed every check that needs no framework.

    Attributes:
        folder: what relative paths and `module:function` references are relative to.
    """

    config: StudyConfig
    source: Source
    folder: Path


def load(
    study: StudyLike, overrides: Mapping[str, Any] | None = None, typed: Mapping[str, str] | None = None
) -> StudyFile:
    """Read, override and check a study.

    Args:
        study: path of a YAML file, or a mapping of the same shape.
        overrides: dotted key -> value, applied before anything is checked, e.g. `{"training.epochs": 5}`.
        typed: dotted key -> how it was overridden if not by `-S`, e.g. `{"budget.time": "--time"}`; for messages.

    Raises:
        StudyError: with every problem of the study.
    """
    if isinstance(study, Mapping):
        source, folder = Source("study", "", copy.deepcopy(dict(study)), {}), Path.cwd()
    else:
        source, folder = yaml_source.read(Path(study)), Path(study).resolve().parent
    for key, value in (overrides or {}).items():
        _override(source.value, key, value)
    said = {key: f"-S {key}" for key in overrides or {}} | dict(typed or {})
    source = replace(source, overridden={tuple(key.split(".")): words for key, words in said.items()})
    problems: list[tuple[tuple[Hashable, ...], Problem]] = []
    config = _validated(source, problems)
    faulty = [path for path, _ in problems]
    for path, problem in [] if config is None else checks.problems(config, source):
        if not any(_touches(path, other) for other in faulty):
            problems.append((path, problem))
    if problems or config is None:
        problems.sort(key=lambda item: source.line(item[0]))
        raise StudyError(*(problem for _, problem in problems))
    return StudyFile(config, source, folder)


def _override(document: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    place: Any = document
    for parent in parents:
        if isinstance(place, dict) and place.get(parent) is None:
            place[parent] = {}
        place = place[parent] if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise UsageError(Problem(f"-S {key}", "a key of the study file", f"{'.'.join(parents)} holds no keys"))
    place[last] = value


def _validated(source: Source, problems: list[tuple[tuple[Hashable, ...], Problem]]) -> StudyConfig | None:
    """The config; where keys are wrong they are reported, taken out, and the rest is tried again."""
    given = copy.deepcopy(source.value)
    document = {key: value for key, value in given.items() if value is not None or key in _PLACEHOLDERS}
    for path, expected, received, cure in list(shapes.slips(document)):
        problems.append((path, Problem(source.where(path), expected, _shown(received), cure)))
        _take_out(document, path)
    for _ in range(4):
        try:
            return StudyConfig.model_validate(document)
        except ValidationError as error:
            found: dict[tuple[Hashable, ...], Problem] = {}
            for detail in error.errors():
                path = _path_in(document, detail["loc"], missing=detail["type"] == "missing")
                problem = _problem(detail, path, source)
                if path in found:  # every member of a union says what it would have taken
                    problem = replace(problem, expected=f"{found[path].expected} or {problem.expected}")
                found[path] = problem
            problems += [item for item in found.items() if item not in problems]
            for path in found:
                _take_out(document, path)
    return None


def _path_in(document: Any, location: tuple[int | str, ...], *, missing: bool) -> tuple[Hashable, ...]:
    """Pydantic's location without the parts that name a member of a union instead of a key."""
    path: list[Hashable] = []
    place = document
    for index, part in enumerate(location):
        if _holds(place, part):
            path.append(part)
            place = place[part]
        elif missing and index == len(location) - 1:
            path.append(part)
    return tuple(path)


def _holds(place: Any, part: Hashable) -> bool:
    return (isinstance(place, dict) and part in place) or (
        isinstance(place, list) and isinstance(part, int) and part < len(place)
    )


def _take_out(document: dict[str, Any], path: tuple[Hashable, ...]) -> None:
    if len(path) <= 1 and (not path or path[0] in _PLACEHOLDERS):
        document.update({key: value for key, value in _PLACEHOLDERS.items() if not path or key == path[0]})
        return
    place: Any = document
    for part in path[:-1]:
        place = place[part] if _holds(place, part) else None
    if isinstance(place, dict):
        place.pop(path[-1], None)
        if path[:-1] == ("data",) and path[-1] == "name":
            place["name"] = "digits"
    else:
        _take_out(document, path[:-1])


def _problem(detail: Any, path: tuple[Hashable, ...], source: Source) -> Problem:
    kind, received = detail["type"], detail["input"]
    where = source.where(path)
    if kind == "extra_forbidden":
        known = _fields(path[:-1])
        return Problem(where, "a known key", repr(path[-1]), suggest(str(path[-1]), known))
    if kind == "missing":
        example = {"name": "name: digits", "data": "data: {name: digits}"}.get(str(path[-1]), "")
        return Problem(where, f"the key {path[-1]!r}", "nothing", example)
    context = detail.get("ctx", {})
    if kind == "literal_error":
        return Problem(
            where, context["expected"].replace("'", ""), repr(received), _near(received, context["expected"])
        )
    expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    expected = expected.removeprefix("String should have ")
    expected = _PLAIN_WORDS.get(kind, expected)
    if expected.startswith(("greater", "less")):
        expected = f"a number {expected}"
    return Problem(where, expected, _shown(received))


def _near(received: Any, expected: str) -> str:
    words = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    hint = suggest(str(received), words)
    return hint if hint.startswith("did you mean") else ""


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _fields(path: tuple[Hashable, ...]) -> list[str]:
    """The keys that may stand under `path`."""
    model: type[BaseModel] = StudyConfig
    for part in path:
        found = fields(model).get(str(part)) if isinstance(part, str) else None
        inner = models_in(found.annotation) if found is not None else []
        if inner:
            model = inner[0]
    return list(fields(model))


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the words that stand in a study file, which need not be the names of its attributes."""
    return {found.alias or name: found for name, found in model.model_fields.items()}


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in typing.get_args(annotation) for model in models_in(argument)]


def _touches(path: tuple[Hashable, ...], other: tuple[Hashable, ...]) -> bool:
    shared = min(len(path), len(other))
    return path[:shared] == other[:shared]
