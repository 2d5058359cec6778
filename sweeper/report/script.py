"""The pick as a program of its own: data, split, model, optimizer and seeds of one confirmation, without sweeper.

The program trains by `model.fit` on the same batches in the same order, and prints its scores beside those that sweeper
measured. Its text depends on the study and its ledger alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.data import Task
from sweeper.report.script_data import Rows, constants, dividing, loading, preparing
from sweeper.report.snippet import literal, optimizer_code, rate_code
from sweeper.report.units import clean
from sweeper.setup import TrainerSetup
from sweeper.trial import Stage, TrialRecord
from sweeper.vocabulary import AUTO_LOSS, POWER_OF_UNIT

CONFIRMED = (Stage.CONFIRM, Stage.KEEP)
"""Stages in which the sealed test rows are opened; a script of any other trial leaves them sealed too."""


@dataclass(frozen=True)
class Ingredients:
    """Everything that a script is written from.

    Attributes:
        record: the trial that the script repeats.
        model: statements that end in `model = ...`.
        metrics: constructor calls, in the order of the study.
        order_seed: of NumPy's generator for the order of the batches.
        remarks: what could not be written out, for the head of the script.
    """

    study: str
    record: TrialRecord
    setup: TrainerSetup
    rows: Rows
    model: str
    metrics: Sequence[str]
    order_seed: int
    remarks: Sequence[str] = ()


def script(made_of: Ingredients) -> str:
    """The program."""
    parts = [
        _head(made_of),
        "\n".join(part for part in (_numbers(made_of), constants(made_of.rows)) if part),
        loading(made_of.rows),
        dividing(made_of.rows),
        preparing(made_of.rows),
        _targets(made_of.rows),
        _model(made_of),
        _compiled(made_of),
        _BATCHES,
        _main(made_of),
        'if __name__ == "__main__":\n    main()',
    ]
    return "\n\n\n".join(parts) + "\n"


def _head(made_of: Ingredients) -> str:
    record, spec = made_of.record, made_of.record.spec
    origin = f"trial {spec.number}, the {'first ' * (spec.repetition == 0)}confirmation of the pick"
    if spec.stage not in CONFIRMED:
        origin = f"trial {spec.number} ({spec.stage}); it is not confirmed, so the test rows stay sealed here too"
    remarks = "".join(f"\n* {remark}" for remark in made_of.remarks)
    pick, study = _docstring(clean(str(spec.combination), 90)), _docstring(made_of.study)
    return f'''"""{pick}: what sweeper picked in the study {study}.

Repeats {origin}: same rows, same weights to begin
with, same batches in the same order. Written by `sweeper export`; needs Keras with TensorFlow, and no sweeper.
`python THIS_FILE model.keras` keeps the trained model.{_docstring(remarks)}
"""

from __future__ import annotations

import math
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

Array = np.ndarray

MEASURED = {{{_measured(record)}
}}
"""By sweeper."""'''


def _measured(record: TrialRecord) -> str:
    parts = ("val_", "test_") if record.spec.stage in CONFIRMED else ("val_",)
    found = {name: value for name, value in record.ended.metrics.items() if name.startswith(parts)}
    return "".join(f"\n    {json.dumps(name)}: {literal(float(value), exact=True)}," for name, value in found.items())


def _numbers(made_of: Ingredients) -> str:
    spec, setup = made_of.record.spec, made_of.setup
    batch = int(spec.params.get("batch_size", setup.batch_size))
    return f"EPOCHS, BATCH_SIZE = {spec.epochs}, {batch}\nSEED, ORDER_SEED = {spec.seeds.init}, {made_of.order_seed}"


def _targets(rows: Rows) -> str:
    head = 'def target_scale(y_train):\n    """Mean and standard deviation that targets are standardised with."""\n'
    if rows.is_regression:
        return (
            f"{head}    y_train = y_train.astype(float)\n    return float(y_train.mean()), float(y_train.std()) or 1.0"
        )
    head = 'def target_scale(y_train):\n    """Class ids stay what they are."""\n'
    return f"{head}    return 0.0, 1.0"


def _model(made_of: Ingredients) -> str:
    lines = "\n".join(f"    {line}" if line else "" for line in made_of.model.splitlines())
    return f'def build_model():\n    """Uncompiled, with weights drawn from Keras\' seed."""\n{lines}\n    return model'


