"""The parameters of a W&B sweep as those of a study: names, values, and distributions that become ranges.

Distributions as Weights & Biases documents them (sweep configuration, "distribution options for random and Bayesian
search"): `log_uniform` and `inv_log_uniform` have exponents for ends, their `_values` forms the ends themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeper.errors import Problem
from sweeper.registry import suggest
from sweeper.vocabulary import ACTIVATIONS, ALL_OPTIMIZER_ARGUMENTS, MODEL_OPTIONS, OPTIMIZERS
from sweeper.yaml_source import Source

Where = tuple[Hashable, ...]

DISTRIBUTIONS = tuple(
    """constant categorical categorical_w_probabilities int_uniform uniform q_uniform log_uniform log_uniform_values
    q_log_uniform q_log_uniform_values inv_log_uniform inv_log_uniform_values normal q_normal log_normal
    q_log_normal beta q_beta""".split()
)

MOST_STEPS = 20
"""A quantized range of so many steps becomes a list of values; a longer one becomes a plain range."""

_SDS = 2.0
"""A normal distribution becomes the range of so many standard deviations to each side, which holds 95 % of it."""

_ALIASES: Mapping[str, str] = {
    alias: name
    for name, aliases in {
        "learning_rate": "lr learningrate initlr baselr initiallearningrate initlearningrate maxlr",
        "batch_size": "batch bs batchsize trainbatchsize minibatchsize",
        "epochs": "epoch numepochs nepochs maxepochs nbepochs",
        "optimizer": "optim opt optimizername optimizertype optimiser",
        "activation": "activationfn act activationfunction nonlinearity hiddenactivation activationname",
        "dropout": "dropoutrate droprate dropoutp pdropout dropoutprob drop",
        "weight_decay": "wd weightdecay",
        "units": "hiddenunits hiddensize hiddenlayersize fclayersize layersize numunits nunits hiddendim",
        "batch_norm": "batchnorm usebn batchnormalization usebatchnorm",
        "beta_1": "beta1",
        "beta_2": "beta2",
        "epsilon": "eps",
        "loss": "lossfunction lossfn criterion",
        "schedule": "scheduler lrscheduler lrschedule",
        "seed": "randomseed randomstate",
    }.items()
    for alias in [*aliases.split(), name.replace("_", "")]
}
_OPTIMIZERS = {"rms": "rmsprop", "stochasticgradientdescent": "sgd", "schedulefree": "schedulefreeadamw"}
_ACTIVATIONS = {"none": "linear", "identity": "linear", "logistic": "sigmoid"}


@dataclass
class Found:
    """What the conversion has come to so far.

    Attributes:
        parameters: name -> spec as it stands in a study.
        notes: what has no counterpart: (path in the sweep, why).
        problems: what makes no sense.
    """

    source: Source
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[tuple[Where, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def note(self, path: Where, why: str) -> None:
        """Something is not taken over, or not as it was."""
        self.notes.append((path, why))

    def wrong(self, path: Where, expected: str, received: Any, cure: str = "") -> None:
        """Something makes no sense."""
        shown = "nothing" if received is None else repr(received)
        self.problems.append(Problem(self.source.where(path), expected, shown, cure))

    def strangers(self, path: Where, given: Iterable[str], known: Sequence[str]) -> None:
        """Keys that W&B does not have there: slips, or without a counterpart."""
        for key in given:
            cure = suggest(str(key), known)
            if key not in known and cure.startswith("did you mean"):
                self.wrong((*path, key), f"a key of W&B's {path[-1]}", key, cure)
            elif key not in known:
                self.note((*path, key), "no counterpart")

    def left_out(self, path: Where, why: str) -> None:
        """A parameter is not taken over, whatever had been said of its values."""
        if len(path) > 1:
            self.notes = [told for told in self.notes if told[0][: len(path)] != path]
        self.note(path, why)


def parameters(found: Found) -> None:
    """Convert every parameter of the sweep, nested ones by their last name."""
    given = found.source.value.get("parameters")
    if not isinstance(given, dict) or not given:
        expected = "names of parameters, each with its values"
        found.wrong(("parameters",), expected, given, "parameters: {optimizer: {values: [sgd, adam]}}")
        return
    for path, raw, spec in _leaves(given, ("parameters",), ()):
        if not isinstance(spec, dict) or not spec:
            found.wrong(path, "value, values, or min and max", spec, f"{raw[-1]}: {{value: ...}}")
            continue
        name = canonical(raw)
        if name in found.parameters:
            found.note(path, f"{name} stands in the sweep already")
        elif converted := _spec(found, path, name, spec):
            found.parameters[name] = converted
            if _letters(name) not in map(_letters, raw):
                found.note(path, f"it is called {name} here")


def canonical(path: tuple[str, ...]) -> str:
    """The word of a study for a parameter; `optimizer.name` is the optimizer, `optimizer.lr` the learning rate."""
    last = path[-1]
    if len(path) > 1 and last.lower() in ("name", "type"):
        return canonical(path[:-1])
    return _ALIASES.get(_letters(last), last.replace("-", "_"))


def _letters(name: str) -> str:
    return re.sub(r"[-_. ]", "", name.lower())


def _leaves(
    given: Mapping[str, Any], path: Where, names: tuple[str, ...]
) -> Iterator[tuple[Where, tuple[str, ...], Any]]:
    for name, spec in given.items():
        inner = spec.get("parameters") if isinstance(spec, dict) else None
        if isinstance(inner, dict):
            yield from _leaves(inner, (*path, name, "parameters"), (*names, name))
        else:
            yield (*path, name), (*names, name), spec


def _spec(found: Found, path: Where, name: str, spec: Mapping[str, Any]) -> dict[str, Any] | None:
    distribution = spec.get("distribution")
    if distribution is not None and distribution not in DISTRIBUTIONS:
        found.wrong(
            (*path, "distribution"), "a distribution of W&B", distribution, suggest(str(distribution), DISTRIBUTIONS)
        )
        return None
    known = ("value", "values", "min", "max", "distribution", "q", "mu", "sigma", "probabilities", "a", "b")
    for key in spec:
        if key not in known:
            found.wrong((*path, key), "a key of a W&B parameter", key, suggest(key, known))
    if "probabilities" in spec:
        found.note((*path, "probabilities"), "every value gets the same chance, so that the comparison is fair")
    if "value" in spec:
        return {"value": _word(found, (*path, "value"), name, spec["value"])}
    if "values" in spec:
        return _values(found, (*path, "values"), name, spec["values"])
    if distribution in ("beta", "q_beta"):
        found.note(path, "a beta distribution has no counterpart: give it min and max")
        return None
    if distribution is not None and distribution.endswith("normal"):
        return _normal(found, path, name, spec)
    return _range(found, path, name, spec)


def _values(found: Found, path: Where, name: str, values: Any) -> dict[str, Any] | None:
    if not isinstance(values, list) or not values:
        found.wrong(path, "a list of values", values, f"values: [{values}]" if values else "values: [...]")
        return None
    words = [_word(found, (*path, index), name, value) for index, value in enumerate(values)]
    kept = [word for index, word in enumerate(words) if word is not None and word not in words[:index]]
    if not kept:
        return None
    return {"values": kept} if len(kept) > 1 else {"value": kept[0]}


def _word(found: Found, path: Where, name: str, value: Any) -> Any:
    """A value as Keras spells it; None for one that Keras does not have."""
    if name not in ("optimizer", "activation"):
        return value
    known, extra = (OPTIMIZERS, _OPTIMIZERS) if name == "optimizer" else (ACTIVATIONS, _ACTIVATIONS)
    short = re.sub(r"[-_ ]", "", str(value).rpartition(".")[2].removesuffix("()").lower())
    spelled = {entry.replace("_", ""): entry for entry in known} | extra
    if short not in spelled:
        found.note(path, f"{value!r} is no {name} of Keras; {suggest(str(value), known)}")
    return spelled.get(short)


def _range(found: Found, path: Where, name: str, spec: Mapping[str, Any]) -> dict[str, Any] | None:
    ends = []
    for key in ("min", "max"):
        value = spec.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            found.wrong((*path, key) if key in spec else path, f"a number for {key}", value, "min: 0.001, max: 0.1")
            return None
        ends.append(value)
    distribution = str(spec.get("distribution") or "")
    low, high = ends
    if low >= high:
        found.wrong((*path, "min"), f"a number below max ({high})", low)
        return None
    if "log" in distribution:
        return _log_range(found, path, distribution, (low, high), spec)
    whole = all(isinstance(end, int) for end in ends) and distribution in ("", "int_uniform")
    if distribution.startswith("q_"):
        return _quantized(found, path, (low, high), spec.get("q", 1))
    if name == "learning_rate" and low <= 0:
        found.note((*path, "min"), f"a learning rate of {low} trains nothing: the range begins at {high / 1e4:g}")
        low = high / 1e4
    scale = {"scale": "linear"} if name == "learning_rate" else {}
    return {"min": low if whole else float(low), "max": high if whole else float(high), **scale}


def _log_range(
    found: Found, path: Where, distribution: str, ends: tuple[float, float], spec: Mapping[str, Any]
) -> dict[str, Any] | None:
    low, high = ends
    if not distribution.endswith("_values"):
        if max(map(abs, ends)) > 300:
            found.wrong(
                path, f"exponents of e, because of {distribution}", f"{low} to {high}", f"{distribution}_values"
            )
            return None
        inverse = distribution.startswith("inv_")
        low, high = (math.exp(-high), math.exp(-low)) if inverse else (math.exp(low), math.exp(high))
        low, high = float(f"{low:.6g}"), float(f"{high:.6g}")
    elif low <= 0:
        found.wrong((*path, "min"), f"a number above 0, because of {distribution}", low, "min: 1.0e-5")
        return None
    whole = distribution.startswith("q_") and spec.get("q", 1) == 1 and 1 <= round(low) < round(high)
    if distribution.startswith("q_") and not whole:
        found.note((*path, "q"), "steps on a log scale have no counterpart: every value in the range may be drawn")
    return {"min": round(low) if whole else low, "max": round(high) if whole else high, "scale": "log"}


def _quantized(found: Found, path: Where, ends: tuple[float, float], step: Any) -> dict[str, Any] | None:
    low, high = ends
    if isinstance(step, bool) or not isinstance(step, (int, float)) or step <= 0:
        found.wrong((*path, "q"), "a number above 0", step, "q: 1")
        return None
    first, last = round(low / step), round(high / step)
    if first == last:
        return {"value": first * step}
    if step == 1:
        return {"min": first, "max": last}
    if last - first < MOST_STEPS:
        values = [float(f"{n * step:.10g}") for n in range(first, last + 1)]
        return {"values": [int(v) if float(v).is_integer() and isinstance(step, int) else v for v in values]}
    found.note((*path, "q"), f"{last - first + 1} steps are too many to list: every value in the range may be drawn")
    return {"min": float(low), "max": float(high)}


def _normal(found: Found, path: Where, name: str, spec: Mapping[str, Any]) -> dict[str, Any] | None:
    mu, sigma = spec.get("mu", 0), spec.get("sigma", 1)
    if not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in (mu, sigma)) or sigma <= 0:
        found.wrong(path, "numbers for mu and sigma, sigma above 0", f"mu {mu}, sigma {sigma}", "mu: 0, sigma: 1")
        return None
    low, high = mu - _SDS * sigma, mu + _SDS * sigma
    distribution = str(spec["distribution"])
    found.note(path, f"{distribution} becomes the range that holds 95 % of it")
    if "log" in distribution:
        return {"min": float(f"{math.exp(low):.6g}"), "max": float(f"{math.exp(high):.6g}"), "scale": "log"}
    if name in ALL_OPTIMIZER_ARGUMENTS | {"dropout", "l2", "learning_rate"}:
        low = max(low, high / 1e4 if name in ("learning_rate", "epsilon") else 0.0)
        high = min(high, 0.99) if name in ("dropout", "momentum", "rho", "beta_1", "beta_2") else high
    return {"min": float(f"{low:.6g}"), "max": float(f"{high:.6g}")}


def belongs(name: str, model: str) -> bool:
    """Whether a study on this model has a place for a parameter; a function of one's own takes any name."""
    mine = MODEL_OPTIONS.get(model)
    own = ("activation", "optimizer", "learning_rate", "batch_size")
    return mine is None or name in own or name in ALL_OPTIMIZER_ARGUMENTS or name in mine
