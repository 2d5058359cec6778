"""What the doctor looks at besides files: Python, packages, TensorFlow, the machine, the terminal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from sweeper import __version__, environment
from sweeper.commands.finding import Finding, failure, fine, warning

IMPORT_S = 120.0
"""TensorFlow takes 3 to 10 s to import; on a cold network disk a minute has been seen."""

WORKER_BYTES = 2**29
"""What a worker needs, about."""

_PROBE = """
import json, os, sys, time
began = time.time()
import tensorflow as tf, keras
names = [device.name for device in tf.config.list_physical_devices("GPU")]
trouble = ""
try:
    if names:
        with tf.device("/GPU:0"):
            float(tf.reduce_sum(tf.matmul(tf.ones((64, 64)), tf.ones((64, 64)))))
except Exception as error:
    trouble = f"{type(error).__name__}: {error}"[:300]
print("\\n" + json.dumps({"tensorflow": tf.__version__, "keras": keras.__version__, "backend": keras.backend.backend(),
    "gpus": names, "trouble": trouble, "cuda": tf.test.is_built_with_cuda(), "seconds": time.time() - began}))
"""


def python() -> Iterator[Finding]:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    where = f"{version}, {sys.executable}"
    if (3, 10) <= sys.version_info[:2] <= (3, 13):
        yield fine("python", where)
    else:
        yield failure("python", where, "Python 3.10 to 3.13: TensorFlow has wheels for no other")


def packages() -> Iterator[Finding]:
    """Sweeper and what it needs, within the versions that it supports."""
    yield fine("sweeper", f"{__version__}, {Path(__file__).parents[1]}")
    try:
        needed = metadata.requires("keras-sweeper") or []
    except metadata.PackageNotFoundError:
        yield warning("packages", "sweeper runs from a folder and is not installed", "pip install -e '.[cpu]'")
        return
    wrong = list(_unmet(needed))
    yield from wrong
    if not wrong:
        shown = ", ".join(f"{name} {_version(name)}" for name in ("optuna", "mlflow", "numpy", "pandas"))
        yield fine("packages", shown)


def _unmet(needed: list[str]) -> Iterator[Finding]:
    from packaging.requirements import InvalidRequirement, Requirement

    for line in needed:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        found = _version(wanted.name)
        cure = f"pip install '{wanted.name}{wanted.specifier}'"
        if found is None:
            yield failure("packages", f"{wanted.name} is not installed", cure)
        elif not wanted.specifier.contains(found, prereleases=True):
            yield failure("packages", f"{wanted.name} {found}, but {wanted.specifier} is needed", cure)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def wheels() -> Iterator[Finding]:
    """Which distribution TensorFlow came in, without importing it."""
    found = {name: version for name in ("tensorflow", "tensorflow-cpu") if (version := _version(name))}
    told = ", ".join(f"{name} {version}" for name, version in found.items())
    if not found:
        yield failure("tensorflow wheel", "none is installed", "pip install 'keras-sweeper[cpu]', or [gpu]")
    elif len(found) == 2:
        cure = "pip uninstall -y tensorflow tensorflow-cpu, then install one: 'keras-sweeper[cpu]' or [gpu]"
        yield warning("tensorflow wheel", f"{told}: they overwrite each other's files", cure)
    else:
        yield fine("tensorflow wheel", told)


def tensorflow(code: str = _PROBE, limit_s: float = IMPORT_S) -> Iterator[Finding]:
    """TensorFlow, Keras and devices, asked of a process of its own: a broken installation is a line, no traceback.

    Args:
        code: prints a JSON document as its last line.
        limit_s: seconds that it may take.
    """
    asked = os.environ.get("KERAS_BACKEND", "tensorflow")
    if asked != "tensorflow":
        yield warning("keras backend", f"KERAS_BACKEND is {asked}; workers use tensorflow", "unset KERAS_BACKEND")
    place = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    cure = "pip install --force-reinstall 'keras-sweeper[cpu]'; python -c 'import tensorflow' shows the fault"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, errors="replace", timeout=limit_s, env=place
        )
    except subprocess.TimeoutExpired:
        yield failure("tensorflow", f"not imported after {limit_s:g} s", "a faster disk for the environment, or wait")
        return
    try:
        told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        last = (done.stderr.strip().splitlines() or [""])[-1][:200]
        yield failure("tensorflow", last or f"its import ended with status {done.returncode}", cure)
        return
    yield fine("tensorflow", f"{told['tensorflow']}, imported in {told['seconds']:.1f} s")
    yield fine("keras", f"{told['keras']} on {told['backend']}")
    yield from _gpus(told)


def _gpus(told: Mapping[str, Any]) -> Iterator[Finding]:
    if told["gpus"] and told["trouble"]:
        yield failure("gpu", f"{len(told['gpus'])} visible, none usable: {told['trouble']}", "CUDA_VISIBLE_DEVICES=-1")
    elif told["gpus"]:
        yield fine("gpu", f"{len(told['gpus'])} usable")
    elif not (shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists()):
        yield fine("gpu", "none here; small models train faster without one")
    elif os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        yield warning("gpu", "hidden by CUDA_VISIBLE_DEVICES", "unset CUDA_VISIBLE_DEVICES")
    else:
        wheel = "TensorFlow does not find CUDA" if told["cuda"] else "this TensorFlow is built without CUDA"
        yield warning("gpu", f"there is one, but {wheel}", "pip install 'keras-sweeper[gpu]', in a new environment")


def extras() -> Iterator[Finding]:
    """What only some studies need."""
    missing = [name for name in ("cmaes", "torch", "pyarrow") if _version(name) is None]
    if missing:
        needs = {"cmaes": "search.strategy: cmaes", "torch": "search.strategy: gp", "pyarrow": "parquet"}
        told = "; ".join(f"{name}, for {needs[name]}" for name in missing)
        yield fine("extras", f"not here: {told} (pip install 'keras-sweeper[search]')")
    else:
        yield fine("extras", "cmaes, torch, pyarrow")


def cores() -> Iterator[Finding]:
    """How many workers there will be."""
    usable, there = environment.cores(), os.cpu_count() or 1
    told = f"{usable} of {there} usable: {usable} workers"
    yield fine("cores", told if usable < there else f"{usable}: {usable} workers")


def memory() -> Iterator[Finding]:
    """Whether the workers fit."""
    total = environment.memory_bytes()
    if total is None:
        yield warning("memory", "cannot be told on this system", "fewer workers (-j) where it runs out")
        return
    free = min(total, _available() or total)
    fit = max(1, free // WORKER_BYTES)
    told = f"{_gib(free)} free of {_gib(total)}"
    if free < WORKER_BYTES:
        yield failure("memory", f"{told}; a worker needs half a GiB", "end other programs, or raise the limit")
    elif fit < environment.cores():
        yield warning("memory", f"{told}: enough for {fit} workers of half a GiB", f"sweeper run -j {fit}")
    else:
        yield fine("memory", told)


def _available() -> int | None:
    """Bytes that can be had without swapping, within the control group, if that can be told."""
    found = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        found.append(limit - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    except (OSError, ValueError):  # another system, no control groups, or "max"
        pass
    return min(found, default=None)


def shared_memory(place: Path = Path("/dev/shm")) -> Iterator[Finding]:
    """Where processes leave semaphores and PyTorch its tensors."""
    if sys.platform != "linux":
        return
    if not os.access(place, os.W_OK):
        yield failure(
            str(place), "cannot be written: worker processes cannot be started", f"mount it, mode 1777: {place}"
        )
        return
    size = shutil.disk_usage(place)
    if size.free < 2**20:
        yield warning(
            str(place), f"{size.free / 2**20:.1f} MiB free", "docker run --shm-size=256m, or remove old files"
        )
    else:
        yield fine(str(place), f"{_gib(size.free)} free")


def clock(now_s: float | None = None) -> Iterator[Finding]:
    """Whether times in reports and TLS will be right."""
    now = time.time() if now_s is None else now_s
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    built = Path(__file__).stat().st_mtime
    if now < built - 86_400:
        yield warning("clock", f"{told} is before sweeper was installed", "set the clock: timedatectl set-ntp true")
    else:
        yield fine("clock", told)


def terminal() -> Iterator[Finding]:
    """Whether the live table can be drawn."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    kind = "a terminal" if sys.stderr.isatty() else "no terminal: plain lines instead of the live table"
    if encoding != "utf8":
        yield warning("terminal", f"{kind}; encoding {sys.stdout.encoding}", "export LC_ALL=C.UTF-8")
    elif os.environ.get("TERM") == "dumb":
        yield warning("terminal", "TERM is dumb: plain lines instead of the live table", "export TERM=xterm-256color")
    else:
        yield fine("terminal", f"{kind}, {sys.stdout.encoding}")


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"
