"""Where a study ran: versions, code, machine. Read from metadata, so that nothing is imported for it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("keras-sweeper", "keras", "tensorflow", "tensorflow-cpu", "optuna", "mlflow", "numpy", "scipy",
            "scikit-learn", "pandas")  # fmt: skip


@dataclass(frozen=True)
class Environment:
    """Provenance of a study.

    Attributes:
        packages: installed distribution -> version.
        commit: git commit of the study's folder, None outside a repository; `dirty` if files differ from it.
        cores: that this process may use.
    """

    packages: dict[str, str]
    python: str
    platform: str
    cores: int
    memory_bytes: int | None
    commit: str | None
    dirty: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def describe(folder: Path) -> Environment:
    """The environment of this process, and the git state of `folder`."""
    commit = _git(folder, "rev-parse", "HEAD")
    dirty = bool(commit and _git(folder, "status", "--porcelain", "--untracked-files=no"))
    return Environment(
        packages(), platform.python_version(), platform.platform(), cores(), memory_bytes(), commit, dirty
    )


def packages() -> dict[str, str]:
    """Installed distribution -> version, of those that numbers may depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def cores() -> int:
    """Cores that this process may use: its affinity, within the quota of its control group."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        allowed = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            allowed = min(allowed, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return allowed


def memory_bytes() -> int | None:
    """Memory of the machine, or what the control group of this process allows of it, if it can be told."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    try:
        return min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no control groups, or "max"
        return memory


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
