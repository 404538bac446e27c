"""Read tables named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from projections.table import ReadTable
from projections.tables import ALL_TABLES, PAST_TABLES, PRESENT_TABLES

BY_NAME = {table.name: table for table in ALL_TABLES}
TABLE_NAME = click.Choice(list(BY_NAME))

GROUPS = {"present": PRESENT_TABLES, "past": PAST_TABLES}
TABLE_OR_GROUP = click.Choice([*GROUPS, *BY_NAME])


def named_or_all(names: Sequence[str], *, every: bool) -> list[ReadTable[Any]]:
    """Return the tables of these names, or groups of them, each once, or every one.

    Raises `UsageError` when neither is asked for, or both.
    """
    if every == bool(names):
        raise click.UsageError("Name the tables, or give --all.")
    if every:
        return list(ALL_TABLES)
    named = [table for name in names for table in GROUPS.get(name) or (BY_NAME[name],)]
    return list(dict.fromkeys(named))
