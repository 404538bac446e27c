"""The stored tree: grown in any steps, by several at once, and what it proves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.pool import Connection, open_connection
from proof import checkpoints
from proof.growth import TreeHasGrown, add_leaves, edge_of
from proof.hashing import leaf_hash, root_of
from proof.leaf import leaf_of, stored_leaves
from proof.tree import NoSuchLeaf, Tree, every_leaf
from proof.verify_bundle import checkpoint_of, is_consistent, is_included, key_of, text_of
from tests.patience import eventually
from tests.proof.world import SIGNER, build_tree, notarizing, stored_rows, tampering, write_events
from tests.servers import Databases

ROOT = Path(__file__).parents[2]


def root_over(rows: list[bytes]) -> bytes:
    return root_of(b"".join(map(leaf_hash, rows)))


def tree_holds_the_log(url: str, at_least: int) -> bool:
    with open_connection(url) as conn:
        rows, tree = stored_rows(conn), Tree(conn)
        return tree.size == len(rows) >= at_least and tree.root(tree.size) == root_over(rows)


@pytest.fixture(scope="module")
def grown(databases: Databases) -> Iterator[Connection]:
    """A tree of three full tiles and a part of one, over a log with holes."""
    with databases.fresh() as url:
        write_events(url, 900)
        build_tree(url)
        with open_connection(url) as conn:
            yield conn


def test_the_rows_that_the_server_sends_are_the_leaves_as_they_are_documented(
    grown: Connection,
) -> None:
    rows = stored_rows(grown)
    assert list(stored_leaves(grown, "position > %s", (0,))) == rows
    assert list(stored_leaves(grown, "position < %s", (0,))) == []
    event = leaf_of(rows[7])
    assert (event.version, event.topic, event.state) == (8, "toy.played.v1", '{"n":"Ω 0"}')


def test_every_event_is_proven_at_every_size(grown: Connection) -> None:
    rows, tree = stored_rows(grown), Tree(grown)
    assert tree.size == len(rows) == 900
    for size in (1, 2, 255, 256, 257, 511, 512, 640, 768, 899, 900):
        root = root_over(rows[:size])
        assert tree.root(size) == root
        for index in {0, size // 3, size // 2, max(0, size - 2), size - 1}:
            position = leaf_of(rows[index]).position
            assert tree.index_of(position) == index
            assert tree.position_of(index) == position
            proof = tree.inclusion(position, size)
            assert is_included(leaf_hash(rows[index]), index, size, proof.path, root)


@given(st.integers(1, 900), st.integers(1, 900))
def test_any_two_sizes_are_consistent(grown: Connection, one: int, other: int) -> None:
    tree, (old, new) = Tree(grown), sorted((one, other))
    path = tree.consistency(old, new)
    assert is_consistent(old, tree.root(old), new, tree.root(new), path)


def test_what_is_not_in_the_tree_is_not_proven(grown: Connection) -> None:
    tree = Tree(grown)
    hole = 51
    for asked in (
        lambda: tree.inclusion(hole, 900),
        lambda: tree.inclusion(10_000, 900),
        lambda: tree.inclusion(60, 10),
        lambda: tree.consistency(1, 901),
        lambda: tree.consistency(2, 1),
        lambda: tree.root(901),
    ):
        with pytest.raises(NoSuchLeaf):
            asked()


def test_a_tree_is_the_same_in_whatever_steps_it_grew(database_url: str) -> None:
    steps = [1, 254, 1, 1, 255, 256, 257, 700, 2, 66_000, 300]
    hashes = [leaf_hash(b"%d" % number) for number in range(sum(steps))]
    with open_connection(database_url) as conn:
        edge = edge_of(conn)
        for step in steps:
            begin, end = edge.size, edge.size + step
            edge = add_leaves(conn, edge, range(begin + 1, end + 1), hashes[begin:end])
            assert edge_of(conn) == edge
            assert Tree(conn).root(end) == root_of(b"".join(hashes[:end]))
        tree = Tree(conn)
        for index in (0, 255, 65_535, 65_536, 67_000, edge.size - 1):
            path = tree.inclusion(index + 1, edge.size).path
            assert is_included(hashes[index], index, edge.size, path, tree.root(edge.size))


def test_of_two_that_add_the_same_leaves_one_is_told_to_begin_anew(database_url: str) -> None:
    hashes = [leaf_hash(b"%d" % number) for number in range(300)]
    with open_connection(database_url) as one, open_connection(database_url) as other:
        begin = edge_of(one)
        add_leaves(one, begin, range(1, 301), hashes)
        with pytest.raises(TreeHasGrown):
            add_leaves(other, begin, range(1, 11), hashes[:10])
        assert edge_of(other).size == 300


def test_notaries_that_work_at_once_and_are_killed_leave_one_tree(database_url: str) -> None:
    code = (
        "import sys, threading; from workers.notarize import run;"
        "from tests.proof.world import SIGNER;"
        "run(sys.argv[1], SIGNER, 0.05, (), threading.Event())"
    )
    for number in range(1, 4):
        with subprocess.Popen([sys.executable, "-c", code, database_url], cwd=ROOT) as killed:
            write_events(database_url, 400, seed=number)
            with open_connection(database_url) as conn:
                eventually(lambda: edge_of(conn).size > 400 * (number - 1))  # noqa: B023
            killed.kill()
    with notarizing(database_url), notarizing(database_url):
        write_events(database_url, 700, seed=9)
        eventually(lambda: tree_holds_the_log(database_url, 1900))


def test_a_checkpoint_is_signed_for_what_the_tree_holds(grown: Connection) -> None:
    made = checkpoints.issue(grown, SIGNER)
    assert made == checkpoints.issue(grown, SIGNER) == checkpoints.latest(grown)
    found = checkpoint_of(text_of(made.note, key_of(made.key)))
    assert (found.origin, found.size) == ("log.example/test", 900)
    assert found.root == Tree(grown).root(900) == made.root


def test_nothing_is_signed_that_does_not_go_on_from_what_was(database_url: str) -> None:
    write_events(database_url, 300)
    build_tree(database_url)
    with tampering(database_url) as conn:
        conn.execute("alter table rollbook.merkle_leaves disable trigger all")
        conn.execute(
            "update rollbook.merkle_leaves set hashes = set_byte(hashes, 5, 1) where first = 256"
        )
    with open_connection(database_url) as conn, pytest.raises(checkpoints.TreeWasChanged):
        checkpoints.issue(conn, SIGNER)


def test_the_leaves_come_in_order_and_in_whole(grown: Connection) -> None:
    positions = [p for leaves in every_leaf(grown, 900) for p in leaves.positions]
    assert positions == [leaf_of(row).position for row in stored_rows(grown)]


def test_the_leaves_of_an_earlier_size_are_those_it_had(database_url: str) -> None:
    write_events(database_url, 300)
    build_tree(database_url)
    write_events(database_url, 40, seed=2)
    build_tree(database_url)
    with open_connection(database_url) as conn:
        assert sum(len(leaves.positions) for leaves in every_leaf(conn, 300)) == 300
