"""How checkpoints and proofs are described. Hashes are 32 bytes in base64."""

from __future__ import annotations

from marshmallow import fields

from api.shapes import Shape, given, nullable

OF_HASHES = {"description": "Hashes, from the leaves to the root."}


class CheckpointShape(Shape):
    """What the log has signed about itself."""

    number = given(fields.Integer)
    size = given(fields.Integer, "How many events there were.")
    root = given(fields.String, "The root of the Merkle tree over them.")
    note = given(fields.String, "The signed note (C2SP signed-note, tlog-checkpoint).")
    key = given(fields.String, "The verifier key that it was signed for.")
    made_at = given(fields.DateTime)


class CheckpointList(Shape):
    """A page of checkpoints, the latest first."""

    items = fields.List(fields.Nested(CheckpointShape), required=True)
    total = nullable(fields.Integer, "Null: they are not counted.")
    next = nullable(fields.String, "Path and query of the next page, null on the last.")


class InclusionShape(Shape):
    """That an event is in the log, as it was stored."""

    position = given(fields.Integer)
    leaf = given(fields.Integer, "The number of the event's leaf, from 0.")
    leaf_hash = given(fields.String)
    size = given(fields.Integer)
    root = given(fields.String, "The root of the tree over `size` events.")
    proof = fields.List(fields.String(), required=True, metadata=OF_HASHES)


class ConsistencyShape(Shape):
    """That the first events of a longer log are those of a shorter one."""

    size = given(fields.Integer)
    root = given(fields.String, "The root of the tree over `size` events.")
    to = given(fields.Integer)
    to_root = given(fields.String, "The root of the tree over `to` events.")
    proof = fields.List(fields.String(), required=True, metadata=OF_HASHES)
