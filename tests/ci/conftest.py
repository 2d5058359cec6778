"""Made-up endings and studies are shared with the tests of the report and of the commands."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / name) for name in ("report", "commands") if str(TESTS / name) not in sys.path]
