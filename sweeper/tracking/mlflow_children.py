"""The child runs of a study: each trial once, however often it is sent and wherever a sender died.

A child is complete when its status is final. One that is RUNNING was left between its creation and its end; its
record is sent again and completes it. Two of one number come from a server that did its work and lost its answer,
perhaps long after it was asked: one that hung answers what waited for it when it goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run

from sweeper.tracking.history import History
from sweeper.tracking.projection import ChildRun, Projection
from sweeper.trial import TrialRecord

PARENT = "mlflow.parentRunId"
TRIAL = "sweeper.trial"
_PAGE = 1000
"""Runs a request: as many as MLflow's own clients ask for."""


def search(client: MlflowClient, experiment_id: str, tags: Mapping[str, str]) -> Iterator[Run]:
    """Every run of an experiment with these tags that has not been deleted."""
    conditions = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    token = None
    while True:
        page = client.search_runs([experiment_id], conditions, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


class Children:
    """Writes trials below a parent run."""

    def __init__(
        self, client: MlflowClient, experiment_id: str, parent_id: str, projection: Projection, history: History
    ) -> None:
        self._client = client
        self._history = history
        self._experiment_id = experiment_id
        self._parent_id = parent_id
        self._projection = projection
        self._complete: set[int] = set()
        self._begun: dict[int, str] = {}
        self._doubtful: set[int] = set()
        self._has_lost_answers = False

    def take_stock(self) -> None:
        """Learn what an earlier process has written; second copies are deleted."""
        self._complete.clear()
        self._begun.clear()
        for run in search(self._client, self._experiment_id, {PARENT: self._parent_id}):
            number = int(run.data.tags.get(TRIAL, -1))
            if number in self._complete or (number in self._begun and run.info.status == "RUNNING"):
                self._client.delete_run(run.info.run_id)
            elif run.info.status == "RUNNING":
                self._begun[number] = run.info.run_id
            else:
                self._complete.add(number)
                if number in self._begun:
                    self._client.delete_run(self._begun.pop(number))

    def settle(self) -> None:
        """At the end: no trial twice, even where answers were lost, and none begun and not ended."""
        if self._has_lost_answers:
            self.take_stock()
        for number, run_id in list(self._begun.items()):
            self._client.delete_run(run_id)
            del self._begun[number]
        self._has_lost_answers = False

    def write(self, record: TrialRecord) -> None:
        """Write a finished trial, unless it is there already."""
        number = record.spec.number
        if number in self._complete:
            return
        child = self._projection.child(record)
        run_id = self._begun.get(number) or self._begin(number, child)
        self._begun[number] = run_id
        points = self._history.add(run_id, child.metrics)
        metrics = [Metric(point.key, point.value, point.timestamp_ms, point.step) for point in points]
        self._client.log_batch(run_id, metrics, [Param(name, value) for name, value in child.params.items()])
        self._client.set_terminated(run_id, child.status, child.end_ms)
        self._complete.add(number)
        del self._begun[number]

    def _begin(self, number: int, child: ChildRun) -> str:
        """Create the run; after a creation that failed, look first whether it happened all the same."""
        if number in self._doubtful:
            same = {PARENT: self._parent_id, TRIAL: str(number)}
            for run in search(self._client, self._experiment_id, same):
                return str(run.info.run_id)
        tags = {**child.tags, PARENT: self._parent_id}
        try:
            run = self._client.create_run(self._experiment_id, child.start_ms, tags, child.name)
        except Exception:
            self._doubtful.add(number)
            self._has_lost_answers = True
            raise
        self._doubtful.discard(number)
        return str(run.info.run_id)
