"""What a worker is told once, before its first cohort: everything about training that no trial changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeper.trial import Stage


@dataclass(frozen=True)
class TrainerSetup:
    """How trials are trained in this study.

    Attributes:
        trainer: `keras`, or the `module:function` that replaces it.
        fuse: how Keras trains a cohort: `auto`, `stacked`, `graph` or `off`.
        cohort: trials that the plan puts together at most.
        remembered: what earlier tries of models on this machine told: key -> (way, why).
        alone: stages whose trials the plan puts in cohorts of one, as when each has a dropout of its own: there is
            nothing to stack them with.
        memory_bytes: what a worker may use; None: as much as it likes.
        folder: folder of the study file; it is on the import path of a user's modules.
        model: built-in name or `module:function`.
        model_options: fixed keyword arguments of the model function; a trial's parameters override them.
        metrics: plain names (`accuracy`, `auc`, `mae`, ...) besides `loss`; trials report `m`, `val_m` and `test_m`.
        loss: Keras name, or `auto`: what the task implies.
        batch_size: where a trial does not set its own.
        schedule: `constant`, `cosine` (to 0) or `linear` (to 0), stepped every batch.
        threads: of the framework in each worker.
    """

    trainer: str = "keras"
    fuse: str = "auto"
    cohort: int = 8
    remembered: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    alone: tuple[Stage, ...] = ()
    memory_bytes: int | None = None
    folder: str = "."
    model: str = "mlp"
    model_options: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[str, ...] = ("accuracy",)
    loss: str = "auto"
    batch_size: int = 32
    schedule: str = "cosine"
    mixed_precision: bool = False
    deterministic: bool = False
    threads: int = 1
