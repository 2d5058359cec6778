import subprocess
import sys

import pytest

from sweeper import study_file
from sweeper.commands.warming import warm_up
from sweeper.folder import StudyFolder

KERAS = {"name": "warm", "data": {"name": "iris"}}


@pytest.fixture
def begun():
    return []


def warm(begun, storage, study=KERAS, engine=None, **options):
    warm_up(study_file.load(study), engine, storage, begin=lambda *call: begun.append(call), **options)


def finished(root):
    folder = StudyFolder(root, "warm")
    folder.create()
    folder.report.write_text("")
    folder.verdict.write_text("")
    return folder


def test_the_import_begins_and_what_it_prints_goes_to_the_log_of_the_workers(tmp_path, begun):
    warm(begun, tmp_path)
    folder = StudyFolder(tmp_path, "warm")
    assert begun == [("sweeper.preload", str(folder.worker_log))]
    assert folder.path.is_dir()


def test_a_study_in_memory_has_no_log(begun):
    warm(begun, None)
    assert begun == [("sweeper.preload", None)]


def test_nothing_is_imported_for_a_trainer_of_ones_own_or_another_engine(tmp_path, begun):
    warm(begun, tmp_path, {**KERAS, "trainer": "loop:train"})
    warm(begun, tmp_path, engine="inline")
    warm(begun, tmp_path, {**KERAS, "engine": {"kind": "inline"}})
    warm(begun, tmp_path, engine=object())
    assert begun == []
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_decides_before_the_file(tmp_path, begun):
    warm(begun, tmp_path, {**KERAS, "engine": {"kind": "inline"}}, engine="processes")
    assert len(begun) == 1


def test_a_study_that_seems_done_waits_until_it_is_begun_anew(tmp_path, begun):
    finished(tmp_path)
    warm(begun, tmp_path)
    assert begun == []
    warm(begun, tmp_path, fresh=True)
    assert len(begun) == 1


def test_a_study_that_is_being_run_is_left_alone(tmp_path, begun):
    with StudyFolder(tmp_path, "warm").locked():
        warm(begun, tmp_path)
    assert begun == []


def test_it_imports_nothing_heavy_itself():
    code = """
import sys
import sweeper.study_file, sweeper.commands.warming
heavy = {"tensorflow", "keras", "optuna", "mlflow", "pandas", "sklearn", "scipy", "matplotlib", "rich", "sqlalchemy"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
