import subprocess
import sys

import pytest

INLINE = """
from sweeper.setup import TrainerSetup
from sweeper.testing import small_dataset
from sweeper.worker import make_trainer
make_trainer(TrainerSetup(), small_dataset(), None)
import sys
print("heard", file=sys.stderr)
"""


@pytest.mark.slow
def test_a_trainer_made_in_this_process_keeps_the_terminal_clean():
    done = subprocess.run([sys.executable, "-c", INLINE], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr == "heard\n"
