"""The pick as code to paste: the optimizer with its arguments and schedule, the activation, the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from sweeper.report.material import Material
from sweeper.report.units import clean
from sweeper.vocabulary import OPTIMIZERS, optimizer_arguments

_SCHEDULES = {
    "cosine": "keras.optimizers.schedules.CosineDecay({rate}, decay_steps={steps})",
    "linear": (
        "keras.optimizers.schedules.PolynomialDecay({rate}, decay_steps={steps}, end_learning_rate=0.0, power=1.0)"
    ),
}


def keras_code(material: Material) -> str | None:
    """Python that sets up the pick as it was confirmed, or None where there is no pick."""
    pick = material.verdict.pick
    if pick is None:
        return None
    params = dict(pick.params)
    lines = [f"# {clean(pick.combination, 90)}"]
    optimizer = params.pop("optimizer", None)
    if isinstance(optimizer, str) and optimizer in OPTIMIZERS:
        lines = ["import keras", "", *lines, _optimizer(material, optimizer, params)]
    elif optimizer is not None:
        lines.append(f"optimizer = {_literal(optimizer)}")
    if "activation" in params:
        lines.append(f"activation = {_literal(params.pop('activation'))}")
    sized = {"epochs": material.training().get("epochs"), "batch_size": _batch_size(material, params)}
    params.pop("batch_size", None)
    lines += [f"{name} = {_literal(value)}" for name, value in sized.items() if value is not None]
    if params:
        inside = ", ".join(f"{_literal(clean(name))}: {_literal(value)}" for name, value in params.items())
        lines.append(f"parameters = {{{inside}}}")
    return "\n".join(lines)


def _optimizer(material: Material, name: str, params: dict[str, Any]) -> str:
    """The constructor call; takes the optimizer's own arguments out of `params`."""
    known = optimizer_arguments(name)
    own = {key: params.pop(key) for key in list(params) if key in known}
    rate = params.pop("learning_rate", None)
    arguments = [] if rate is None else [f"learning_rate={_rate(material, rate, params)}"]
    arguments += [f"{key}={_literal(value)}" for key, value in own.items()]
    call = f"keras.optimizers.{OPTIMIZERS[name].keras_class}"
    single = f"optimizer = {call}({', '.join(arguments)})"
    if len(single) <= 88:
        return single
    return "\n".join([f"optimizer = {call}(", *(f"    {argument}," for argument in arguments), ")"])


def _rate(material: Material, rate: Any, params: Mapping[str, Any]) -> str:
    schedule = str(material.training().get("schedule", "constant"))
    steps = _steps(material, params)
    if schedule not in _SCHEDULES or steps is None:
        return _literal(rate)
    return _SCHEDULES[schedule].format(rate=_literal(rate), steps=steps)


def _steps(material: Material, params: Mapping[str, Any]) -> int | None:
    """Batches in a whole training: epochs times batches an epoch, the last one smaller."""
    data = material.provenance.get("data")
    sizes = data.get("sizes") if isinstance(data, Mapping) else None
    rows = sizes.get("train") if isinstance(sizes, Mapping) else None
    epochs, batch = material.training().get("epochs"), _batch_size(material, params)
    if not (isinstance(rows, int) and isinstance(epochs, int) and isinstance(batch, int) and batch > 0):
        return None
    return epochs * math.ceil(rows / batch)


def _batch_size(material: Material, params: Mapping[str, Any]) -> Any:
    return params.get("batch_size", material.training().get("batch_size"))


def _literal(value: Any) -> str:
    """A Python literal; floats with six digits, which is more than a training resolves."""
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(f"{value:.6g}"))
    return json.dumps(value, ensure_ascii=not value.isprintable()) if isinstance(value, str) else repr(value)
