"""What a model function has to give, and in which words it is told where it does not."""

from __future__ import annotations

import inspect
import os
import random
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from sweeper.data import DataInfo
from sweeper.errors import ModelError
from sweeper.trial import TrialSpec
from sweeper.vocabulary import OPTIMIZERS, TRAINING_PARAMETERS, optimizer_arguments

Build = Callable[..., Any]

SIGNATURE = "build(info, activation, **options) -> keras.Model"

_LIBRARIES = tuple(os.sep + name + os.sep for name in ("keras", "tensorflow", "numpy"))


@dataclass(frozen=True)
class Recipe:
    """How the model of a trial is made; equal recipes make models of equal structure.

    Attributes:
        build: the model function.
        name: of the model, as the study has it.
        info: what the function is told of the data.
        options: its keyword arguments, `activation` included.
    """

    build: Build
    name: str
    info: DataInfo
    options: Mapping[str, Any]

    def fresh(self, seed: int, *, framework_too: bool = True) -> keras.Model:
        """A new model, uncompiled and with its weights drawn under `seed`.

        Args:
            seed: of every generator that a model function may draw from.
            framework_too: also seed TensorFlow's own generator, which makes it forget every compiled kernel (0.14 s
                at the next step of each kept program); Keras draws its seeds from Python's generator.

        Raises:
            ModelError: the function does not keep the contract.
        """
        if framework_too:
            keras.utils.set_random_seed(seed)
        else:
            random.seed(seed)
            np.random.seed(seed)
        model = self._call()
        _check_kind(model, self.name)
        _check_shapes(model, self.name, self.info)
        return model

    def _call(self) -> Any:
        try:
            return self.build(self.info, **self.options)
        except ModelError:
            raise
        except (Exception, SystemExit) as error:
            raise ModelError.at(
                f"model {self.name}", f"a function {SIGNATURE}", told(error), self._cure(error)
            ) from error

    def _cure(self, error: BaseException) -> str:
        if isinstance(error, TypeError) and not _takes(self.build, self.options):
            return f"a function that takes the keywords {', '.join(self.options)}"
        return "run the function with these options in Python to see the fault"


def recipe_for(spec: TrialSpec, build: Build, name: str, fixed: Mapping[str, Any], info: DataInfo) -> Recipe:
    """The recipe of a trial: `fixed` options, overridden by the trial's parameters that nothing else takes."""
    optimizer = str(spec.params["optimizer"])
    taken = {*TRAINING_PARAMETERS, *(optimizer_arguments(optimizer) if optimizer in OPTIMIZERS else ())}
    own = {key: value for key, value in spec.params.items() if key not in taken}
    return Recipe(build, name, info, {"activation": spec.params["activation"], **fixed, **own})


def told(error: BaseException) -> str:
    """Type, message and the last line of the user's own code that led there."""
    message = " ".join(str(error).split())
    short = message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + " ..."
    frame = _last_frame(error)
    place = f" ({os.path.basename(frame.filename)}:{frame.lineno}, in {frame.name})" if frame else ""
    return f"{type(error).__name__}: {short}{place}"


LONGEST_MESSAGE = 600
"""Characters: Keras quotes every argument of a failing layer."""


def _last_frame(error: BaseException) -> traceback.FrameSummary | None:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not any(library in frame.filename for library in _LIBRARIES)]
    chosen = own or list(frames)
    return chosen[-1] if chosen else None


def _takes(build: Build, options: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(build).bind(None, **options)
    except TypeError:
        return False
    return True


def _check_kind(model: Any, name: str) -> None:
    where = f"model {name}"
    if not isinstance(model, keras.Model):
        cure = "return the model at the end of the function" if model is None else "return a keras.Model"
        raise ModelError.at(where, "a keras.Model", "None" if model is None else type(model).__name__, cure)
    if model.compiled:
        raise ModelError.at(
            where,
            "an uncompiled model: optimizer and loss are those of the study",
            "a compiled model",
            "leave out model.compile(...)",
        )


def _check_shapes(model: keras.Model, name: str, info: DataInfo) -> None:
    where = f"model {name}"
    wanted_in, wanted_out = (None, *info.input_shape), (None, info.output_units)
    called = _called(model, where, info)
    inputs = [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or []]
    if inputs and not (len(inputs) == 1 and _fits(inputs[0], wanted_in)):
        received = ", ".join(map(str, inputs))
        raise ModelError.at(where, f"one input of shape {wanted_in}", received, "keras.Input(info.input_shape)")
    outputs = [tuple(tensor.shape) for tensor in getattr(model, "outputs", None) or called]
    if not (len(outputs) == 1 and _fits(outputs[0], wanted_out)):
        raise ModelError.at(
            where,
            f"one output of shape {wanted_out}",
            ", ".join(map(str, outputs)) or "no output",
            "end in keras.layers.Dense(info.output_units, activation=info.output_activation)",
        )


def _called(model: keras.Model, where: str, info: DataInfo) -> list[Any]:
    """What comes out of a model that has to be called, or given a shape, before it has weights; else nothing."""
    shape = info.input_shape
    kind = "float32" if info.vocabulary is None else "int32"
    try:
        if isinstance(model, keras.Sequential):
            if not model.built:
                model.build((None, *shape))
            return []
        if getattr(model, "outputs", None):
            return []
        return list(keras.tree.flatten(model(np.zeros((1, *shape), kind))))
    except (Exception, SystemExit) as error:
        raise ModelError.at(
            where, f"a model that takes inputs of shape {(None, *shape)}", told(error), "build it for info.input_shape"
        ) from error


def _fits(shape: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        have is None or need is None or have == need for have, need in zip(shape, wanted, strict=True)
    )
