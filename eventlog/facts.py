"""Facts by which events are found, or which only one event may state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

_MAX_NAME_LENGTH = 63
_DIGEST_BYTES = 4


@dataclass(frozen=True)
class Fact:
    """A field of one topic's stored JSON that has an index of its own.

    ``unique``: no two events of the topic may hold the same value; the second is refused.
    """

    topic: str
    field: str
    unique: bool

    @property
    def index(self) -> str:
        """The index's name, which differs for every topic, field and kind."""
        kind = "unique" if self.unique else "lookup"
        digest = blake2b(f"{self.topic}\0{self.field}".encode(), digest_size=_DIGEST_BYTES)
        readable = re.sub(r"\W+", "_", f"events_{kind}_{self.topic}_{self.field}")
        suffix = f"_{digest.hexdigest()}"
        return readable[: _MAX_NAME_LENGTH - len(suffix)] + suffix

    def create_statement(self) -> Composed:
        """SQL that builds the index where it is missing."""
        return SQL(
            "create {unique} index if not exists {index} on rollbook.events ({value})"
            " where topic = {topic}"
        ).format(
            unique=SQL("unique" if self.unique else ""),
            index=Identifier(self.index),
            value=self.value_expression(),
            topic=Literal(self.topic),
        )

    def find_statement(self) -> Composed:
        """SQL that selects stream ids by (value, limit), in order of position."""
        # Topic and field are literals, for only then is the index recognised as the one to use.
        return SQL(
            "select stream_id from rollbook.events"
            " where topic = {topic} and {value} = %s order by position limit %s::bigint"
        ).format(topic=Literal(self.topic), value=self.value_expression())

    def values_statement(self) -> Composed:
        """SQL that selects every value that is stated."""
        return SQL("select {value} from rollbook.events where topic = {topic}").format(
            topic=Literal(self.topic), value=self.value_expression()
        )

    def value_expression(self) -> Composed:
        """SQL for the field's value as text."""
        return SQL("(state ->> {field})").format(field=Literal(self.field))


def stated(conn: psycopg.Connection[Any], fact: Fact) -> list[str]:
    """All values of the fact in the log; its index keeps this from reading the whole log."""
    return [value for (value,) in conn.execute(fact.values_statement())]
