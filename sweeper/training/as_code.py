"""Keras objects as the Python that makes them: the model of a trial, its metrics.

The text of a model is not trusted: it is run under the seed of the trial, and is given away only where the weights that
come out, and what they predict, are those of the model it was written from, bit for bit.
"""

from __future__ import annotations

import inspect
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from sweeper.training.contract import Recipe

_OPERATIONS = {"Glu": "keras.ops.glu"}
"""Functions that may stand in a model beside layers: class of the operation -> function."""

_MODULES = ("layers", "initializers", "regularizers", "constraints", "metrics")
"""Of Keras, whose classes can be written as calls."""

_NOT_SAID = ("name", "trainable", "quantization_config", "build_config")
_BY_ITSELF = ("mask", "training")
"""Arguments of a call that Keras fills in; a `training` that is on was given by somebody."""


@dataclass(frozen=True)
class Written:
    """A model as code, or why it cannot be.

    Attributes:
        code: statements that end in `model = ...`; empty where there is an obstacle.
    """

    code: str = ""
    obstacle: str = ""


class _Unwritable(Exception):
    """Something in a model that has no text."""


def model_code(recipe: Recipe, seed: int) -> Written:
    """The model that `recipe` makes under `seed`, as statements that need nothing but `keras`."""
    model = recipe.fresh(seed)
    try:
        code = _statements(model)
    except _Unwritable as error:
        return Written(obstacle=str(error))
    kept = random.getstate()
    try:
        keras.utils.set_random_seed(seed)
        scope: dict[str, Any] = {"keras": keras}
        exec(code, scope)
        obstacle = _difference(model, scope["model"], recipe)
    except Exception as error:  # noqa: BLE001 - whatever the text lacks, the model function has
        obstacle = f"its layers do not come back from their configuration ({type(error).__name__})"
    finally:
        random.setstate(kept)
    return Written(obstacle=obstacle) if obstacle else Written(code)


def metric_code(metric: keras.metrics.Metric) -> str:
    """The constructor call of a metric."""
    given = {name: value for name, value in metric.get_config().items() if _differs(type(metric), name, value)}
    arguments = [f"{name}={_text(value)}" for name, value in given.items() if name not in ("name", "dtype")]
    return f"keras.metrics.{type(metric).__name__}({', '.join([*arguments, f'name={_text(metric.name)}'])})"


def _difference(model: keras.Model, other: keras.Model, recipe: Recipe) -> str:
    mine, others = (_values(each) for each in (model, other))
    if len(mine) != len(others) or not all(map(np.array_equal, mine, others)):
        return "written out, its initial weights are other ones"
    kind = np.float32 if recipe.info.vocabulary is None else np.int32
    batch = (np.arange(2 * np.prod(recipe.info.input_shape)) % 7).reshape(2, *recipe.info.input_shape).astype(kind)
    same = np.array_equal(model(batch), other(batch), equal_nan=True)
    return "" if same else "written out, it predicts something else"


def _statements(model: keras.Model) -> str:
    if isinstance(model, keras.Sequential):
        lines = ["model = keras.Sequential(["]
        lines.append(f"    keras.Input({tuple(model.inputs[0].shape[1:])!r}, dtype={_text(model.inputs[0].dtype)}),")
        lines += [f"    {_call(layer)}," for layer in model.layers]
        return "\n".join([*lines, "])"])
    if type(model).__name__ != "Functional":
        raise _Unwritable("it is a class of its own, not layers that call each other")
    names: dict[int, str] = {}
    lines = []
    needed = _needed(model)
    is_chain = _is_chain(needed)
    for number, operation in enumerate(needed):
        output = operation.output
        if isinstance(output, (list, tuple, dict)):
            raise _Unwritable(f"{type(operation).__name__} gives several tensors")
        name = _name(number, operation, is_chain)
        lines.append(f"{name} = {_applied(operation, names)}")
        names[id(output)] = name
    ends = [names[id(tensor)] for tensor in (model.inputs[0], model.outputs[0])]
    return "\n".join([*lines, f"model = keras.Model({ends[0]}, {ends[1]})"])


def _needed(model: keras.Model) -> list[Any]:
    """The operations between input and output, in order; masks find their own way, and so do operations on them."""
    made_by = {id(operation.output): operation for operation in model.operations}
    reached: set[int] = set()
    left = [id(tensor) for tensor in model.outputs]
    while left:
        tensor = left.pop()
        if tensor not in reached and tensor in made_by:
            reached.add(tensor)
            left += [id(taken) for taken in _inputs(made_by[tensor])]
    return [operation for operation in model.operations if id(operation.output) in reached]


