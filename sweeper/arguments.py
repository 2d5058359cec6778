"""Words that several commands take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from sweeper.completing import files, keys

Function = TypeVar("Function", bound=Callable[..., Any])

DEFAULT_STUDY = "study.yaml"


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
        shell_complete=keys,
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


def _writable(context: click.Context, option: click.Parameter, value: Path | None) -> Path | None:
    """See before anything trains that the file can be written."""
    if value is not None and not context.resilient_parsing:
        from sweeper.commands.ci import check_writable

        check_writable(value, str(option.opts[0]))
    _remember(context, option, value)
    return value


junit = click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="SWEEPER_JUNIT",
    callback=_writable,
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
