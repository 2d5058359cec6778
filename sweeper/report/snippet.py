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
        rate = params.pop("learning_rate", None)
        schedule = str(material.training().get("schedule", "constant"))
        shown = None if rate is None else rate_code(rate, schedule, _steps(material, params))
        lines = ["import keras", "", *lines, optimizer_code(optimizer, params, shown)]
    elif optimizer is not None:
        lines.append(f"optimizer = {literal(optimizer)}")
    if "activation" in params:
        lines.append(f"activation = {literal(params.pop('activation'))}")
    sized = {"epochs": material.training().get("epochs"), "batch_size": _batch_size(material, params)}
    params.pop("batch_size", None)
    lines += [f"{name} = {literal(value)}" for name, value in sized.items() if value is not None]
    if params:
        inside = ", ".join(f"{literal(clean(name))}: {literal(value)}" for name, value in params.items())
        lines.append(f"parameters = {{{inside}}}")
    return "\n".join(lines)


def optimizer_code(name: str, params: dict[str, Any], rate: str | None, *, exact: bool = False) -> str:
    """`optimizer = ...`; takes the optimizer's own arguments out of `params`.

    Args:
        name: as in `vocabulary.OPTIMIZERS`.
        params: of a trial.
        rate: the learning rate as code.
        exact: numbers with every digit.
    """
    known = optimizer_arguments(name)
    own = {key: params.pop(key) for key in list(params) if key in known}
    arguments = [] if rate is None else [f"learning_rate={rate}"]
    arguments += [f"{key}={literal(value, exact=exact)}" for key, value in own.items()]
    call = f"keras.optimizers.{OPTIMIZERS[name].keras_class}"
    single = f"optimizer = {call}({', '.join(arguments)})"
    if len(single) <= 88:
        return single
    return "\n".join([f"optimizer = {call}(", *(f"    {argument}," for argument in arguments), ")"])


def rate_code(rate: Any, schedule: str, steps: int | str | None, *, exact: bool = False) -> str:
    """The learning rate as a number or a schedule over `steps` batches, which may be an expression."""
    if schedule not in _SCHEDULES or steps is None:
        return literal(rate, exact=exact)
    return _SCHEDULES[schedule].format(rate=literal(rate, exact=exact), steps=steps)


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


def literal(value: Any, *, exact: bool = False) -> str:
    """A Python literal; floats with six digits, which is more than a training resolves, unless they are to be exact."""
    if isinstance(value, float) and math.isfinite(value) and not exact:
        return repr(float(f"{value:.6g}"))
    return json.dumps(value, ensure_ascii=not value.isprintable()) if isinstance(value, str) else repr(value)
