"""`rollbook erase` and `rollbook hold`: personal data, erased or kept from it."""

from __future__ import annotations

import getpass

import click

from audit.erasures import ErasureReceipt, erasure_receipt
from domain.act import Act
from domain.errors import DomainError
from domain.permissions import Role
from domain.provenance import Provenance
from eventlog.pool import open_as_login, open_connection
from projections.legal_holds import oldest_holds
from rollbook.assembly import event_codec, write_side
from rollbook.counted import counted
from rollbook.ready_database import ready_database, told_plainly
from rollbook.settings import Settings

POOL_SIZE = 2
MAX_LISTED = 10_000
REASON_OF_ERASURE = click.option(
    "--reason", required=True, help="Why; it stays readable: name a case, not a person."
)
REASON_OF_HOLD = click.option(
    "--reason", required=True, help="Why; it goes with the data when EMPLOYEE is erased."
)
ACTOR = click.option("--actor", default=getpass.getuser, help="Who does it; recorded.")


@click.command()
@click.argument("employee_id", metavar="EMPLOYEE")
@REASON_OF_ERASURE
@ACTOR
@click.pass_obj
def erase(settings: Settings, employee_id: str, reason: str, actor: str) -> None:
    """Erase all personal data of EMPLOYEE, for ever, and print the receipt.

    Facts, figures and proofs stay. See docs/privacy.md, also for backups.
    """
    url = ready_database(settings)
    with told_plainly(DomainError), write_side(settings, POOL_SIZE) as side:
        done = side.training.erase_person(employee_id, _act(reason, actor))
        with side.recorder.connection() as conn:
            receipt = erasure_receipt(conn, event_codec(), employee_id)
        if receipt is not None:
            _show(receipt, is_new=receipt.version == done.subject.version and bool(done.position))
    # As the tables' owner, which the role of the application is not.
    with told_plainly(), open_as_login(url) as conn:
        conn.execute("VACUUM rollbook.personal_keys, rollbook.employees, rollbook.kept_answers")


@click.group()
def hold() -> None:
    """Legal holds: they keep personal data from being erased."""


@hold.command()
@click.argument("employee_id", metavar="EMPLOYEE")
@REASON_OF_HOLD
@ACTOR
@click.pass_obj
def place(settings: Settings, employee_id: str, reason: str, actor: str) -> None:
    """Forbid the erasure of EMPLOYEE's data."""
    ready_database(settings)
    with told_plainly(DomainError), write_side(settings, POOL_SIZE) as side:
        done = side.training.place_hold(employee_id, _act(reason, actor))
    click.echo(f"The data of employee {employee_id} is held since position {done.position}.")


@hold.command()
@click.argument("employee_id", metavar="EMPLOYEE")
@REASON_OF_HOLD
@ACTOR
@click.pass_obj
def lift(settings: Settings, employee_id: str, reason: str, actor: str) -> None:
    """Allow the erasure of EMPLOYEE's data again."""
    ready_database(settings)
    with told_plainly(DomainError), write_side(settings, POOL_SIZE) as side:
        done = side.training.lift_hold(employee_id, _act(reason, actor))
    click.echo(
        f"The data of employee {employee_id} is held no more since position {done.position}."
    )


@hold.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the legal holds in force, the oldest first."""
    with told_plainly(), open_connection(ready_database(settings)) as conn:
        rows = oldest_holds(conn, MAX_LISTED)
    for row in rows:
        day = row.placed_at.date()
        click.echo(f"{row.employee_id}: since {day}, by {row.placed_by}: {row.reason}")
    click.echo(f"{counted(len(rows), 'legal hold')}.")


def _act(reason: str, actor: str) -> Act:
    return Act(Provenance(actor=actor, role=Role.HR_ADMIN.value), reason)


def _show(receipt: ErasureReceipt, *, is_new: bool) -> None:
    if not is_new:
        click.echo(f"Employee {receipt.employee_id} was erased before. The receipt:")
    click.echo(f"employee     {receipt.employee_id}")
    click.echo(f"erased at    {receipt.erased_at.isoformat()}")
    click.echo(f"erased by    {receipt.erased_by}")
    click.echo(f"reason       {receipt.reason}")
    click.echo(f"position     {receipt.position}")
    click.echo(f"enrollments  {receipt.enrollments}")
    click.echo(f"events       {receipt.events}")
    click.echo("erased       directory entry, key to all text, kept answers")
