"""KerasTuner: its tuner and checkpoints, with an oracle that hands out the trials of the others.

The oracle stands in the place of RandomSearch's, whose draw costs next to nothing.
"""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner
from rivals.heats import Heat
from rivals.work import RATES, Job, Setting

RUNNING = "RUNNING"


class Digits(keras_tuner.HyperModel):
    """The model, and what is searched."""

    def __init__(self, job: Job, heat: Heat) -> None:
        super().__init__()
        self.job, self.heat = job, heat

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """A compiled model."""
        model = self.job.model(hp.Choice("activation", list(self.job.work.activations)))
        rate = hp.Float("learning_rate", *RATES, sampling="log")
        name = hp.Choice("optimizer", list(self.job.work.optimizers))
        optimizer = keras.optimizers.get({"class_name": name, "config": {"learning_rate": rate}})
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        """As KerasTuner does it, and counted."""
        history = super().fit(hp, model, *args, **kwargs)
        setting = Setting(**{name: hp.get(name) for name in Setting._fields})
        self.heat.note(setting, len(history.epoch), history.history["val_accuracy"][-1])
        return history


class Given(keras_tuner.Oracle):
    """Hands out the trials that it was given."""

    def __init__(self, settings: tuple[Setting, ...]) -> None:
        super().__init__(objective="val_accuracy", max_trials=len(settings), max_consecutive_failed_trials=1)
        self.settings = settings

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next one."""
        return {"status": RUNNING, "values": self.settings[int(trial_id)]._asdict()}


def main(job: Job, heat: Heat) -> None:
    """A warm-up in a project of its own, then this process' share of the trials."""
    search(job, heat, f"warm-up-{job.process}", job.settings[:1])()
    timed = search(job, heat, f"digits-{job.process}", job.settings)
    heat.line_up()
    timed()


def search(job: Job, heat: Heat, name: str, settings: tuple[Setting, ...]) -> Any:
    """A tuner, ready to search."""
    tuner = keras_tuner.Tuner(
        Given(settings),
        Digits(job, heat),
        executions_per_trial=1,
        overwrite=True,
        directory=str(job.folder),
        project_name=name,
    )
    rows, work = job.rows, job.work

    def run() -> None:
        tuner.search(
            rows.train.x,
            rows.train.y,
            batch_size=work.batch_size,
            epochs=work.epochs,
            validation_data=(rows.validation.x, rows.validation.y),
            verbose=0,
        )

    return run
