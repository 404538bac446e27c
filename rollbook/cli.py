"""The command line `rollbook`: the list of its commands."""

from __future__ import annotations

import os
from typing import Any

import click

from rollbook.commands_alive import alive
from rollbook.commands_audit import audit
from rollbook.commands_import import import_
from rollbook.commands_privacy import erase, hold
from rollbook.commands_processes import api, migrate, notary, projector, publisher, snapshotter
from rollbook.commands_replay import replay
from rollbook.commands_run import run
from rollbook.commands_tables import parked, rebuild, verify
from rollbook.commands_token import token
from rollbook.demo import demo
from rollbook.logs import configure_logs
from rollbook.setting_values import BadSetting
from rollbook.settings import Settings
from rollbook.status import status

COMMANDS = (
    run,
    migrate,
    api,
    projector,
    publisher,
    snapshotter,
    notary,
    audit,
    token,
    import_,
    status,
    rebuild,
    verify,
    replay,
    parked,
    demo,
    erase,
    hold,
    alive,
)


class Commands(click.Group):
    """Tells in one line what any command cannot do with its arguments or with files."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what is no text: nothing here is told by other bytes."""
        for given in args:
            if _is_broken(given):
                raise click.UsageError(f"{given!r} is not UTF-8.")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a file or folder that cannot be used is named."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None:
                raise
            message = f"{os.fsdecode(error.filename)} cannot be used: {error.strerror}"
            raise click.ClickException(message) from None


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rollbook")
@click.pass_context
def main(context: click.Context) -> None:
    """Rollbook keeps employee training as an append-only log of facts."""
    try:
        settings = Settings.read()
    except BadSetting as error:
        raise click.ClickException(str(error)) from None
    configure_logs(str(context.invoked_subcommand), settings.log_level, settings.log_format)
    context.obj = settings


for command in COMMANDS:
    main.add_command(command)