def _compiled(made_of: Ingredients) -> str:
    setup, params = made_of.setup, dict(made_of.record.spec.params)
    rate = rate_code(params.pop("learning_rate"), setup.schedule, "EPOCHS * steps", exact=True)
    optimizer = optimizer_code(str(params.pop("optimizer")), params, "rate", exact=True).replace("\n", "\n    ")
    task = made_of.rows.info.task
    loss = AUTO_LOSS[task] if setup.loss == "auto" else setup.loss
    metrics = "".join(f"            {metric},\n" for metric in made_of.metrics)
    return f'''def compiled(model, steps):
    """The model with the optimizer, for epochs of so many steps."""
    rate = {rate}
    {optimizer}
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.get({json.dumps(loss)}),
        metrics=[
{metrics}        ],
        jit_compile=False,
    )
    return model'''


_BATCHES = '''\
def batches(x, y):
    """Batches without end, every epoch in another order; the last one of an epoch may be smaller."""
    rng = np.random.default_rng(ORDER_SEED)
    while True:
        order = rng.permutation(len(y))
        for start in range(0, len(y), BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            yield x[rows], y[rows]


def told(prefix, logs, sd):
    """Print scores, in the unit of the target, beside what sweeper measured."""
    for name, value in logs.items():
        value *= sd ** POWER_OF_UNIT.get(name, 0)
        before = MEASURED.get(prefix + name)
        print(f"{prefix}{name} {value:.9g}" + ("" if before is None else f"   sweeper {before:.9g}"))'''


def _main(made_of: Ingredients) -> str:
    rows, setup = made_of.rows, made_of.setup
    shape = "astype(np.int32)" if rows.info.task is Task.MULTICLASS else "astype(np.float32).reshape(len(y), -1)"
    lines = [
        f"POWER_OF_UNIT = {_power(rows)}",
        "",
        "",
        "def main():",
        '    """Train, and say what came of it."""',
        "    tf.config.threading.set_intra_op_parallelism_threads(1)  # as in sweeper; more may change last digits",
        "    tf.config.threading.set_inter_op_parallelism_threads(1)",
        *(["    tf.config.experimental.enable_op_determinism()"] if setup.deterministic else []),
        *(_precision() if setup.mixed_precision else []),
        "    x, y, groups, fixed_test = load_data()",
        "    train, validation, test = split(y, groups)",
        "    mean, sd = target_scale(y[train])",
        "",
        "    def part(x_raw, y):",
        *(["        y = ((y - mean) / sd).astype(np.float32)"] if rows.is_regression else []),
        f"        return prepared(x_raw, x[train]), y.{shape}",
        "",
        "    x_train, y_train = part(x[train], y[train])",
        "    keras.utils.set_random_seed(SEED)",
        "    steps = math.ceil(len(y_train) / BATCH_SIZE)",
        "    model = compiled(build_model(), steps)",
        "    held_out = part(x[validation], y[validation])",
        "    model.fit(",
        "        batches(x_train, y_train),",
        "        steps_per_epoch=steps,",
        "        epochs=EPOCHS,",
        "        shuffle=False,",
        "        validation_data=held_out,  # every epoch, as in sweeper: recurrent dropout draws there too",
        "        validation_batch_size=256,",
        "        verbose=2,",
        "    )",
        "    scored = lambda x, y: model.evaluate(x, y, batch_size=256, return_dict=True, verbose=0)",
        '    told("val_", scored(*held_out), sd)',
    ]
    if made_of.record.spec.stage in CONFIRMED:
        lines.append('    told("test_", scored(*part(*(fixed_test or (x[test], y[test])))), sd)')
    lines += [
        "    if len(sys.argv) > 1:",
        "        model.save(sys.argv[1])",
    ]
    return "\n".join(lines)


def _power(rows: Rows) -> str:
    powers: Mapping[str, int] = POWER_OF_UNIT if rows.is_regression else {}
    return "{" + ", ".join(f"{json.dumps(name)}: {power}" for name, power in powers.items()) + "}"


def _precision() -> list[str]:
    return [
        '    on_gpu = bool(tf.config.list_physical_devices("GPU"))',
        '    keras.config.set_dtype_policy("mixed_float16" if on_gpu else "mixed_bfloat16")',
    ]


def _docstring(text: Any) -> str:
    """Text that cannot end the docstring it stands in."""
    return str(text).replace("\\", "\\\\").replace('"""', "'''")
