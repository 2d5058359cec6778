"""Plain values where keys belong: the commonest slips in a study file, each with the line that was meant."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any

Slip = tuple[tuple[Hashable, ...], str, Any, str]
"""Path, expected, received, cure."""

_MAIN_KEYS = {
    "data": "name", "model": "name", "metric": "name", "training": "epochs", "search": "strategy", "confirm": "seeds",
    "budget": "time", "engine": "kind", "tracking": "uri", "keep": "models", "gate": "threshold",
}  # fmt: skip
"""Section -> the key that is meant where a plain value stands in its place."""

_LISTS = ("units", "dense_units", "filters")
"""Parameters of which one value is a list."""

_SPEC = "values, value, or min and max"


def slips(document: dict[str, Any]) -> Iterator[Slip]:
    """Everything in a study that is a plain value or a list where keys and values belong."""
    for section, key in _MAIN_KEYS.items():
        found = document.get(section, {})
        if not isinstance(found, dict):
            word = _flow(found) if isinstance(found, (str, int, float)) else "digits" if section == "data" else "..."
            yield (section,), "keys and values", found, f"{section}: {{{key}: {word}}}"
    compare, parameters = document.get("compare", []), document.get("parameters", {})
    if not isinstance(compare, list):
        yield ("compare",), "a list of parameters", compare, f"compare: [{_flow(compare)}]"
    if isinstance(parameters, dict):
        for name, spec in parameters.items():
            yield from _spec_slips(name, spec)
    else:
        cure = "parameters: {optimizer: {values: [sgd, adam]}}"
        yield ("parameters",), "names of parameters, each with its values", parameters, cure


def _spec_slips(name: str, spec: Any) -> Iterator[Slip]:
    path = ("parameters", name)
    if isinstance(spec, list) and any(isinstance(item, dict) for item in spec):
        for index, item in enumerate(spec):
            if not isinstance(item, dict):
                yield (*path, index), _SPEC, item, f"{{value: {_flow(item)}}}"
    elif isinstance(spec, list) and spec:
        is_one = name in _LISTS and not any(isinstance(item, list) for item in spec)
        yield path, _SPEC, spec, f"{name}: {{{'value' if is_one else 'values'}: {_flow(spec)}}}"
    elif not isinstance(spec, (dict, list)):
        yield path, _SPEC, spec, f"{name}: {{value: {'...' if spec is None else _flow(spec)}}}"


def _flow(value: Any) -> str:
    """A value as it stands in a study file, cut where it is long."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value[:20])) + (", ...]" if len(value) > 20 else "]")
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
