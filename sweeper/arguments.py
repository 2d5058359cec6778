"""Words that several commands take, and what a shell may complete them to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

Function = TypeVar("Function", bound=Callable[..., Any])

DEFAULT_STUDY = "study.yaml"


def files(*endings: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completes to files with these endings, and to folders on the way to them; `.yaml` and so on."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        folder, _, start = begun.rpartition("/")
        place = Path(os.path.expanduser(folder or ("/" if begun.startswith("/") else ".")))
        try:
            entries = sorted(place.iterdir())
        except OSError:
            return []
        head = begun[: len(begun) - len(start)]
        fitting = [e for e in entries if e.name.startswith(start) and (start.startswith(".") or e.name[0] != ".")]
        return [
            CompletionItem(f"{head}{entry.name}/" if entry.is_dir() else f"{head}{entry.name}")
            for entry in fitting
            if entry.is_dir() or entry.suffix.lower() in endings
        ]

    return complete


def studies(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Completes to the names of studies that have been run, and to study files."""
    root = Path(context.params.get("storage") or os.environ.get("SWEEPER_STORAGE", "mlruns")) / "studies"
    try:
        names = sorted(place.name for place in root.iterdir() if (place / "study.db").is_file())
    except OSError:
        names = []
    known = [CompletionItem(name, help="study") for name in names if name.startswith(begun)]
    return known + files(".yaml", ".yml", ".json")(context, parameter, begun)


def study(command: Function) -> Function:
    """The arguments that every command on a study has."""
    argument = click.argument(
        "study", type=click.Path(path_type=Path), default=DEFAULT_STUDY, shell_complete=files(".yaml", ".yml")
    )
    override = click.option(
        "-S",
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        shell_complete=_keys,
        help="Override a key, e.g. training.epochs=5.",
    )
    storage = click.option(
        "--storage",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("mlruns"),
        envvar="SWEEPER_STORAGE",
        help="Folder that studies and the MLflow store live in.  [default: mlruns]",
    )
    return argument(override(storage(command)))


as_json = click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")


def _remember(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Keep what an option said where `cli.main` finds it, should the command end with an error."""
    context.ensure_object(dict)[str(option.name)] = value
    return value


junit = click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="SWEEPER_JUNIT",
    callback=_remember,
    help="Write the answer to this file as JUnit XML too.",
)


def to_stderr(line: str) -> None:
    """One line for people or a CI, where `--json` keeps stdout to itself."""
    click.echo(line, err=True)


def parsed(overrides: tuple[str, ...]) -> Mapping[str, Any]:
    """`key=value` words as a mapping; values are YAML."""
    from sweeper import yaml_source

    result = {}
    for word in overrides:
        key, equals, text = word.partition("=")
        if not (key and equals):
            raise click.UsageError(f"-S takes KEY=VALUE, such as training.epochs=5, not {word!r}")
        result[key] = yaml_source.parse(f"value: {text}", f"-S {key}").value["value"]
    return result


def _keys(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Keys of a study file, down to the one after which a value stands."""
    from sweeper.config import StudyConfig
    from sweeper.study_file import fields, models_in

    words = []
    for name, found in fields(StudyConfig).items():
        inner = models_in(found.annotation)
        words += [f"{name}.{key}=" for key in fields(inner[0])] if inner else [f"{name}="]
    return [CompletionItem(word) for word in words if word.startswith(begun)]
