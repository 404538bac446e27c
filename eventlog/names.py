"""Names in the database that more than one file of the log refers to."""

from __future__ import annotations

EVENTS = "rollbook.events"
CHANNEL = "rollbook_events"
VERSION_CONSTRAINT = "events_stream_id_version_key"
