"""`rollbook token`: bearer tokens signed with the local key."""

from __future__ import annotations

from datetime import timedelta

import click

from api.local_key import make_token
from domain.permissions import Role
from rollbook.durations import Duration
from rollbook.private_key import private_key
from rollbook.settings import Settings


@click.command()
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    required=True,
)
@click.option("--employee", metavar="ID", help="Whose records are the bearer's own.")
@click.option("--subject", metavar="ID", help="Who the bearer is.")
@click.option("--ttl", type=Duration(), default="8h", show_default=True, help="As in 30m, 8h, 7d.")
@click.pass_obj
def token(
    settings: Settings,
    roles: tuple[str, ...],
    employee: str | None,
    subject: str | None,
    ttl: timedelta,
) -> None:
    """Print a bearer token for the API."""
    if settings.oidc is not None:
        raise click.ClickException(f"Tokens are made by {settings.oidc.issuer}.")
    if Role.EMPLOYEE.value in roles and employee is None:
        raise click.UsageError("--role employee needs --employee ID.")
    click.echo(
        make_token(
            private_key(settings.token_key),
            subject=subject or employee or f"local-{roles[0]}",
            roles=roles,
            lifetime=ttl,
            employee_id=employee,
        )
    )
