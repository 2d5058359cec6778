import pytest
from scripted_desk import LOOP, Desk


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "loop.py").write_text(LOOP)
    return Desk(tmp_path).write()
