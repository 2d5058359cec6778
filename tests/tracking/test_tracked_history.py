import contextlib
import sqlite3

import pytest
from tracked import STUDY, record

from sweeper.tracking.history import History
from sweeper.tracking.projection import Projection

RECORD = record(3, epochs=9)
POINTS = Projection("accuracy", maximize=True).child(RECORD).metrics

pytestmark = pytest.mark.slow


def table(store, name, run_id):
    """The rows of one run, without its id."""
    file = store.uri.removeprefix("sqlite:///")
    query = f"SELECT key, value, timestamp, step, is_nan FROM {name} WHERE run_uuid = ? ORDER BY key, step, timestamp"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return connection.execute(query, [run_id]).fetchall()


def logged(store, points):
    """A run that MLflow itself wrote these points to."""
    from mlflow.entities import Metric

    run = store.client.create_run("0")
    metrics = [Metric(point.key, point.value, point.timestamp_ms, point.step) for point in points]
    store.client.log_batch(run.info.run_id, metrics)
    return run.info.run_id


def test_the_tables_are_as_mlflow_would_have_written_them(store):
    by_mlflow = logged(store, POINTS)
    tracker = store.tracker()
    tracker.start(STUDY)
    tracker.trial(RECORD)
    ours = store.children()[3].info.run_id
    assert table(store, "metrics", ours) == table(store, "metrics", by_mlflow)
    assert table(store, "latest_metrics", ours) == table(store, "latest_metrics", by_mlflow)
    assert len(table(store, "metrics", ours)) > 2 * 9


def test_a_curve_that_was_sent_half_is_completed_and_not_doubled(store):
    run = store.client.create_run("0").info.run_id
    history = History(store.uri)
    accuracy = [point for point in POINTS if point.key == "val_accuracy"]
    assert history.add(run, accuracy[:5]) == [accuracy[4]]
    assert history.add(run, accuracy) == [accuracy[8]]
    assert [row[3] for row in table(store, "metrics", run)] == list(range(8))


@pytest.mark.parametrize("uri", ["http://localhost:1", "sqlite:///:memory:", "databricks"])
def test_any_other_store_gets_everything_through_mlflow(uri):
    assert History(uri).add("run", POINTS) == POINTS


def test_a_table_of_another_mlflow_is_left_to_it(store, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        connection.execute("ALTER TABLE metrics ADD COLUMN trust FLOAT")
    assert History(store.uri).add("run", POINTS) == POINTS


def test_a_file_that_cannot_be_written_is_told(store, tmp_path):
    history = History(store.uri)
    (tmp_path / "mlflow.db").unlink()
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(sqlite3.Error):
        history.add("run", POINTS)
