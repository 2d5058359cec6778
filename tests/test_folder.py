import errno

import pytest

from sweeper.errors import StorageError, UsageError, unwritable
from sweeper.folder import StudyFolder


def test_a_place_that_cannot_be_written_is_a_mistake_in_the_call(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--storage") as caught:
        StudyFolder(tmp_path / "file", "study").create()
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EACCES, UsageError), (errno.EROFS, UsageError), (errno.ENOSPC, StorageError)]
)
def test_a_full_disk_is_no_mistake(number, kind):
    assert type(unwritable("x", "a file", OSError(number, "why"), "another")) is kind
