import shutil
import warnings

import pytest
from tracked import Store

from sweeper.tracking import quiet


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """An MLflow database with its tables; creating one takes seconds, so it is made once and copied."""
    quiet.prepare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc  # noqa: F401  warns when it is imported, which is when the first model is kept

        from sweeper.tracking.mlflow_tracker import MlflowTracker

        file = tmp_path_factory.mktemp("store") / "mlflow.db"
        MlflowTracker(f"sqlite:///{file}", "unused", artifact_root=None)
    return file


@pytest.fixture
def store(tmp_path, empty_store):
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return Store(tmp_path)
