"""A test is no study of the CI that it runs in: it must neither write to that one's pages nor take its options."""

import os

for name in list(os.environ):
    if name.startswith(("GITHUB_", "SWEEPER_")) or name == "GITLAB_CI":
        del os.environ[name]

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as sweeper.cli has it: NumPy's threads would wait on the cores
