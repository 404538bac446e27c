"""The command line `rollbook`: the list of its commands."""

from __future__ import annotations

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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
