"""`fit` in a loop: no search library, no tracking."""

from __future__ import annotations

from typing import Any

import keras
from rivals.heats import Heat
from rivals.work import Job, Setting


def main(job: Job, heat: Heat) -> None:
    """A warm-up, then every trial."""
    train(job, job.settings[0])
    heat.line_up()
    for setting in job.settings:
        history = train(job, setting)
        heat.note(setting, len(history.epoch), history.history["val_accuracy"][-1])


def train(job: Job, setting: Setting) -> Any:
    """As in Keras' own guides."""
    keras.utils.clear_session()
    model = job.model(setting.activation)
    optimizer = keras.optimizers.get(
        {"class_name": setting.optimizer, "config": {"learning_rate": setting.learning_rate}}
    )
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(
        job.rows.train.x,
        job.rows.train.y,
        batch_size=job.work.batch_size,
        epochs=job.work.epochs,
        validation_data=(job.rows.validation.x, job.rows.validation.y),
        verbose=0,
    )
