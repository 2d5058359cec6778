"""The folder of a study: every path in it, who is using it, and what it was begun with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeper.errors import Problem, StudyBusy, UsageError, unwritable

DEFAULT_ROOT = Path("mlruns")


@dataclass(frozen=True)
class StudyFolder:
    """`<root>/studies/<study>`; `root` also holds MLflow's default store."""

    root: Path
    name: str

    @property
    def path(self) -> Path:
        """The folder itself. A name that is no safe file name gets a part of its hash, so that none collide."""
        slug = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name).strip("-.")[:80]
        if slug != self.name:
            slug = f"{slug}-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}".strip("-")
        return self.root / "studies" / slug

    @property
    def ledger(self) -> Path:
        """Optuna's SQLite file."""
        return self.path / "study.db"

    def ledger_of_run(self, study_file: str) -> Path:
        """The ledger, of a study that has been run.

        Raises:
            UsageError: it has not been; `study_file` names what to run.
        """
        if not self.ledger.is_file():
            raise UsageError.at(str(self.path), "a study that has been run", "no ledger", f"sweeper run {study_file}")
        return self.ledger

    @property
    def keep(self) -> Path:
        """What the trainer leaves of the pick."""
        return self.path / "keep"

    @property
    def verdict(self) -> Path:
        """The verdict document."""
        return self.path / "verdict.json"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    @property
    def worker_log(self) -> Path:
        """What the workers printed."""
        return self.path / "worker.log"

    @property
    def tracking_log(self) -> Path:
        """What MLflow had to say."""
        return self.path / "mlflow.log"

    def create(self) -> None:
        """Make the folder and see that it can be written.

        Raises:
            UsageError: it cannot.
            StorageError: the disk is full.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".write-{os.getpid()}"
            probe.write_bytes(b"\0" * 4096)
            probe.unlink()
        except OSError as error:
            cure = "make it writable, free some space, or choose another folder with --storage"
            raise unwritable(str(self.path), "a folder that can be written", error, cure) from error

    def set_aside(self) -> None:
        """Rename the folder, so that a fresh study can begin; what was in it is kept."""
        if self.path.exists():
            taken = (self.path.with_name(f"{self.path.name}.{number}") for number in range(1, 10_000))
            self.path.rename(next(path for path in taken if not path.exists()))

    @property
    def _lock(self) -> Path:
        """Beside the folder, so that it stays the same file when the folder is set aside."""
        return self.path.with_name(f"{self.path.name}.lock")

    def is_locked(self) -> bool:
        """Whether a process holds the study at this moment."""
        import fcntl

        try:
            with open(self._lock) as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the study for this process.

        The lock is the kernel's and ends with the process, however it ends; a file that stays behind means nothing.

        Raises:
            StudyBusy: another process holds it.
            UsageError, StorageError: there is no place for it.
        """
        import fcntl  # POSIX only; TensorFlow has no native Windows either

        self.create()
        with open(self._lock, "a+") as file:
            for patience in (0.05, 0.1, 0.2, None):  # `status` holds it for a moment
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if patience is None:
                        file.seek(0)
                        raise StudyBusy(_busy(self.name, file.read())) from None
                    time.sleep(patience)
            file.truncate(0)
            json.dump({"pid": os.getpid(), "host": socket.gethostname()}, file)
            file.flush()
            yield


def _busy(name: str, holder: str) -> Problem:
    try:
        known = json.loads(holder)
        who = f"process {known['pid']} on {known['host']} is running it"
    except (ValueError, KeyError):
        who = "another process is running it"
    return Problem(
        f"study {name!r}", "nobody else to be running it", who, "wait for it, or give the study another name"
    )
