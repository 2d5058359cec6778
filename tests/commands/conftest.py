import shutil

import pytest
from scripted_desk import LOOP, Desk, Finished


def laid(folder):
    (folder / "loop.py").write_text(LOOP)
    return Desk(folder).write()


@pytest.fixture
def desk(tmp_path):
    return laid(tmp_path)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A run of two workers that nothing happened to."""
    desk = laid(tmp_path_factory.mktemp("undisturbed"))
    done = desk.run("-j", "2")
    assert done.code == 0, done.err
    return Finished(desk, done)


@pytest.fixture
def finished(desk, undisturbed):
    """A scripted study that is done, to do with as one likes."""
    shutil.copytree(undisturbed.desk.folder / "mlruns", desk.folder / "mlruns")
    shutil.copy(undisturbed.desk.folder / "trained.txt", desk.folder)
    return desk
