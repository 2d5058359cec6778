"""What the doctor looks at where studies are kept: disk, file system, ledgers, locks, the MLflow store."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from sweeper.commands.finding import Finding, failure, fine, warning
from sweeper.errors import TrackingError
from sweeper.folder import StudyFolder
from sweeper.tracking.addresses import is_server, public_uri, sqlite_file
from sweeper.tracking.reachable import check_reachable

LEAST_BYTES = 200 * 2**20
ENOUGH_BYTES = 2**30
"""A study of hundreds of trials takes some 20 MB; a full disk ends a run, and MLflow's file grows with every study."""

LARGE_STORE_BYTES = 2 * 2**30
"""Of mlflow.db: from here on the UI takes seconds for a page."""

CHECK_S = 5.0
"""SQLite reads some 300 MB a second; a ledger that takes longer is not looked through to its end."""

_NETWORK = re.compile(r"nfs\d?|cifs|smb\w*|fuse\.(sshfs|s3fs|gcsfuse|rclone|glusterfs)|9p|afs|lustre|beegfs|ceph|gpfs")


def nearest(place: Path) -> Path:
    """The folder itself, or the first above it that is there."""
    return next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())


def storage(root: Path) -> Iterator[Finding]:
    """Whether something can be written, and how much."""
    there = nearest(root)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield failure("storage", f"{there} cannot be written", "chmod u+w it, or choose another with --storage")
        return
    free = shutil.disk_usage(there).free
    told = f"{root}: {free / 2**30:.1f} GiB free" + ("" if there == root.absolute() else ", not there yet")
    if free < LEAST_BYTES:
        yield failure("storage", told, "free some space, or choose another disk with --storage")
    elif free < ENOUGH_BYTES:
        yield warning("storage", told, "free some space before a large study")
    else:
        yield fine("storage", told)
    inodes = os.statvfs(there)
    if inodes.f_files and inodes.f_favail < 1000:
        yield warning("inodes", f"{inodes.f_favail} left on the disk of {there}", "remove small files there")
    yield from _skew(there, root)


def _skew(there: Path, root: Path) -> Iterator[Finding]:
    """The clock of a file server is another one."""
    if there != root.absolute():
        return
    probe = there / f".clock-{os.getpid()}"
    try:
        probe.touch()
        skew = probe.stat().st_mtime - time.time()
    except OSError as error:
        yield failure("storage", f"{there}: {error.strerror}", "choose another folder with --storage")
        return
    finally:
        probe.unlink(missing_ok=True)
    if abs(skew) > 5:
        yield warning("storage clock", f"{skew:+.0f} s from this machine's", "have both use the same time server")


