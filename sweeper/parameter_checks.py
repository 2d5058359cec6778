"""What is compared and what is tuned, checked without any framework: one function a topic."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from sweeper import resolve
from sweeper.config import ParameterSpec, StudyConfig
from sweeper.registry import suggest
from sweeper.vocabulary import (
    ACTIVATIONS,
    ALL_OPTIMIZER_ARGUMENTS,
    MODEL_OPTIONS,
    OPTIMIZERS,
    TRAINING_PARAMETERS,
    optimizer_arguments,
)

Where = tuple[Hashable, ...]
Found = Iterator[tuple[Where, str, str, str]]
"""Path, expected, received, cure."""

_OPEN_UNIT = {"dropout", "recurrent_dropout", "momentum", "rho", "beta_1", "beta_2", "ema_momentum"}
"""Shares in [0, 1): Keras accepts others silently and trains nonsense."""
_POSITIVE = {"learning_rate", "epsilon", "batch_size", "clipnorm", "clipvalue", "global_clipnorm"}
_AT_LEAST_ZERO = {"weight_decay", "l2"}


def _compare(config: StudyConfig) -> Found:
    counts = 1
    for index, name in enumerate(config.compare):
        values = resolve.listed(config, name)
        if any(spec.min is not None for spec in resolve.specs(config, name)) or not values:
            yield (
                ("compare", index),
                "a parameter with listed values",
                name,
                f"parameters: {{{name}: {{values: [..]}}}}",
            )
            return
        if any(isinstance(value, (list, dict)) for value in values):
            yield (
                ("parameters", name, "values"),
                "plain values, to be compared",
                "lists",
                "tune it instead of comparing",
            )
        if any(spec.when for spec in resolve.specs(config, name)):
            yield ("parameters", name, "when"), "no condition on a compared parameter", "when", ""
        counts *= len(values)
    if len(set(config.compare)) != len(config.compare):
        yield ("compare",), "each parameter once", ", ".join(config.compare), ""
    if counts < 2:
        yield ("compare",), "at least two combinations", "one", "give activation or optimizer a second value"


def _spec_paths(config: StudyConfig) -> Iterator[tuple[str, Where, ParameterSpec]]:
    for name, found in config.parameters.items():
        if isinstance(found, ParameterSpec):
            yield name, ("parameters", name), found
        else:
            for index, spec in enumerate(found):
                yield name, ("parameters", name, index), spec


def _parameter_shapes(config: StudyConfig) -> Found:
    for name, found in config.parameters.items():
        if found == []:
            yield ("parameters", name), "at least one spec", "an empty list", "{value: ...} or {min: .., max: ..}"
    for name, path, spec in _spec_paths(config):
        given = [key for key in ("values", "value") if key in spec.model_fields_set]
        ends = [key for key in ("min", "max") if key in spec.model_fields_set]
        if len(given) + bool(ends) != 1:
            received = ", ".join([*given, *ends]) or "none of them"
            yield path, "one of: values, value, or min and max", received, "min: 1.0e-4, max: 1.0e-1, scale: log"
        elif ends:
            yield from _range_ends(name, path, spec)
        if spec.scale is not None and not ends:
            yield (*path, "scale"), "scale beside min and max only", spec.scale, "leave scale out"
        seen: set[Hashable] = set()
        for value in spec.values or []:
            key = _same(name, value)
            if key in seen:
                yield (*path, "values"), "each value once", f"{value!r} twice", ""
                break
            seen.add(key)


def _same(name: str, value: Any) -> Hashable:
    """What is equal for equal values: 1, 1.0 and true are one value to a ledger, SGD and sgd to Keras."""
    if isinstance(value, (list, dict)):
        return repr(value)
    return str(value).lower() if name == "optimizer" else value


def _range_ends(name: str, path: Where, spec: ParameterSpec) -> Found:
    if spec.min is None or spec.max is None:
        missing, given = ("max", "min") if spec.max is None else ("min", "max")
        yield path, f"{missing} beside {given}", f"{given} alone", f"{missing}: ..."
        return
    if spec.min >= spec.max:
        yield (*path, "min"), f"a number below max ({spec.max})", str(spec.min), ""
    log = spec.scale == "log" or (spec.scale is None and name == "learning_rate")
    if log and spec.min <= 0:
        yield (*path, "min"), "a number above 0, because scale: log", str(spec.min), "min: 1.0e-5"


def _parameter_values(config: StudyConfig) -> Found:
    for name, path, spec in _spec_paths(config):
        known = {"activation": ACTIVATIONS, "optimizer": tuple(OPTIMIZERS)}.get(name)
        for key, value in _given(spec):
            word = str(value).lower() if name == "optimizer" else value
            if known is None and (expected := _expected(name, value)):
                yield (*path, *key), expected, repr(value), ""
            elif known is not None and config.trainer is None and key[0] in ("values", "value") and word not in known:
                yield (*path, *key), f"an {name} of Keras", repr(value), suggest(str(value), known)


def _given(spec: ParameterSpec) -> Iterator[tuple[Where, Any]]:
    for index, value in enumerate(spec.values or []):
        yield ("values", index), value
    for key in ("value", "min", "max"):
        if key in spec.model_fields_set and (key == "value" or getattr(spec, key) is not None):
            yield (key,), getattr(spec, key)


def _expected(name: str, value: Any) -> str:
    """What belongs there, or nothing if the value does."""
    if name not in _OPEN_UNIT | _POSITIVE | _AT_LEAST_ZERO:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "a number"
    if name in _OPEN_UNIT and not 0 <= value < 1:
        return "a number from 0 to below 1"
    if name == "batch_size" and (value < 1 or int(value) != value):
        return "a whole number from 1"
    if name in _POSITIVE and value <= 0:
        return "a number above 0"
    if name in _AT_LEAST_ZERO and value < 0:
        return "a number from 0"
    return ""


def _conditions(config: StudyConfig) -> Found:
    for _, path, spec in _spec_paths(config):
        for name, wanted in (spec.when or {}).items():
            place = (*path, "when", name)
            if name not in config.compare and not _is_fixed(config, name):
                tuned = name in config.parameters or name in ("activation", "optimizer")
                cure = f"{name}: {{value: ...}}, or compare it too" if tuned else suggest(name, config.compare)
                yield place, "a compared or fixed parameter", repr(name), cure
                continue
            values = [str(value).lower() for value in resolve.listed(config, name)]
            for value in wanted if isinstance(wanted, list) else [wanted]:
                if str(value).lower() not in values:
                    yield place, f"a value that {name} takes here", repr(value), suggest(str(value), values)


def _is_fixed(config: StudyConfig, name: str) -> bool:
    found = resolve.specs(config, name)
    return bool(found) and all(spec.min is None and len(spec.values or [0]) == 1 for spec in found)


def _learning_rates(config: StudyConfig) -> Found:
    """The default ranges hold for one optimizer each, so it must be known before anything is tuned."""
    given = resolve.specs(config, "learning_rate")
    known = "optimizer" in config.compare or _is_fixed(config, "optimizer")
    comparable = all(resolve.listed(config, name) for name in config.compare)
    if known or not comparable or "learning_rate" in config.compare or any(not spec.when for spec in given):
        return
    path: Where = ("parameters", "optimizer") if "optimizer" in config.parameters else ("compare",)
    cure = (
        "compare it too, fix it with optimizer: {value: adam}, "
        "or give one range for all: learning_rate: {min: 1.0e-5, max: 1.0e-1, scale: log}"
    )
    yield path, "a compared or fixed optimizer, because the range of learning_rate depends on it", "a tuned one", cure


def _known_parameters(config: StudyConfig) -> Found:
    if config.trainer is not None or config.model.name not in MODEL_OPTIONS:
        return
    options = MODEL_OPTIONS[config.model.name]
    known = {*TRAINING_PARAMETERS, *ALL_OPTIMIZER_ARGUMENTS, *options}
    used = [name for name in resolve.optimizers(config) if name in OPTIMIZERS]
    arguments = sorted(frozenset().union(*(optimizer_arguments(name) for name in used)))
    for name in config.parameters:
        if name not in known:
            near = suggest(name, (*TRAINING_PARAMETERS, *options, *arguments))
            listed = f"one of {', '.join(options)}, or an argument of the optimizers in use"
            cure = near if near.startswith("did you mean") else listed
            expected = f"a parameter of training, of the optimizer, or of {config.model.name}"
            yield ("parameters", name), expected, repr(name), cure


def _optimizer_arguments(config: StudyConfig) -> Found:
    if config.trainer is not None:
        return
    used = [name for name in resolve.optimizers(config) if name in OPTIMIZERS]
    for name, path, spec in _spec_paths(config):
        if name not in ALL_OPTIMIZER_ARGUMENTS or any(key not in config.compare for key in spec.when or {}):
            continue
        wanted = (spec.when or {}).get("optimizer", list(used))
        reached = [str(word).lower() for word in (wanted if isinstance(wanted, list) else [wanted])]
        refusing = [word for word in reached if word in used and name not in optimizer_arguments(word)]
        taking = [word for word in used if name in optimizer_arguments(word)]
        if refusing:
            cure = f"when: {{optimizer: {taking[0] if len(taking) == 1 else taking}}}".replace("'", "")
            yield path, f"an argument of {', '.join(refusing)}", name, cure if taking else "leave it out"


PARAMETER_CHECKS: tuple[Callable[[StudyConfig], Found], ...] = (
    _compare, _parameter_shapes, _parameter_values, _conditions, _learning_rates, _known_parameters,
    _optimizer_arguments,
)  # fmt: skip
"""In the order in which their problems are told."""
