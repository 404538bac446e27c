"""Names in the database that more than one file refers to."""

from __future__ import annotations

LIVE = "rollbook_read"
"""The schema of the read tables that queries ask."""

CHANNEL = "rollbook_projected"
"""Notified with every batch that became visible."""

TODAY = "(now() AT TIME ZONE 'UTC')::date"
"""The day by which overdue and expired are told, as SQL; that of the moment when asked of one."""
