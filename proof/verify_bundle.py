"""Checks a bundle of events without any database: `python verify_bundle.py BUNDLE [--key VKEY]`.

This file stands alone. It needs Python 3.11 and nothing else, so that an auditor can read all of
it and run it anywhere. What a bundle is, and what it proves, is written in docs/proof.md.

It says what is wrong with the first event that was altered, removed, inserted or reordered, and
ends with 1 then; with 0 when all is well, and with 2 when neither can be said.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from struct import error, pack
from typing import Any
from uuid import UUID

FORMAT = "rollbook-bundle/v1"
END = "rollbook-bundle-end/v1"
LARGEST_LINE_BYTES = 64 * 1024 * 1024


class Broken(Exception):
    """The bundle does not hold; the message says what is wrong, and at which event."""


class CannotBeChecked(Exception):
    """Nothing was found out: the bundle cannot be read, or the given key is none."""


# Ed25519 as RFC 8032, section 5.1, has it: verifying only, so nothing here is secret.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    """The sum of two points, in extended homogeneous coordinates (section 5.1.4)."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number: int, point: Point) -> Point:
    """The point added to itself that often."""
    result: Point = (0, 1, 1, 0)
    while number > 0:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def decompressed(data: bytes) -> Point:
    """The point of its 32 bytes (section 5.1.3). Raises ValueError when they are none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decompressed((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is an Ed25519 signature of the message (section 5.1.7)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    try:
        key, nonce = decompressed(public_key), decompressed(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    left = times(s, BASE)
    right = add(nonce, times(int.from_bytes(digest, "little") % ORDER, key))
    same_x = (left[0] * right[2] - right[0] * left[2]) % P == 0
    same_y = (left[1] * right[2] - right[1] * left[2]) % P == 0
    return s < ORDER and same_x and same_y


def decoded(text: str) -> bytes:
    """The bytes of their one true base64. Raises ValueError."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not as base64 is written")
    return data


# Signed notes and checkpoints (C2SP signed-note and tlog-checkpoint).