def _is_chain(operations: list[Any]) -> bool:
    """Whether each takes what the one before it gives, and nothing else."""
    return all([id(t) for t in _inputs(b)] == [id(a.output)] for a, b in pairwise(operations))


def _name(number: int, operation: Any, is_chain: bool) -> str:
    if isinstance(operation, keras.layers.InputLayer):
        return "inputs"
    return "x" if is_chain else f"x{number}"


def _inputs(operation: Any) -> list[Any]:
    """The tensors that it is called with, masks left out."""
    if isinstance(operation, keras.layers.InputLayer):
        return []
    return [t for t in keras.tree.flatten(operation._inbound_nodes[0].arguments.args) if hasattr(t, "shape")]


def _applied(operation: Any, names: Mapping[int, str]) -> str:
    """The operation, called with the tensors that it takes."""
    if isinstance(operation, keras.layers.InputLayer):
        config = operation.get_config()
        return f"keras.Input({tuple(config['batch_shape'][1:])!r}, dtype={_text(config['dtype'])})"
    if len(operation._inbound_nodes) != 1:
        raise _Unwritable(f"{operation.name} is used more than once")
    arguments = operation._inbound_nodes[0].arguments
    extra = [key for key in arguments.kwargs if key not in _BY_ITSELF]
    if len(arguments.args) != 1 or extra or arguments.kwargs.get("training"):
        raise _Unwritable(f"{operation.name} is called with more than its input")
    given = arguments.args[0]
    inside = f"[{', '.join(names[id(t)] for t in given)}]" if isinstance(given, (list, tuple)) else names[id(given)]
    function = _OPERATIONS.get(type(operation).__name__)
    return f"{function}({inside})" if function else f"{_call(operation)}({inside})"


def _call(layer: Any) -> str:
    """The constructor call of a layer of Keras, without what is the default."""
    kind = type(layer)
    if getattr(keras.layers, kind.__name__, None) is not kind:
        raise _Unwritable(f"{kind.__name__} is no layer of Keras")
    return _constructed("layers", kind, layer.get_config())


def _constructed(module: str, kind: type[Any], config: Mapping[str, Any]) -> str:
    required = [name for name, parameter in _parameters(kind).items() if parameter.default is parameter.empty]
    positional, keywords = [], []
    for name, value in config.items():
        if name in _NOT_SAID or (name == "dtype" and _policy(value) == keras.config.dtype_policy().name):
            continue
        if name in required:
            positional.append(_text(value))
        elif _differs(kind, name, value):
            keywords.append(f"{name}={_text(_policy(value) if name == 'dtype' else value)}")
    return f"keras.{module}.{kind.__name__}({', '.join([*positional, *keywords])})"


def _differs(kind: type[Any], name: str, value: Any) -> bool:
    parameter = _parameters(kind).get(name)
    if parameter is None:
        return value not in (None, False)
    if parameter.default is parameter.empty:
        return True
    if name == "data_format":
        return bool(value != keras.config.image_data_format())
    default = parameter.default
    if isinstance(value, Mapping) and isinstance(default, str) and name.endswith("initializer"):
        return bool(keras.initializers.serialize(keras.initializers.get(default)) != value)
    return not (value == default or (isinstance(value, str) and default is None and value == "linear"))


def _parameters(kind: type[Any]) -> dict[str, inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = inspect.signature(kind.__init__).parameters
    return {name: parameter for name, parameter in found.items() if name != "self" and parameter.kind in kinds}


def _policy(value: Any) -> Any:
    return value["config"]["name"] if isinstance(value, Mapping) and "config" in value else value


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        module, _, name = str(value.get("module")).rpartition(".")
        kind = getattr(getattr(keras, name, None), str(value.get("class_name")), None)
        if module != "keras" or name not in _MODULES or kind is None:
            raise _Unwritable(f"{value.get('class_name')} is nothing of Keras")
        return _constructed(name, kind, value["config"])
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(_text, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(value) == 1)})"
    if isinstance(value, str):
        return json.dumps(value)
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, (np.floating, np.integer)):
        return repr(value.item())
    raise _Unwritable(f"{type(value).__name__} has no text")


def _values(model: keras.Model) -> list[NDArray[Any]]:
    """Weights, moving statistics, and the states of the generators that dropout draws from."""
    return [np.asarray(variable.numpy()) for variable in model.variables]
