"""Reads indexes whole, so that they lie in memory, as they do once a server has run for a while."""

from __future__ import annotations

from typing import LiteralString

from psycopg.sql import SQL, Composed, Identifier

from benchmarks.servers import connect_patiently

# What can be read without the table, which for the log would be all of the log.
_INDEXES: LiteralString = """
select nspname::text, tables.relname::text, coalesce(pg_get_expr(indpred, indrelid), 'true'), array(
    select pg_get_indexdef(indexrelid, number, true) from generate_series(1, indnkeyatts) number
)
from pg_index
join pg_class tables on tables.oid = indrelid
join pg_namespace schemas on schemas.oid = tables.relnamespace
where nspname = 'rollbook_read' or nspname = 'rollbook' and indexprs is null and indpred is null
"""

# Only the order, and no other way to have it, makes the server walk the index.
_WALKING: LiteralString = """
set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off;
set max_parallel_workers_per_gather = 0
"""


def read_indexes(url: str) -> None:
    """Reads the indexes of the read tables, and those of the log, from one end to the other."""
    with connect_patiently(url) as conn:
        conn.execute(_WALKING)
        for index in conn.execute(_INDEXES).fetchall():
            conn.execute(_walk(*index))


def _walk(
    schema: str, table: str, condition: LiteralString, columns: list[LiteralString]
) -> Composed:
    return SQL("select count(*) from (select from {} where {} order by {} offset 0) walked").format(
        Identifier(schema, table), SQL(condition), SQL(", ").join(map(SQL, columns))
    )
