"""What the documents say is held against what is there."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

import sweeper
from sweeper import errors, study_file
from sweeper.cli import cli
from sweeper.commands.schema import schema_text
from sweeper.config import StudyConfig
from sweeper.verdict import Outcome, Verdict

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
STUDIES = sorted(ROOT.glob("studies/**/*.yaml"))


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def test_the_first_two_commands_set_up_and_run_the_study_and_the_tests():
    study, tests = blocks("sh")[:2]
    assert "sweeper run studies/digits.yaml" in study
    assert "pytest" in tests
    for block in (study, tests):
        assert "python3 -m venv" in block
        assert "pip install" in block


@pytest.mark.parametrize("path", STUDIES, ids=[str(path.relative_to(ROOT)) for path in STUDIES])
def test_every_example_is_sound_and_names_its_schema(path):
    study_file.load(path)
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)[1]
    assert (path.parent / schema).resolve() == ROOT / "studies" / "study.schema.json"


@pytest.mark.skipif(
    f"pydantic=={metadata.version('pydantic')}" not in (ROOT / "constraints.txt").read_text(encoding="utf-8").split(),
    reason="another pydantic writes the same schema in other words",
)
def test_the_committed_schema_is_the_current_one():
    assert (ROOT / "studies" / "study.schema.json").read_text(encoding="utf-8") == schema_text()


def keys(model, path=""):
    """Every key of the schema, dotted; what stands under names of the user's own is left to the checks."""
    for name, found in study_file.fields(model).items():
        yield f"{path}{name}"
        if name != "parameters":
            for inner in study_file.models_in(found.annotation)[:1]:
                yield from keys(inner, f"{name}.")


@pytest.mark.parametrize("key", list(keys(StudyConfig)))
def test_every_key_stands_in_the_study_of_every_key_or_in_a_comment_of_it(key):
    section, _, name = key.rpartition(".")
    text = (ROOT / "studies" / "every_key.yaml").read_text(encoding="utf-8")
    if section:
        text = re.search(rf"^{section}:(.*\n(?:[ \n].*\n?)*)", text, re.M)[1]
    assert re.search(rf"^[ #]*{name}:|[{{,] ?{name}:", text, re.M)


def test_the_study_of_the_readme_is_sound():
    (text,) = blocks("yaml")
    study_file.load(study_file.yaml_source.parse(text).value)


def test_the_help_keeps_its_lines():
    lines = CliRunner().invoke(cli, ["--help"]).output.splitlines()
    assert any(line.startswith("  sweeper init  ") for line in lines)
    assert any(line.startswith("  sweeper run study.yaml  ") for line in lines)


def test_the_line_of_every_command_fits_a_terminal():
    lines = CliRunner().invoke(cli, ["--help"], terminal_width=80).output.partition("Commands:")[2].splitlines()
    assert len(lines) > 15
    assert not [line for line in lines if line.endswith("...") or len(line) > 80]


def test_every_command_has_help_and_stands_in_the_readme():
    told = set(re.findall(r"^\| `sweeper (\w+)` \|", README, re.M))
    assert told == {name for name, command in cli.commands.items() if not command.hidden}
    for name in cli.commands:
        done = CliRunner().invoke(cli, [name, "--help"])
        assert done.exit_code == 0
        assert len(done.output.splitlines()) > 3


def test_every_relative_link_leads_somewhere():
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/ci.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert ((ROOT / name).parent / target).exists(), f"{name}: {target}"


def test_every_file_named_in_the_architecture_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:sweeper/|planning/|engines/|commands/|training/|stats/)[\w/]*\.py)`", text):
        assert (ROOT / "sweeper" / name.removeprefix("sweeper/")).exists(), name


def test_the_table_of_the_verdict_document_is_complete():
    table = README.split("### verdict.json")[1].split("## More")[0]
    told = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.M):
        told |= set(re.findall(r"`(\w+)`", row))
    verdict = Verdict("x", Outcome.NO_VERDICT, None, None, None, (), (), (), "accuracy", "maximize", 0.05, 0.003)
    assert told == set(verdict.to_dict())


def test_the_exit_codes_are_those_of_the_errors():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SweeperError)]
    told = {int(code) for code in re.findall(r"`(\d+)`", README.split("Exit codes:")[1].split("\n\n")[0])}
    assert {kind.exit_code for kind in kinds} - {1} <= told


def test_the_public_names():
    assert sweeper.__all__ == ["__version__", "load", "run"]
    assert all(getattr(sweeper, name) for name in sweeper.__all__)


def test_the_trainer_of_the_readme_trains(tmp_path, monkeypatch, capsys):
    call, trainer = blocks("python")
    (tmp_path / "my_loop.py").write_text(trainer)
    study = {"name": "x", "data": {"name": "iris"}, "trainer": "my_loop:train", "confirm": {"seeds": 4}}
    (tmp_path / "study.yaml").write_text(json.dumps(study))  # JSON is YAML
    monkeypatch.chdir(tmp_path)
    exec(call.replace("studies/digits.yaml", "study.yaml"), {})
    assert capsys.readouterr().out.startswith("TIE ")