def file_system(root: Path, mounts: str | None = None) -> Iterator[Finding]:
    """Whether SQLite's write-ahead log, and locks, work there.

    Args:
        root: where studies are kept.
        mounts: as in `/proc/mounts`.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
    place = nearest(root).resolve()
    found = [line.split()[1:3] for line in mounts.splitlines() if len(line.split()) > 2]
    around = [(point, kind) for point, kind in found if place.is_relative_to(point.replace("\\040", " "))]
    if not around:
        return
    point, kind = max(around, key=lambda pair: len(pair[0]))
    if _NETWORK.fullmatch(kind):
        cure = "--storage on a local disk: SQLite's log needs memory that only processes of one machine share"
        yield warning("file system", f"{kind} at {point}", cure)
    else:
        yield fine("file system", kind)


def ledgers(root: Path, name: str | None) -> Iterator[Finding]:
    """Whether the ledgers can be read, and who holds them."""
    folders = sorted((root / "studies").glob("*/study.db"))
    if name is not None:
        wanted = StudyFolder(root, name).ledger
        folders = [path for path in folders if path == wanted]
    if not folders:
        yield fine("ledger", "no study has been run here" if name is None else f"{name} has not been run here")
        return
    deadline = time.monotonic() + CHECK_S
    broken = 0
    for path in folders:
        answer = _quick_check(path, deadline)
        if answer not in ("ok", "unread"):
            broken += 1
            cure = "sweeper run --fresh begins anew and keeps the damaged folder"
            yield failure("ledger", f"{path}: {answer}", cure)
        if time.monotonic() > deadline:
            break
    if not broken:
        yield fine("ledger", f"{len(folders)} sound" if name is None else f"{folders[0]} is sound")
    held = [path.parent.name for path in folders if StudyFolder(root, path.parent.name).is_locked()]
    if held:
        yield fine("locks", f"being run at this moment: {', '.join(held)}")


def _quick_check(path: Path, deadline: float) -> str:
    """`ok`, `unread` where the time was not enough, or what is wrong."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as found:
            found.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
            return str(found.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.OperationalError as error:
        return "unread" if "interrupted" in str(error) or "locked" in str(error) else str(error)
    except sqlite3.DatabaseError as error:
        return str(error)


def left_over(processes: Path = Path("/proc")) -> Iterator[Finding]:
    """Workers whose coordinator is gone; they should have ended with it."""
    orphans = []
    for entry in processes.glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if b"multiprocessing.forkserver" in command and b"sweeper.preload" in command and parent == "1":
            orphans.append(entry.name)
    if orphans:
        yield warning("workers", f"left over: process {', '.join(orphans)}", f"kill {' '.join(orphans)}")
    elif processes.is_dir():
        yield fine("workers", "none left over")


def mlflow(uri: str) -> Iterator[Finding]:
    """Whether runs can be tracked, and what is there."""
    shown, file = public_uri(uri), sqlite_file(uri)
    if file is not None and not file.exists():
        yield fine("mlflow", f"{shown} is not there yet; the first run makes it")
        return
    try:
        check_reachable(uri, timeout_s=3.0)
    except TrackingError as error:
        problem = error.problems[0]
        yield failure("mlflow", f"{shown}: {problem.received}", problem.cure.replace("\n", "; "))
        return
    if file is None:
        yield fine("mlflow", f"{shown} {'answers' if is_server(uri) else 'is not looked into'}")
        return
    size = file.stat().st_size
    told = f"{shown}, {size / 2**20:.0f} MiB"
    yield from _schema(file, told)
    if size > LARGE_STORE_BYTES:
        cure = "mlflow gc removes deleted runs; or a new store: --tracking sqlite:///new.db"
        yield warning("mlflow size", f"{size / 2**30:.1f} GiB make the UI slow", cure)


def _schema(file: Path, told: str) -> Iterator[Finding]:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as found:
            rows = found.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error as error:
        cure = "another store: --tracking sqlite:///new.db; the ledger has everything, and the next run writes it there"
        yield failure("mlflow", f"{told}: {error}", cure)
        return
    version, heads, known = (rows[0][0] if rows else ""), *_revisions()
    if not heads or version in heads:
        yield fine("mlflow", f"{told}, schema up to date" if heads else told)
    elif version in known:
        yield warning(
            "mlflow", f"{told}, schema {version} is older than MLflow's", f"mlflow db upgrade sqlite:///{file}"
        )
    else:
        yield failure("mlflow", f"{told}, schema {version} is of a newer MLflow", "pip install -U mlflow")


def _revisions() -> tuple[set[str], set[str]]:
    """The newest revisions of MLflow's schema and all of them, read from its migrations without importing it."""
    spec = find_spec("mlflow")
    places = spec.submodule_search_locations if spec is not None else None
    folder = Path(next(iter(places))) / "store" / "db_migrations" / "versions" if places else Path("nowhere")
    known, followed = set(), set()
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8", errors="replace")
        known |= set(re.findall(r"^revision(?::.*)?\s*=\s*[\"'](\w+)", text, re.M))
        followed |= set(re.findall(r"^down_revision(?::.*)?\s*=\s*[\"'](\w+)", text, re.M))
    return known - followed, known
