"""Proof over HTTP that no event was changed: checkpoints of the log, and what they prove."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC
from http import HTTPStatus
from typing import Any

from psycopg import Connection

from api.audit_parameters import MAX_POSITION
from api.audit_proof_shapes import (
    CheckpointList,
    CheckpointShape,
    ConsistencyShape,
    InclusionShape,
)
from api.fields import Body
from api.paging import link_to
from api.parameters import ABSENT, DEFAULT_LIMIT, MAX_LIMIT, WholeParameter
from api.problems import Problem, ProblemError, not_found
from api.resource import Resource, TextAnswer
from api.services import services
from api.wire import Answer, answer
from domain.permissions import Permission
from proof import checkpoints
from proof.checkpoints import StoredCheckpoint, TreeWasChanged
from proof.tree import NoSuchLeaf, Tree

TEXT = "text/plain"
TEXT_IN_UTF8 = f"{TEXT}; charset=utf-8"

audit_proofs = Resource("audit-proofs", "Proof that no event was changed.")


class CheckpointParameters(Body):
    """Which page of the checkpoints is wanted."""

    limit = WholeParameter(1, MAX_LIMIT, load_default=DEFAULT_LIMIT)
    cursor = WholeParameter(0, MAX_POSITION, **ABSENT)


class InclusionParameters(Body):
    """Of which event, and in the tree of which size; that of the latest checkpoint if not said."""

    position = WholeParameter(1, MAX_POSITION, required=True)
    size = WholeParameter(1, MAX_POSITION, **ABSENT)


class ConsistencyParameters(Body):
    """Between the trees of which sizes; `to` is that of the latest checkpoint if not said."""

    size = WholeParameter(1, MAX_POSITION, required=True)
    to = WholeParameter(1, MAX_POSITION, **ABSENT)


# Witnesses have no token. They take what has the forms of C2SP, which are text.
@audit_proofs.open("/audit/checkpoint", answer=TextAnswer(TEXT))
def get_checkpoint() -> Answer:
    """Show the latest signed checkpoint (C2SP tlog-checkpoint)."""
    with services().pool.connection() as conn:
        return _plain(_latest(conn).note)


@audit_proofs.open("/audit/key", answer=TextAnswer(TEXT))
def get_key() -> Answer:
    """Show the key by which checkpoints and bundles are checked (C2SP signed-note)."""
    return _plain(f"{services().signer.verifier_key}\n")


def _plain(text: str) -> Answer:
    return Answer(text.encode(), HTTPStatus.OK, {"Content-Type": TEXT_IN_UTF8})


@audit_proofs.query(
    "/audit/checkpoints",
    Permission.READ_HISTORY,
    answer=CheckpointList,
    parameters=CheckpointParameters,
)
def get_checkpoints(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answer:
    """List the signed checkpoints, the latest first."""
    limit, cursor = parameters["limit"], parameters["cursor"] or MAX_POSITION
    found = checkpoints.before(conn, cursor, limit + 1)
    shown = found[:limit]
    following = link_to(str(shown[-1].number)) if len(shown) < len(found) else None
    return answer({"items": [*map(_json, shown)], "total": None, "next": following})


@audit_proofs.command(
    "POST",
    "/audit/checkpoints",
    Permission.READ_HISTORY,
    body=Body,
    is_recorded=False,
    answers={HTTPStatus.OK: CheckpointShape},
)
def make_checkpoint(body: Mapping[str, Any]) -> Answer:
    """Sign a checkpoint of all events that the tree holds now."""
    del body
    with services().log.connection() as conn:
        return answer(_json(issued(conn)))


@audit_proofs.query(
    "/audit/proofs/inclusion",
    Permission.READ_HISTORY,
    answer=InclusionShape,
    parameters=InclusionParameters,
)
def get_inclusion(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answer:
    """Prove that an event is in the log of a checkpoint (RFC 9162, section 2.1.3)."""
    tree, size = Tree(conn), parameters["size"] or _latest(conn).size
    try:
        found, root = tree.inclusion(parameters["position"], size), tree.root(size)
    except NoSuchLeaf:
        raise not_found("proof of an event at position", str(parameters["position"])) from None
    return answer(
        {
            "position": found.position,
            "leaf": found.index,
            "leaf_hash": _text(found.leaf_hash),
            "size": size,
            "root": _text(root),
            "proof": _texts(found.path),
        }
    )


@audit_proofs.query(
    "/audit/proofs/consistency",
    Permission.READ_HISTORY,
    answer=ConsistencyShape,
    parameters=ConsistencyParameters,
)
def get_consistency(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answer:
    """Prove that the log of one checkpoint begins that of a later one (RFC 9162, section 2.1.4)."""
    tree, old = Tree(conn), parameters["size"]
    new = parameters["to"] or _latest(conn).size
    try:
        path, roots = tree.consistency(old, new), (tree.root(old), tree.root(new))
    except NoSuchLeaf:
        raise not_found("proof between the sizes", f"{old} and {new}") from None
    return answer(
        {
            "size": old,
            "root": _text(roots[0]),
            "to": new,
            "to_root": _text(roots[1]),
            "proof": _texts(path),
        }
    )


def issued(conn: Connection[Any]) -> StoredCheckpoint:
    """Return a signed checkpoint of all that the tree holds now. Raises a 409 problem."""
    try:
        return checkpoints.issue(conn, services().signer)
    except TreeWasChanged as changed:
        problem = Problem(HTTPStatus.CONFLICT, "tree_was_changed", str(changed))
        raise ProblemError(problem) from None


def _latest(conn: Connection[Any]) -> StoredCheckpoint:
    latest = checkpoints.latest(conn)
    if latest is None:
        raise not_found("checkpoint", "yet")
    return latest


def _json(checkpoint: StoredCheckpoint) -> dict[str, object]:
    return {
        "number": checkpoint.number,
        "size": checkpoint.size,
        "root": _text(checkpoint.root),
        "note": checkpoint.note,
        "key": checkpoint.key,
        "made_at": checkpoint.made_at.astimezone(UTC),
    }


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return [*map(_text, hashes)]


def _text(hashed: bytes) -> str:
    return b64encode(hashed).decode()
