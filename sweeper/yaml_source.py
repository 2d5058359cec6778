"""A YAML file as plain values plus the line of each, read so that no file can do harm.

Scalars follow YAML 1.2 (`1e-3` is a number, `no` and `on` are words, `010` is ten). Anchors and aliases, duplicate
keys, tags, more than 1 MB and deep nesting are refused: the first are how a small file explodes, the last overruns the
stack.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sweeper.errors import Problem, StudyError

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
"""Study files are five levels deep; Python's stack ends near 1,000, of which a level of YAML takes several."""

Path_ = tuple[Hashable, ...]


@dataclass(frozen=True)
class Source:
    """A parsed file.

    Attributes:
        value: mappings, lists and scalars.
        lines: where each key or item stands: path of keys and indices -> line, from 1.
        overridden: keys whose value came from the command line, not from the file, and what was typed there.
    """

    name: str
    text: str
    value: Any
    lines: dict[Path_, int] = field(repr=False)
    overridden: Mapping[Path_, str] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """The line of `path`, or of the nearest enclosing key that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def where(self, path: Path_) -> str:
        """For messages: `study.yaml:12  parameters.learning_rate.min`, or `-S training.epochs`."""
        dotted = ".".join(str(part) for part in path)
        for end in range(len(path), 0, -1):
            typed = self.overridden.get(path[:end], "")
            if typed:
                return f"-S {dotted}" if typed.startswith("-S") else typed
        return f"{self.name}:{self.line(path)}  {dotted}".rstrip()


STUDY, STUDY_EXAMPLE = "study file", "name: my-study"


def read(path: Path, *, kind: str = STUDY, example: str = STUDY_EXAMPLE) -> Source:
    """Read and parse a file; `kind` says what it ought to be, `example` how such a file may begin.

    Raises:
        StudyError: the file is missing, unreadable, too large, not UTF-8 or not YAML.
    """
    name = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        is_missing = kind == STUDY and isinstance(error, FileNotFoundError)
        cure = "sweeper init writes a first study file" if is_missing else ""
        raise StudyError(Problem(name, f"a {kind} that can be read", error.strerror or str(error), cure)) from error
    if len(raw) > MAX_BYTES:
        raise StudyError(Problem(name, f"at most {MAX_BYTES:,} bytes", f"{len(raw):,} bytes"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{raw[error.start]:02x} at offset {error.start}"
        raise StudyError(Problem(name, "text in UTF-8", found, "save the file as UTF-8")) from error
    return parse(text, name, example=example)


def parse(text: str, name: str = "study.yaml", *, example: str = STUDY_EXAMPLE) -> Source:
    """Parse a text.

    Raises:
        StudyError: the text is not the YAML that this module accepts.
    """
    lines: dict[Path_, int] = {}
    try:
        node = _Loader(text).get_single_node()
        value = None if node is None else _construct(node, (), lines, name)
    except yaml.YAMLError as error:
        raise StudyError(_syntax_problem(error, name)) from error
    if not isinstance(value, dict):
        kind = "an empty file" if value is None else "a list" if isinstance(value, list) else repr(value)
        raise StudyError(Problem(f"{name}:1", "a mapping of keys to values", kind, example))
    return Source(name, text, value, lines)


class _Loader(yaml.SafeLoader):
    """Composes nodes only; refuses what has no place in a study."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own class attribute

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases are not accepted", problem_mark=event.start_mark)
        if self._depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"deeper than {MAX_DEPTH} levels", problem_mark=event.start_mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
MAX_DIGITS = 300
"""Python refuses to print integers of more than 4,300 digits; no parameter needs a tenth of that."""


def _construct(node: yaml.Node, path: Path_, lines: dict[Path_, int], name: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
        raise yaml.MarkedYAMLError(problem=f"tag {node.tag} is not accepted", problem_mark=node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*path, index), lines, name) for index, item in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="keys are plain words", problem_mark=key_node.start_mark)
        key = str(key_node.value)
        place = (*path, key)
        if key in result:
            raise yaml.MarkedYAMLError(
                problem=f"{key!r} stands here again",
                context=f"first on line {lines[place]}",
                problem_mark=key_node.start_mark,
            )
        lines[place] = key_node.start_mark.line + 1
        result[key] = _construct(value_node, place, lines, name)
    return result


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.style is not None or node.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:null"):
        if not node.tag.startswith("tag:yaml.org,2002:str"):
            raise yaml.MarkedYAMLError(problem=f"tag {node.tag} is not accepted", problem_mark=node.start_mark)
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _syntax_problem(error: yaml.YAMLError, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    where = name if mark is None else f"{name}:{mark.line + 1}:{mark.column + 1}"
    found = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    cure = "indent with spaces, never tabs" if "\\t" in found else ""
    return Problem(where, "a YAML file", f"{found} ({context})" if context else found, cure)
