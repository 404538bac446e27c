"""`rollbook token`: bearer tokens signed with the local key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from jwt import InvalidKeyError

from api.identity import BadTokenError
from api.local_key import make_token
from domain.permissions import Role
from rollbook.durations import Duration
from rollbook.private_key import NotAnEd25519Key, private_key
from rollbook.ready_database import told_plainly
from rollbook.settings import Settings
from rollbook.token_key import local_tokens


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
    with told_plainly(NotAnEd25519Key, BadTokenError):
        verifier = local_tokens(settings.token_key)
        made = _made(
            settings.token_key,
            subject=subject or employee or f"local-{roles[0]}",
            roles=roles,
            lifetime=ttl,
            employee_id=employee,
        )
        # What the API would refuse is of no use to anybody.
        verifier.verify(made)
    click.echo(made)


def _made(path: Path, **facts: Any) -> str:
    try:
        return make_token(private_key(path), **facts)
    except (AttributeError, TypeError, ValueError, InvalidKeyError):
        # A public key is enough for the API, and not for this.
        raise NotAnEd25519Key(path) from None