@dataclass(frozen=True)
class Key:
    """A public key with the name that it signs for."""

    name: str
    key_id: bytes
    public_key: bytes

    def __str__(self) -> str:
        """The key as text, `NAME+ID+KEY`."""
        encoded = base64.b64encode(b"\x01" + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


def key_of(vkey: str) -> Key:
    """The key of its text `NAME+ID+KEY`. Raises `Broken` when it is none."""
    try:
        name, key_id, encoded = vkey.strip().split("+", 2)
        data = decoded(encoded)
        found = Key(name, bytes.fromhex(key_id), data[1:])
        expected = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    except ValueError:
        raise Broken(f"{vkey!r} is not a verifier key") from None
    if data[:1] != b"\x01" or len(data) != 33 or found.key_id != expected:
        raise Broken(f"{vkey!r} is not an Ed25519 verifier key")
    return found


def text_of(note: str, key: Key) -> list[str]:
    """The lines of a note that the key has signed. Raises `Broken` when it has not."""
    text, blank, signatures = note.rpartition("\n\n")
    *signed, rest = signatures.split("\n")
    if not blank or rest:
        raise Broken("The note is not one of text, an empty line and signatures")
    for line in signed:
        try:
            mark, name, encoded = line.split(" ")
            signature, message = decoded(encoded), f"{text}\n".encode()
        except ValueError:
            raise Broken("A signature of the note cannot be read") from None
        if (mark, name, signature[:4]) == ("\u2014", key.name, key.key_id):
            if is_signed(key.public_key, message, signature[4:]):
                return text.split("\n")
            raise Broken(f"The signature of {key.name} is wrong")
    raise Broken(f"There is no signature of {key.name}+{key.key_id.hex()}")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log: how many events it had, and the root of the tree over them."""

    origin: str
    size: int
    root: bytes


def checkpoint_of(lines: Sequence[str]) -> Checkpoint:
    """The checkpoint of the lines of a note. Raises `Broken` when they are none."""
    try:
        origin, size, root = lines[:3]
        found = Checkpoint(origin, int(size), decoded(root))
    except ValueError:
        raise Broken("The note is not a checkpoint") from None
    if str(found.size) != size or len(found.root) != 32 or not origin:
        raise Broken("The note is not a checkpoint")
    return found


# The Merkle tree (RFC 9162, section 2.1).


def leaf_hash(event: dict[str, Any]) -> bytes:
    """The hash of an event's leaf: its five fields, each behind its length."""
    fields = (
        pack(">q", event["position"]),
        UUID(event["stream_id"]).bytes,
        pack(">i", event["version"]),
        event["topic"].encode(),
        event["state"].encode(),
    )
    data = pack(">h", len(fields)) + b"".join(pack(">i", len(one)) + one for one in fields)
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf is number `index` of the tree (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for one in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(one, found)
            while not at & 1 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, one)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the tree of `old` leaves, one at least, begins that of `new` (section 2.1.4.2)."""
    if not 0 < old <= new or (old == new and path):
        return False
    if old == new:
        return old_root == new_root
    path = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not path:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first_root = second_root = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first_root, second_root = node_hash(one, first_root), node_hash(one, second_root)
            while not at & 1 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            second_root = node_hash(second_root, one)
        at, last = at >> 1, last >> 1
    return last == 0 and first_root == old_root and second_root == new_root


# The bundle: a line for the head, one for each event, one for the end.


@dataclass
class Verdict:
    """What was found of a bundle that holds."""

    subject: dict[str, Any]
    checkpoint: Checkpoint
    key: Key
    events: int = 0
    first_position: int | None = None
    last_position: int | None = None
    next_leaf: int | None = None
    streams: dict[str, int] = field(default_factory=dict)


def verify(path: Path, trusted_key: str | None = None, *, show: bool = False) -> Verdict:
    """Check a bundle from its first to its last line, in memory that does not grow with it.

    `trusted_key` is the verifier key from a source that the bundle's maker does not control;
    without it the bundle's own is taken. `show` prints each event after it was checked. Raises
    `Broken` with the first thing that is wrong, `CannotBeChecked`.
    """
    digest = hashlib.sha256()
    key = None if trusted_key is None else _given_key(trusted_key)
    lines = _lines(path)
    head = next(lines, None)
    if head is None:
        raise Broken("The file is empty")
    verdict = _head(_parsed(head, "the head"), key)
    digest.update(head)
    for line in lines:
        entry = _parsed(line, f"the entry behind number {verdict.events}")
        if "end" in entry:
            _check_end(entry["end"], verdict, digest.digest())
            if next(lines, None) is not None:
                raise Broken("Something was added behind the end of the bundle")
            return verdict
        _check_event(entry, verdict)
        digest.update(line)
        if show:
            print(json.dumps(_readable(entry), ensure_ascii=False))
    raise Broken(f"The bundle was cut off {_behind(verdict)}")


def _given_key(vkey: str) -> Key:
    try:
        return key_of(vkey)
    except Broken as problem:
        raise CannotBeChecked(f"{problem}, so there is nothing to check by") from None


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(LARGEST_LINE_BYTES):
                yield line
    except OSError as problem:
        raise CannotBeChecked(f"{path} cannot be read: {problem.strerror}") from None


def _parsed(line: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Broken(f"{what} is not a JSON object")
    return found


def _head(head: dict[str, Any], trusted_key: Key | None) -> Verdict:
    if head.get("format") != FORMAT:
        raise Broken(f"This is not a bundle of the format {FORMAT}")
    try:
        own, note, subject = str(head["key"]), str(head["checkpoint"]), dict(head["subject"])
    except (KeyError, ValueError, TypeError):
        raise Broken("The head lacks its key, checkpoint or subject") from None
    key = trusted_key or key_of(own)
    lines = text_of(note, key)
    checkpoint = checkpoint_of(lines)
    if checkpoint.origin != key.name:
        raise Broken(f"The checkpoint is of {checkpoint.origin}, the key of {key.name}")
    return Verdict(subject, checkpoint, key, next_leaf=subject.get("first_leaf"))


def _check_event(entry: dict[str, Any], verdict: Verdict) -> None:
    if "code" in entry and "detail" in entry:
        raise Broken(f"The bundle broke off {_behind(verdict)}: {entry['detail']}")
    try:
        position, leaf, version = int(entry["position"]), int(entry["leaf"]), int(entry["version"])
        stream, number = str(UUID(entry["stream_id"])), int(entry["number"])
        proof = [decoded(one) for one in entry["proof"]]
        found = leaf_hash(entry)
    except (KeyError, TypeError, ValueError, AttributeError, error) as problem:
        at = entry.get("position")
        message = f"The event at position {at} was altered: it cannot be read ({problem!r})"
        raise Broken(message) from None
    _check_order(position, number, verdict)
    checkpoint = verdict.checkpoint
    if not is_included(found, leaf, checkpoint.size, proof, checkpoint.root):
        raise Broken(
            f"The event at position {position} was altered or inserted: the log of the"
            " checkpoint does not hold it as it is here"
        )
    _check_gaps(position, leaf, stream, version, verdict)
    verdict.events += 1
    verdict.first_position = verdict.first_position or position
    verdict.last_position = position
    verdict.next_leaf = leaf + 1 if verdict.next_leaf is not None else None


def _check_order(position: int, number: int, verdict: Verdict) -> None:
    if verdict.last_position is not None and position <= verdict.last_position:
        raise Broken(f"The event at position {position} was reordered or put in twice")
    if number > verdict.events + 1:
        raise Broken(f"{number - verdict.events - 1} events were removed {_behind(verdict)}")
    if number != verdict.events + 1:
        raise Broken(f"The event at position {position} was reordered or inserted")


def _check_gaps(position: int, leaf: int, stream: str, version: int, verdict: Verdict) -> None:
    if verdict.next_leaf not in {None, leaf}:
        raise Broken(f"Events were removed {_behind(verdict)}, before position {position}")
    if verdict.subject.get("whole_streams"):
        expected = verdict.streams.get(stream, 0) + 1
        if version != expected:
            raise Broken(
                f"Version {expected} of stream {stream} was removed: the event at position"
                f" {position} is version {version}"
            )
    verdict.streams[stream] = version


def _check_end(note: Any, verdict: Verdict, digest: bytes) -> None:
    lines = text_of(str(note), verdict.key)
    if len(lines) != 4 or lines[:2] != [verdict.checkpoint.origin, END]:
        raise Broken("The end of the bundle is not one that the log has signed")
    if lines[2] != str(verdict.events):
        raise Broken(f"{int(lines[2]) - verdict.events} events were removed {_behind(verdict)}")
    if lines[3] != base64.b64encode(digest).decode():
        raise Broken(
            "The events are genuine, but the bundle was changed after it was made: its head,"
            " or which events it holds"
        )


def _behind(verdict: Verdict) -> str:
    at = verdict.last_position
    return "at its beginning" if at is None else f"behind position {at}"


def _readable(entry: dict[str, Any]) -> dict[str, Any]:
    named = {name: entry[name] for name in ("position", "stream_id", "version", "topic")}
    return named | {"state": json.loads(entry["state"])}


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Check a bundle of events, without a database.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", help="the verifier key, from a source that you trust")
    parser.add_argument("--show", action="store_true", help="print each event that was checked")
    given = parser.parse_args()
    try:
        verdict = verify(given.bundle, given.key, show=given.show)
    except Broken as problem:
        print(f"DOES NOT HOLD: {problem}", file=sys.stderr)
        return 1
    except CannotBeChecked as problem:
        print(f"CANNOT BE CHECKED: {problem}", file=sys.stderr)
        return 2
    for line in told(verdict, is_trusted=given.key is not None):
        print(line, file=sys.stderr)
    return 0


def told(verdict: Verdict, *, is_trusted: bool) -> list[str]:
    """What holds, in words."""
    lines = [
        (
            f"HOLDS: {_events(verdict.events)} from position {verdict.first_position} to"
            f" {verdict.last_position}, exactly as the log had them"
        ),
        f"subject: {json.dumps(verdict.subject, ensure_ascii=False)}",
        (
            f"checkpoint: {_events(verdict.checkpoint.size)}, root"
            f" {base64.b64encode(verdict.checkpoint.root).decode()}"
        ),
        f"key: {verdict.key}",
    ]
    if not is_trusted:
        lines.append(
            "The key is the bundle's own. Compare it with one that you got elsewhere, or give it"
            " with --key."
        )
    return lines


def _events(number: int) -> str:
    return "1 event" if number == 1 else f"{number} events"


if __name__ == "__main__":
    sys.exit(main())
