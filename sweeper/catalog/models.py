"""Built-in models by name, and models of one's own by `module:function`.

Names and references are strings until a worker needs the model, so that checking a study imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sweeper.errors import ModelError
from sweeper.registry import is_reference, resolve, suggest

MODELS: Mapping[str, str] = {
    "mlp": "sweeper.catalog.keras_models:mlp",
    "cnn": "sweeper.catalog.keras_models:cnn",
    "lstm": "sweeper.catalog.keras_models:lstm",
}


def resolve_model(name: str, folder: str | Path = ".") -> Callable[..., Any]:
    """The function `build(info, activation, **options) -> keras.Model` that a name stands for.

    Args:
        name: a key of `MODELS`, or `module:function` with `folder` on the import path.
        folder: the folder of the study file.

    Raises:
        ModelError: no such name, module or function, or what is found cannot be called.
    """
    reference = MODELS.get(name, name)
    if not is_reference(reference):
        raise ModelError.at("model.name", f"{', '.join(MODELS)}, or module:function", repr(name), suggest(name, MODELS))
    build = resolve(reference, folder, what="model")
    if not callable(build):
        raise ModelError.at(
            f"model {name}",
            "a function build(info, activation, **options)",
            f"{type(build).__name__}",
            f"name a function of {reference.partition(':')[0]}",
        )
    found: Callable[..., Any] = build
    return found
