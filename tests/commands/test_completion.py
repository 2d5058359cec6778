import os
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from sweeper.cli import cli
from sweeper.commands.completion import VARIABLE, script

BASH = shutil.which("bash")

ASK = """
{script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
[[ "{words}" == *" " ]] && COMP_WORDS+=("") && COMP_CWORD=$((COMP_CWORD + 1))
compopt() {{ echo "compopt $*" >&2; }}
_sweeper_completion sweeper
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def shell(tmp_path):
    """Asks bash what it would offer after the words, and where it would add no space."""
    place = tmp_path / "bin"
    place.mkdir()
    command = place / "sweeper"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sweeper.cli "$@"\n')
    command.chmod(0o755)
    desk = tmp_path / "desk"
    desk.mkdir()

    def ask(words, **environment):
        done = subprocess.run(
            ["bash", "--norc", "-c", ASK.format(script=script("bash"), words=words)],
            cwd=desk,
            env={**os.environ, "PATH": f"{place}:{os.environ['PATH']}", **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        return [line for line in done.stdout.splitlines() if line], "nospace" in done.stderr

    ask.desk = desk
    return ask


needs_bash = pytest.mark.skipif(BASH is None, reason="no bash here")


@needs_bash
def test_bash_offers_the_commands(shell):
    offered, _ = shell("sweeper ")
    assert set(offered) == {name for name, command in cli.commands.items() if not command.hidden}
    assert shell("sweeper exp")[0] == ["export"]


@needs_bash
def test_bash_offers_study_files_and_the_folders_on_the_way(shell):
    (shell.desk / "studies").mkdir()
    for name in ("a.yaml", "b.yml", "c.txt", ".hidden.yaml", "studies/deep one.yaml", "studies/x.csv"):
        (shell.desk / name).touch()
    assert shell("sweeper run ") == (["a.yaml", "b.yml", "studies/"], False)
    assert shell("sweeper validate st") == (["studies/"], True)
    assert shell("sweeper validate studies/")[0] == ["studies/deep one.yaml"]
    assert shell("sweeper validate nowhere/")[0] == []
    assert shell("sweeper import a")[0] == ["a.yaml"]


@needs_bash
def test_bash_offers_the_names_of_studies_to_compare(shell):
    for name in ("digits", "digits-2", "empty"):
        (shell.desk / "mlruns" / "studies" / name).mkdir(parents=True)
        if name != "empty":
            (shell.desk / "mlruns" / "studies" / name / "study.db").touch()
    assert shell("sweeper compare dig")[0] == ["digits", "digits-2"]
    assert shell("sweeper compare digits digits-")[0] == ["digits-2"]
    assert shell("sweeper compare dig", SWEEPER_STORAGE="elsewhere")[0] == []


@needs_bash
def test_bash_offers_options_and_keys(shell):
    assert "--script" in shell("sweeper export --")[0]
    assert shell("sweeper run -S training.ep") == (["training.epochs="], True)
    assert "tracking.register=" in shell("sweeper run -S tracking.")[0]
    assert "tracking.register_as=" not in shell("sweeper run -S tracking.")[0]
    assert shell("sweeper run -S parameters") == (["parameters."], True)
    assert "parameters.dropout." in shell("sweeper run -S parameters.")[0]
    assert "parameters.dropout.values=" in shell("sweeper run -S parameters.dropout.")[0]
    assert shell("sweeper completion ")[0] == ["bash", "zsh", "fish"]
    assert shell("sweeper run --engine in")[0] == ["inline"]


@needs_bash
def test_bash_offers_values_as_it_cuts_words_at_the_equals_sign(shell):
    offered, more = shell("sweeper run -S search.strategy =")
    assert {"balanced", "tpe", "grid"} <= set(offered)
    assert not more
    assert shell("sweeper run -S search.strategy = ba")[0] == ["balanced"]
    assert shell("sweeper run -S training.deterministic = ")[0] == ["true", "false"]
    assert shell("sweeper run -S data.name = keras : mn")[0] == ["mnist"]
    assert shell("sweeper run -S search.strategy = tpe -S training.ep")[0] == ["training.epochs="]


@needs_bash
def test_bash_offers_data_models_and_baselines(shell):
    (shell.desk / "tables").mkdir()
    for name in ("t.csv", "night.json", "net.py"):
        (shell.desk / name).touch()
    offered, _ = shell("sweeper init --data ")
    assert {"digits", "keras:mnist", "t.csv", "tables/"} <= set(offered)
    assert shell("sweeper init --data keras : fash")[0] == ["fashion_mnist"]
    assert shell("sweeper init --data = keras : fash")[0] == ["fashion_mnist"]
    assert shell("sweeper init --model ")[0] == ["mlp", "cnn", "lstm", "net:"]
    assert shell("sweeper check --baseline ")[0] == ["mlflow:latest", "night.json", "tables/"]
    assert shell("sweeper check --baseline mlflow : l")[0] == ["latest"]


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        (["run", "-S"], "engine.fuse=s", "engine.fuse=stacked"),
        (["run", "-S"], "metric.name=r2", "metric.name=r2"),
        (["import", "--model"], "l", "lstm"),
    ],
)
def test_every_shell_is_offered_whole_words(words, begun, offered):
    shell = ShellComplete(cli, {}, "sweeper", VARIABLE)
    assert [item.value for item in shell.get_completions(words, begun)] == [offered]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_every_script_says_how_it_is_installed_and_which_variable_asks(name):
    done = CliRunner().invoke(cli, ["completion", name])
    assert done.exit_code == 0
    first, *rest = done.output.splitlines()
    assert first.startswith("# ")
    assert f"sweeper completion {name}" in first
    assert any(VARIABLE in line for line in rest)


def test_an_unknown_shell_is_refused():
    done = CliRunner().invoke(cli, ["completion", "tcsh"])
    assert done.exit_code == 2
    assert "bash" in done.output
