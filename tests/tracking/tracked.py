"""A study, its trials and its store, as the tests of tracking use them."""

from pathlib import Path

from sweeper.trial import Combination, Seeds, Stage, TrialEnded, TrialRecord, TrialSpec

STUDY = {
    "name": "digits",
    "description": "Which pair wins?",
    "study_uid": "uid1",
    "study_hash": "a" * 64,
    "data_hash": "b" * 64,
    "data": {"name": "digits", "rows": 1797, "features": [8, 8, 1], "task": "multiclass"},
    "study_text": "name: digits\n",
    "environment": {"python": "3.11", "commit": "c0ffee"},
    "objective": {"metric": "accuracy", "goal": "maximize"},
    "strategy": "balanced",
    "configuration": {"compare": ["activation", "optimizer"], "search": {"points": 8}},
}


def record(number=0, stage=Stage.EXPLORE, repetition=0, epochs=3, ended=None, curve=None, **params):
    params = {"activation": "relu", "optimizer": "adam", "learning_rate": 0.0031, **params}
    combination = Combination({name: params[name] for name in ("activation", "optimizer")})
    spec = TrialSpec(number, stage, combination, params, Seeds(1, 2, 3), epochs, repetition)
    accuracy = tuple(0.5 + 0.1 * epoch + number / 1000 for epoch in range(epochs))
    if curve is None:
        curve = {"val_accuracy": accuracy, "val_loss": tuple(1 - value for value in accuracy)}
    if ended is None:
        final = {name: values[-1] for name, values in curve.items() if values}
        ended = TrialEnded.completed(spec, final, duration_s=2.0)
    return TrialRecord(spec, ended, curve, 1_700_000_000.0 + number)


class Store:
    """A store of one test, and what stands in it."""

    def __init__(self, folder: Path) -> None:
        from mlflow import MlflowClient

        self.uri = f"sqlite:///{folder / 'mlflow.db'}"
        self.artifacts = folder / "artifacts"
        self.client = MlflowClient(self.uri)

    def tracker(self, experiment="digits"):
        """A new one, as a new process would make it."""
        from sweeper.tracking.mlflow_tracker import MlflowTracker

        return MlflowTracker(self.uri, experiment, artifact_root=self.artifacts)

    def runs(self, experiment="digits"):
        found = self.client.get_experiment_by_name(experiment)
        return list(self.client.search_runs([found.experiment_id], max_results=1000))

    def children(self, experiment="digits"):
        """By trial number; fails where a trial stands there twice."""
        children = [run for run in self.runs(experiment) if "mlflow.parentRunId" in run.data.tags]
        by_number = {int(run.data.tags["sweeper.trial"]): run for run in children}
        assert len(by_number) == len(children)
        return by_number

    def history(self, run, key):
        return [(point.step, point.value, point.timestamp) for point in self.client.get_metric_history(run, key)]
