"""Whatever is changed in the log is found, and its position named."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL

from eventlog.pool import open_connection
from proof import checkpoints, whole_log
from proof.hashing import leaf_hash, root_of
from proof.leaf import leaf_of, stored_leaves
from proof.live import Difference, Kind, differences
from proof.roots import Claim, Roots
from proof.tree import Leaves, Tree, every_leaf
from proof.verify_bundle import Broken
from tests.proof.world import (
    SIGNER,
    build_tree,
    leaf_bytes,
    leaves_of,
    notarizing,
    stored_rows,
    tampering,
    write_events,
)
from workers.checkpoint_delivery import CheckpointFile
from workers.notarize import Notary

Rows = list[bytes]


@dataclass(frozen=True)
class Tampered:
    """A log that was changed, and the positions of which one at least must be named first."""

    rows: Rows
    first: int


def a_log(made: random.Random, length: int) -> Rows:
    position, rows = 0, []
    for _ in range(length):
        position += made.choice((1, 1, 1, 2, 5))
        state = f'{{"recorded_at":"2026-11-23T09:00:{position % 60:02}Z","n":{made.random()}}}'
        stream = UUID(int=made.getrandbits(128))
        rows.append(leaf_bytes(position, stream, made.randrange(1, 99), "toy.v1", state.encode()))
    return rows


def any_byte(made: random.Random, rows: Rows) -> Tampered:
    """One bit of one byte of one field is another, the lengths included."""
    at = made.randrange(len(rows))
    event = bytearray(rows[at])
    position = leaf_of(rows[at]).position
    byte = made.randrange(14, len(event))
    event[byte] ^= 1 << made.randrange(8)
    return Tampered([*rows[:at], bytes(event), *rows[at + 1 :]], position)


def removed(made: random.Random, rows: Rows) -> Tampered:
    at = made.randrange(len(rows))
    return Tampered([*rows[:at], *rows[at + 1 :]], leaf_of(rows[at]).position)


def added(made: random.Random, rows: Rows) -> Tampered:
    taken = {leaf_of(row).position for row in rows}
    last = max(taken)
    free = [position for position in range(1, last + 9) if position not in taken]
    position = made.choice(free)
    new = leaf_bytes(position, UUID(int=made.getrandbits(128)), 1, "toy.v1", b"{}")
    return Tampered(sorted([*rows, new], key=lambda row: leaf_of(row).position), position)


def moved(made: random.Random, rows: Rows) -> Tampered:
    """An event gets another position."""
    at = made.randrange(len(rows))
    event = leaf_of(rows[at])
    without = [*rows[:at], *rows[at + 1 :]]
    taken = {leaf_of(row).position for row in rows}
    position = made.choice([p for p in range(1, max(taken) + 9) if p not in taken])
    new = leaf_bytes(position, event.stream_id, event.version, event.topic, event.state.encode())
    changed = sorted([*without, new], key=lambda row: leaf_of(row).position)
    return Tampered(changed, min(position, event.position))


def swapped(made: random.Random, rows: Rows) -> Tampered:
    """Two events change places."""
    first, second = sorted(made.sample(range(len(rows)), 2))
    one, other = leaf_of(rows[first]), leaf_of(rows[second])
    changed = list(rows)
    for at, event, position in ((first, other, one.position), (second, one, other.position)):
        changed[at] = leaf_bytes(
            position, event.stream_id, event.version, event.topic, event.state.encode()
        )
    return Tampered(changed, one.position)


TAMPERINGS: tuple[Callable[[random.Random, Rows], Tampered], ...] = (
    any_byte,
    any_byte,
    removed,
    added,
    moved,
    swapped,
)


def test_any_alteration_is_found_and_its_position_named(
    request: pytest.FixtureRequest,
) -> None:
    number: int = request.config.getoption("--alterations")
    made = random.Random(7)  # noqa: S311  # nothing secret
    rows: Rows = []
    for count in range(number):
        if count % 50 == 0:
            rows = a_log(made, made.choice((2, 30, 300)))
            pieces = [made.randrange(len(rows)) for _ in range(made.randrange(4))]
            leaves = leaves_of(rows, pieces)
            assert list(differences(rows, leaves)) == []
        tampering = made.choice(TAMPERINGS)
        changed = tampering(made, rows)
        found = list(differences(changed.rows, leaves))
        assert found, tampering
        assert found[0].position == changed.first, tampering
        assert len(found) <= 2


def test_each_kind_of_change_is_called_by_its_name() -> None:
    rows = a_log(random.Random(1), 20)  # noqa: S311  # nothing secret
    leaves = leaves_of(rows, [7])
    third, last = leaf_of(rows[2]), leaf_of(rows[-1])
    other = leaf_bytes(third.position, third.stream_id, third.version, third.topic, b"{}")
    beyond = leaf_bytes(last.position + 1, last.stream_id, 9, "toy.v1", b"{}")
    assert list(differences([*rows[:2], other, *rows[3:]], leaves)) == [
        Difference(third.position, Kind.ALTERED)
    ]
    assert list(differences([*rows[:2], *rows[3:]], leaves)) == [
        Difference(third.position, Kind.REMOVED)
    ]
    assert list(differences([*rows, beyond], leaves)) == [Difference(last.position + 1, Kind.ADDED)]


def claims_over(rows: Rows, sizes: list[int]) -> list[Claim]:
    hashes = [leaf_hash(row) for row in rows]
    return [Claim(n, root_of(b"".join(hashes[:n])), f"of {n}") for n in sizes]


def test_checkpoints_of_every_size_agree_with_the_tree_they_were_made_of() -> None:
    rows = a_log(random.Random(2), 1_000)  # noqa: S311  # nothing secret
    claims = claims_over(rows, [1, 2, 2, 255, 256, 257, 300, 511, 512, 768, 999, 1_000])
    roots = Roots(claims)
    for _ in roots.following(leaves_of(rows, [100, 256, 400, 512, 768])):
        pass
    assert (roots.borne_out, roots.contradictions) == (len(claims), [])


def test_a_tree_that_was_made_anew_after_a_change_contradicts_the_checkpoints() -> None:
    rows = a_log(random.Random(3), 600)  # noqa: S311  # nothing secret
    claims = claims_over(rows, [100, 300, 500, 600])
    event = leaf_of(rows[350])
    rows[350] = leaf_bytes(event.position, event.stream_id, 1, "toy.v1", b'{"n":"forged"}')
    roots = Roots([*claims, Claim(700, b"0" * 32, "of a log that was cut")])
    for _ in roots.following(leaves_of(rows)):
        pass
    assert roots.borne_out == 2
    contradicted = {found.claim.size: found.first_position for found in roots.contradictions}
    since = leaf_of(rows[300]).position
    assert contradicted == {500: since, 600: since, 700: None}


CHANGES: tuple[LiteralString, ...] = (
    "update rollbook.events set version = version + 900 where position = {at}",
    "update rollbook.events set topic = 'toy.played.v2' where position = {at}",
    "update rollbook.events set stream_id = gen_random_uuid() where position = {at}",
    "update rollbook.events set state = '[]' where position = {at}",
    "update rollbook.events set state = (state::text || ' ')::json where position = {at}",
    "delete from rollbook.events where position = {at}",
    (
        "insert into rollbook.events (position, stream_id, version, topic, state)"
        " overriding system value values ({hole}, gen_random_uuid(), 1, 'x', '[]')"
    ),
    (
        "alter table rollbook.events alter position drop identity;"
        " update rollbook.events set position = {hole} where position = {at}"
    ),
)


@pytest.fixture
def proven_url(database_url: str) -> str:
    write_events(database_url, 600)
    build_tree(database_url)
    return database_url


def verify(
    url: str, outside: Path | None = None, nodes: list[str] | None = None
) -> tuple[whole_log.Verdict, list[int]]:
    named: list[int] = []
    wrong: list[str] = [] if nodes is None else nodes
    with open_connection(url) as log, open_connection(url) as tree:
        verdict = whole_log.verify(
            log,
            tree,
            outside,
            SIGNER.verifier_key,
            lambda found: named.append(found.position),
            lambda node: wrong.append(str(node)),
        )
    return verdict, named


def test_changes_made_by_a_superuser_are_named_in_the_database(proven_url: str) -> None:
    made = random.Random(5)  # noqa: S311  # nothing secret
    assert verify(proven_url)[0].holds
    with psycopg.connect(proven_url) as conn:
        positions = [leaf_of(row).position for row in stored_rows(conn)]
    holes = sorted(set(range(1, positions[-1])) - set(positions))
    with tampering(proven_url) as conn:
        for change in CHANGES * 3:
            at, hole = made.choice(positions[:-1]), made.choice(holes)
            with conn.transaction(force_rollback=True):
                conn.execute(SQL(change).format(at=at, hole=hole))
                rows = stored_leaves(conn, "position <= %s", (positions[-1],))
                named = {found.position for found in differences(rows, every_leaf(conn, 600))}
            if "{hole}" not in change:
                assert named == {at}, change
            else:
                assert named == ({hole} if "insert" in change else {at, hole}), change


def test_a_change_is_found_although_the_tree_was_changed_with_it(proven_url: str) -> None:
    with tampering(proven_url) as conn:
        conn.execute("update rollbook.events set topic = 'forged' where position = 300")
        conn.execute("alter table rollbook.merkle_leaves disable trigger all")
        conn.execute("alter table rollbook.merkle_subtrees disable trigger all")
        conn.execute("truncate rollbook.merkle_leaves, rollbook.merkle_subtrees")
    with open_connection(proven_url) as conn:
        notary = Notary(conn, SIGNER, checkpoint_seconds=3600)
        while notary.add_batch():
            pass
    verdict, named = verify(proven_url)
    assert not verdict.holds
    assert named == []
    (contradiction,) = verdict.contradictions
    assert (contradiction.claim.size, contradiction.first_position) == (600, 1)


SUBTREE = "the hash of subtree {} of level {}"
OF_THE_TREE: list[tuple[LiteralString, list[str]]] = [
    (
        "update rollbook.merkle_subtrees set hash = sha256(hash) where number = 1",
        [f"{SUBTREE.format(1, 1)}, over leaves 256 to 511: altered"],
    ),
    (
        "delete from rollbook.merkle_subtrees where number = 0",
        [f"{SUBTREE.format(0, 1)}, over leaves 0 to 255: removed"],
    ),
    (
        "update rollbook.merkle_subtrees set number = 2 where number = 1",
        [
            f"{SUBTREE.format(2, 1)}, over leaves 512 to 767: added",
            f"{SUBTREE.format(1, 1)}, over leaves 256 to 511: removed",
        ],
    ),
    (
        "update rollbook.merkle_subtrees set level = 2 where number = 0",
        [
            f"{SUBTREE.format(0, 2)}, over leaves 0 to 65535: added",
            f"{SUBTREE.format(0, 1)}, over leaves 0 to 255: removed",
        ],
    ),
    (
        "insert into rollbook.merkle_subtrees values (-1, -5, 'x'), (9, 0, 'x')",
        [f"{SUBTREE.format(-5, -1)}: added", f"{SUBTREE.format(0, 9)}: added"],
    ),
    (
        "update rollbook.merkle_leaves set last_position = last_position + 1 where first = 512",
        ["the row of leaves from 512 on: altered"],
    ),
    (
        "update rollbook.merkle_leaves set first = 513 where first = 512",
        ["the row of leaves from 513 on: altered"],
    ),
]


@pytest.mark.parametrize(("change", "expected"), OF_THE_TREE)
def test_what_is_stored_beside_the_leaves_is_held_to_them(
    proven_url: str, change: LiteralString, expected: list[str]
) -> None:
    nodes: list[str] = []
    assert verify(proven_url, None, nodes)[0].holds
    assert nodes == []
    with tampering(proven_url) as conn:
        conn.execute("alter table rollbook.merkle_leaves disable trigger all")
        conn.execute("alter table rollbook.merkle_subtrees disable trigger all")
        conn.execute(change)
    verdict, named = verify(proven_url, None, nodes)
    assert not verdict.holds
    assert (named, nodes, verdict.wrong_nodes) == ([], expected, len(expected))


def test_a_leaf_that_the_tree_has_at_another_position_is_named(proven_url: str) -> None:
    with tampering(proven_url) as conn:
        conn.execute("alter table rollbook.merkle_leaves disable trigger all")
        (position,) = conn.execute(
            "select positions[9] from rollbook.merkle_leaves where first = 256"
        ).fetchone() or (0,)
        conn.execute(
            "update rollbook.merkle_leaves set positions[9] = positions[9] + 1 where first = 256"
        )
    verdict, named = verify(proven_url)
    assert not verdict.holds
    assert named == [position]


def test_subtrees_of_every_level_are_shown_in_order() -> None:
    shown: list[tuple[int, int]] = []
    roots = Roots([], lambda level, number, _hash: shown.append((level, number)))
    one = Leaves(list(range(1, 257)), bytes(256 * 32))
    for _ in roots.following([one] * 600):
        pass
    assert [number for level, number in shown if level == 1] == list(range(600))
    assert [number for level, number in shown if level == 2] == [0, 1]
    assert {level for level, _ in shown} == {1, 2}


def test_a_log_that_grows_while_it_is_verified_holds(proven_url: str) -> None:
    with notarizing(proven_url):
        for number in range(2, 12):
            write_events(proven_url, 20, seed=number)
            verdict, named = verify(proven_url)
            assert (verdict.contradictions, named) == ([], [])


def test_checkpoints_kept_elsewhere_are_held_to_the_tree(proven_url: str, tmp_path: Path) -> None:
    outside = CheckpointFile(tmp_path / "checkpoints")
    with open_connection(proven_url) as conn:
        kept = checkpoints.latest(conn)
        assert kept is not None
        outside.send(kept.note)
        outside.send(SIGNER.checkpoint(300, Tree(conn).root(300)))
        outside.send(SIGNER.checkpoint(10, b"0" * 32))
        outside.send(SIGNER.checkpoint(1_000, b"0" * 32))
    verdict, named = verify(proven_url, outside.path)
    assert (named, verdict.borne_out) == ([], 3)
    assert [found.claim.size for found in verdict.contradictions] == [10, 1_000]
    forged = outside.path.read_text().replace("300\n", "301\n", 1)
    outside.path.write_text(forged)
    with pytest.raises(Broken, match=r"checkpoint 2 of .* is wrong"):
        verify(proven_url, outside.path)
