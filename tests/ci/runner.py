"""Runs the steps of a workflow on this machine, with the files and variables that GitHub's runner gives them.

Actions by others are played: packages are installed already, and caches and artifacts are folders.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from expressions import filled, holds

ROOT = Path(__file__).parents[2]


@dataclass
class Job:
    """What a job leaves.

    Attributes:
        ran: names of the steps that ran, in order.
        failed: names of those that failed; the job fails with the first.
        summary: what its page would show.
        steps: outputs by the ids of steps.
    """

    ran: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    log: str = ""
    summary: str = ""
    steps: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)


class Runner:
    """A machine that keeps nothing between jobs but its caches.

    Args:
        folder: where everything is.
        sweeper: text of the `sweeper` command; None: the real one.
    """

    def __init__(self, folder, sweeper=None):
        self.folder = folder
        self.workspace, self.caches, self.artifacts = (folder / name for name in ("work", "caches", "artifacts"))
        self.bin = folder / "bin"
        for path in (self.workspace, self.caches, self.artifacts, self.bin):
            path.mkdir(parents=True)
        real = f'#!/bin/sh\nexec "{sys.executable}" -m sweeper.cli "$@"\n'
        for name, text in (("sweeper", sweeper or real), ("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')):
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)
        self.jobs = 0
        self.environ = {}

    def workflow(self, path, inputs=None, secrets=None):
        """Run the one job of a workflow, as dispatched with `inputs`, or scheduled without."""
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        (description,) = document["jobs"].values()
        return self._job(description["steps"], {"inputs": inputs or {}, "secrets": secrets or {}})

    def action(self, inputs):
        """Run the composite action alone."""
        return self._job([{"name": "Sweep", "id": "sweep", "uses": "./", "with": inputs}], {"inputs": {}})

    def _job(self, steps, contexts):
        self.jobs += 1
        job = Job()
        self._steps(steps, {**contexts, **self.about(), "steps": job.steps}, job)
        return job

    def about(self):
        """The contexts that the runner itself fills."""
        github = {"run_id": str(1000 + self.jobs), "run_attempt": "1", "action_path": str(ROOT)}
        github |= {"server_url": "https://github.test", "repository": "me/mine"}
        return {"github": github, "runner": {"os": "Linux"}}

    def _steps(self, steps, contexts, job):
        success = True
        for step in steps:
            if not holds(step.get("if", "success()"), contexts, success):
                continue
            job.ran.append(step["name"])
            outputs, good = self._step(step, contexts, job)
            if "id" in step:
                contexts["steps"][step["id"]] = {"outputs": outputs}
            if not good:
                success = False
                job.failed.append(step["name"])
        return success

    def _step(self, step, contexts, job):
        given = {name: filled(value, contexts) for name, value in step.get("with", {}).items()}
        if step.get("uses") == "./":
            return self._composite(given, contexts, job)
        if "uses" in step:
            action, at, version = step["uses"].partition("@")
            assert at
            assert re.fullmatch(r"v\d+", version)
            return getattr(self, "_" + re.sub(r"\W", "_", action))(given), True
        if step["name"] == "Install":
            return {}, True
        return self._script(step, contexts, job)

    def _composite(self, given, contexts, job):
        document = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        assert set(given) <= set(document["inputs"])
        inputs = {name: given.get(name, about.get("default", "")) for name, about in document["inputs"].items()}
        inside = {**contexts, "inputs": inputs, "steps": {}, "secrets": {}}
        good = self._steps(document["runs"]["steps"], inside, job)
        job.outputs = {name: filled(about["value"], inside) for name, about in document["outputs"].items()}
        return job.outputs, good

    def start(self, step, contexts):
        """Start the script of a step; the process, and the folder with its files."""
        place = self.folder / "steps" / f"{self.jobs}-{len(list(self.folder.glob('steps/*')))}"
        place.mkdir(parents=True)
        files = {name: place / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
        for path in files.values():
            path.touch()
        script = place / "script.sh"
        script.write_text(step["run"])
        return subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "MLFLOW_"))},
                "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.workspace),
                "RUNNER_TEMP": str(place),
                "RUNNER_OS": "Linux",
                **{name: str(path) for name, path in files.items()},
                **self.environ,
                **{name: filled(value, contexts) for name, value in step.get("env", {}).items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ), place

    def _script(self, step, contexts, job):
        process, place = self.start(step, contexts)
        job.log += process.communicate(timeout=280)[0]
        job.summary += (place / "github_step_summary").read_text(encoding="utf-8")
        return outputs_of(place), process.returncode == 0

    def _actions_checkout(self, given):
        return {}

    def _actions_setup_python(self, given):
        return {"python-version": given["python-version"]}

    def _actions_cache(self, given):
        return {}  # of downloaded packages, which are installed already

    def _actions_cache_restore(self, given):
        """The newest cache whose key begins as asked, put in the place of what is there."""
        shutil.rmtree(self.workspace / given["path"], ignore_errors=True)  # another machine than last time
        found = sorted(self.caches.glob(given["restore-keys"] + "*"), key=lambda path: path.stat().st_mtime_ns)
        if found:
            shutil.copytree(found[-1], self.workspace / given["path"])
        return {"cache-hit": "false"}

    def _actions_cache_save(self, given):
        target = self.caches / given["key"]
        assert not target.exists(), "a key can be saved once"
        if (self.workspace / given["path"]).is_dir():
            shutil.copytree(self.workspace / given["path"], target)
            os.utime(target)
        return {}

    def _actions_upload_artifact(self, given):
        for pattern in given["path"].split():
            for path in self.workspace.glob(pattern):
                target = self.artifacts / str(self.jobs) / given["name"] / path.relative_to(self.workspace)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        return {}


def outputs_of(place):
    """What a step wrote to GITHUB_OUTPUT, in both of its forms."""
    text = (place / "github_output").read_text(encoding="utf-8")
    long = re.compile(r"^([\w-]+)<<(\S+)\n(.*?)\n\2$\n?", re.M | re.S)
    found = {name: value for name, _, value in long.findall(text)}
    return {**found, **dict(re.findall(r"^([\w-]+)=(.*)$", long.sub("", text), re.M))}
