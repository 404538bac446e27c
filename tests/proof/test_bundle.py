"""Bundles: written by the command, checked by the file that stands alone, and tampered with."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.enrollment import Enrollment, Source
from projections.positions import Positions
from projections.tables import ALL_TABLES
from proof import verify_bundle
from proof.verify_bundle import Broken, is_signed
from rollbook.checkpoint_key import signer
from rollbook.cli import main
from rollbook.settings import Settings
from tests.api.world import projecting
from tests.patience import PATIENCE_SECONDS
from tests.proof.world import build_tree
from tests.servers import Databases
from tests.workers.world import ACT, published, train, write_side

ROOT = Path(__file__).parents[2]
TABLES = [table.name for table in ALL_TABLES]
Entries = list[dict[str, object]]


@dataclass(frozen=True)
class Office:
    """A log of two programs and three employees, with its tree."""

    url: str
    home: Path
    program_id: UUID

    def call(self, *arguments: str | Path) -> Result:
        variables = {"DATABASE_URL": self.url, "ROLLBOOK_HOME": str(self.home)}
        return CliRunner(env=variables).invoke(main, ["audit", *map(str, arguments)])

    def export(self, *arguments: str) -> Path:
        out = self.home / f"{'_'.join(arguments).strip('-')}.bundle"
        done = self.call("export", *arguments, "--out", out)
        assert done.exit_code == 0, done.output
        return out


@pytest.fixture(scope="module")
def office(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with databases.fresh() as url:
        with (
            write_side(url) as training,
            projecting(url),
            closing(Positions(url)) as positions,
        ):
            program_id = published(training, "SAFE")
            other = published(training, "FIRE")
            for employee in ("e1", "e2", "e3"):
                train(training, program_id, employee)
                last = train(training, other, employee)
            build_tree(url)
            assert positions.wait(TABLES, last, PATIENCE_SECONDS)
        yield Office(url, tmp_path_factory.mktemp("home"), program_id)


def positions_in(url: str) -> int:
    """The position of the last event."""
    with psycopg.connect(url) as conn:
        row = conn.execute("select max(position) from rollbook.events").fetchone()
        return int(row[0]) if row else 0


def entries_of(bundle: Path) -> Entries:
    return [json.loads(line) for line in bundle.read_text().splitlines()]


def rewritten(tmp_path: Path, entries: Entries) -> Path:
    changed = tmp_path / "changed.bundle"
    changed.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    return changed


def positions_of(bundle: Path) -> list[object]:
    return [entry["position"] for entry in entries_of(bundle)[1:-1]]


def test_a_bundle_of_a_person_holds_all_of_their_enrollments(office: Office) -> None:
    bundle = office.export("--employee", "e2")
    verdict = verify_bundle.verify(bundle)
    with psycopg.connect(office.url) as conn:
        expected = conn.execute(
            "select position from rollbook.events"
            " where topic like 'enrollment.%' and state->>'employee_id' = 'e2' order by position"
        ).fetchall()
    assert [(position,) for position in positions_of(bundle)] == expected
    assert verdict.events == len(expected) > 6
    assert sorted(verdict.streams.values()) == [4, 4]


def test_a_bundle_of_a_program_holds_it_and_its_enrollments(office: Office) -> None:
    verdict = verify_bundle.verify(office.export("--program", str(office.program_id)))
    assert str(office.program_id) in verdict.streams
    # Besides itself that is its code, and three enrollments.
    assert len(verdict.streams) == 5


def test_a_bundle_of_a_period_holds_everything_in_between(office: Office) -> None:
    bundle = office.export("--from", "2020-01-01")
    with psycopg.connect(office.url) as conn:
        rows = conn.execute("select position from rollbook.events order by position").fetchall()
    assert [(position,) for position in positions_of(bundle)] == rows
    assert verify_bundle.verify(bundle).events == len(rows)


def test_what_is_no_file_stays_what_it_is(office: Office, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = office.call("export", "--employee", "e2", "--out", pipe)
    assert done.exit_code == 1
    assert done.output == f"Error: {pipe} is no file, and stays what it is.\n"
    assert pipe.is_fifo()


def test_the_states_in_a_bundle_are_the_stored_bytes(office: Office) -> None:
    entries = entries_of(office.export("--employee", "e1"))[1:-1]
    with psycopg.connect(office.url) as conn:
        for entry in entries:
            row = conn.execute(
                "select state::text from rollbook.events where position = %s", (entry["position"],)
            ).fetchone()
            assert row == (entry["state"],)


def altered(entries: Entries, at: int) -> None:
    entries[at]["state"] = str(entries[at]["state"]).replace("e1", "e3")


def removed(entries: Entries, at: int) -> None:
    del entries[at]


def removed_and_renumbered(entries: Entries, at: int) -> None:
    del entries[at]
    for number, entry in enumerate(entries[1:-1], start=1):
        entry["number"] = number


def inserted(entries: Entries, at: int) -> None:
    after_the_last = int(str(entries[-2]["position"])) + 1
    entries.insert(-1, {**entries[at], "position": after_the_last})
    for number, entry in enumerate(entries[1:-1], start=1):
        entry["number"] = number


def reordered(entries: Entries, at: int) -> None:
    entries[at], entries[at + 1] = entries[at + 1], entries[at]


def cut_off(entries: Entries, at: int) -> None:
    del entries[at:]


def shortened(entries: Entries, at: int) -> None:
    del entries[at:-1]


TAMPERINGS: list[tuple[Callable[[Entries, int], None], str]] = [
    (altered, "position {at} was altered"),
    (removed, "1 events were removed behind position {before}"),
    (removed_and_renumbered, "Version 3 of stream .* was removed: the event at position {after}"),
    (inserted, "The event at position .* was altered or inserted"),
    (reordered, "1 events were removed behind position {before}"),
    (cut_off, "The bundle was cut off behind position {before}"),
    (shortened, "events were removed behind position {before}"),
]


@pytest.mark.parametrize(("tampering", "told"), TAMPERINGS)
def test_what_was_done_to_a_bundle_is_found_and_the_event_named(
    office: Office, tmp_path: Path, tampering: Callable[[Entries, int], None], told: str
) -> None:
    entries = entries_of(office.export("--employee", "e1"))
    before, at, after = (str(entries[number]["position"]) for number in (2, 3, 4))
    assert entries[3]["version"] == 3
    tampering(entries, 3)
    with pytest.raises(Broken, match=told.format(before=before, at=at, after=after)):
        verify_bundle.verify(rewritten(tmp_path, entries))


def test_an_event_that_is_missing_from_a_period_is_noticed(office: Office, tmp_path: Path) -> None:
    entries = entries_of(office.export("--from", "2020-01-01"))
    before = entries[4]["position"]
    removed_and_renumbered(entries, 5)
    with pytest.raises(Broken, match=f"Events were removed behind position {before}"):
        verify_bundle.verify(rewritten(tmp_path, entries))


def test_a_whole_stream_that_was_taken_out_breaks_the_signed_end(
    office: Office, tmp_path: Path
) -> None:
    entries = entries_of(office.export("--employee", "e1"))
    stream = entries[1]["stream_id"]
    kept = [entry for entry in entries if entry.get("stream_id") != stream]
    for number, entry in enumerate(kept[1:-1], start=1):
        entry["number"] = number
    with pytest.raises(Broken, match="4 events were removed"):
        verify_bundle.verify(rewritten(tmp_path, kept))


def test_no_byte_of_a_bundle_can_be_changed_unseen(office: Office, tmp_path: Path) -> None:
    made = random.Random(3)  # noqa: S311  # nothing secret
    genuine = office.export("--employee", "e3").read_bytes()
    changed = tmp_path / "changed.bundle"
    # What is in no digest could be written in several ways: the end of the signature.
    end = [(at, bit) for at in range(len(genuine) - 9, len(genuine)) for bit in range(8)]
    any_bit = [(made.randrange(len(genuine)), made.randrange(8)) for _ in range(150)]
    for at, bit in end + any_bit:
        data = bytearray(genuine)
        data[at] ^= 1 << bit
        changed.write_bytes(data)
        with pytest.raises(Broken):
            verify_bundle.verify(changed)


def test_a_bundle_of_another_log_is_refused_by_the_trusted_key(office: Office) -> None:
    bundle = office.export("--employee", "e1")
    trusted = office.call("key").output.strip()
    assert verify_bundle.verify(bundle, trusted).events > 0
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    settings = Settings.from_environment({"ROLLBOOK_HOME": str(office.home)})
    other = type(signer(settings.checkpoints))("localhost/rollbook", stranger, bytes)
    with pytest.raises(Broken, match="no signature of"):
        verify_bundle.verify(bundle, other.verifier_key)


def test_the_verifier_runs_alone_without_anything_installed(office: Office, tmp_path: Path) -> None:
    bundle = office.export("--employee", "e1")
    alone = tmp_path / "verify_bundle.py"
    alone.write_text((ROOT / "proof" / "verify_bundle.py").read_text())
    command = [sys.executable, "-I", "-S", str(alone), str(bundle), "--show"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "HOLDS" in done.stderr
    assert "The key is the bundle's own" in done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert shown[0]["state"]["employee_id"] == "e1"
    bundle.write_bytes(bundle.read_bytes().replace(b"e1", b"e9"))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_what_cannot_be_checked_is_told_apart_from_what_does_not_hold(
    office: Office, tmp_path: Path
) -> None:
    bundle = office.export("--employee", "e1")
    alone = [sys.executable, str(ROOT / "proof" / "verify_bundle.py")]

    def verified(*arguments: str | Path) -> tuple[int, str]:
        done = subprocess.run(
            [*alone, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr

    missing = tmp_path / "missing.bundle"
    told = f"CANNOT BE CHECKED: {missing} cannot be read: No such file or directory\n"
    assert verified(missing) == (2, told)
    assert verified(tmp_path)[0] == 2
    for key in ("", "nonsense", "a+00000000+AAAA", office.call("key").output.strip()[:-4]):
        status, told = verified(bundle, "--key", key)
        assert (status, told.split(":")[0]) == (2, "CANNOT BE CHECKED")
        by_command = office.call("verify", bundle, "--key", key)
        assert (by_command.exit_code, "CANNOT BE CHECKED" in by_command.output) == (2, True)
        live = office.call("verify", "--live", "--checkpoint", bundle, "--key", key)
        assert (live.exit_code, "CANNOT BE CHECKED" in live.output) == (2, True)
    # The same faults in the bundle itself are the bundle's.
    entries = entries_of(bundle)
    for key in ("nonsense", "a\ud800+00000000+AAAA"):
        forged = rewritten(tmp_path, [{**entries[0], "key": key}, *entries[1:]])
        assert verified(forged)[0] == 1
    note = f"\ud800{entries[0]['checkpoint']}"
    forged = rewritten(tmp_path, [{**entries[0], "checkpoint": note}, *entries[1:]])
    assert verified(forged)[0] == 1


def test_live_verification_without_a_database_says_that_nothing_was_checked(tmp_path: Path) -> None:
    nowhere = Office("postgresql://127.0.0.1:1/nothing", tmp_path, UUID(int=0))
    told = nowhere.call("verify", "--live")
    assert told.exit_code == 2
    assert "CANNOT BE CHECKED: The database does not answer: " in told.output


def test_where_a_bundle_cannot_be_written_the_path_and_the_reason_are_named(
    office: Office, tmp_path: Path
) -> None:
    out = tmp_path / "nowhere" / "e1.bundle"
    refused = office.call("export", "--employee", "e1", "--out", out)
    assert refused.exit_code == 1
    assert refused.output == f"Error: {out} cannot be written: No such file or directory\n"


def test_the_commands_tell_what_holds(office: Office) -> None:
    assert office.call("checkpoint").output.startswith("localhost/rollbook\n")
    bundle = office.export("--employee", "e1")
    assert "HOLDS" in office.call("verify", bundle).output
    live = office.call("verify", "--live")
    assert live.exit_code == 0
    # The tree was built for another signer than the commands have.
    assert "signed by another key: log.example/test" in live.output
    assert "\nHOLDS: " in live.output
    for wrong in (["export", "--out", "x"], ["verify"], ["verify", "--live", bundle]):
        assert office.call(*wrong).exit_code == 2
    nobody = office.call("export", "--employee", "nobody", "--out", office.home / "x")
    assert nobody.exit_code == 1
    assert "no such event" in nobody.output


def test_an_altered_event_is_named_instead_of_exported(
    databases: Databases, tmp_path: Path
) -> None:
    with (
        databases.fresh() as url,
        write_side(url) as training,
        projecting(url),
        closing(Positions(url)) as positions,
    ):
        office = Office(url, tmp_path, published(training, "SAFE"))
        # More than fits in what the server sends ahead.
        for number in range(200):
            last = train(training, office.program_id, f"e{number}")
        build_tree(url)
        assert positions.wait(TABLES, last, PATIENCE_SECONDS)
        with psycopg.connect(url) as conn:
            conn.execute("alter table rollbook.events disable trigger all")
            conn.execute(
                "update rollbook.events set state = (state::text || ' ')::json where position = 9"
            )
        refused = office.call("export", "--from", "2000-01-01", "--out", tmp_path / "x")
        assert refused.exit_code == 1
        assert "position 9" in refused.output, refused.output
        assert not (tmp_path / "x").exists()


def test_an_export_is_logged_with_whom_it_was_about(office: Office) -> None:
    office.export("--employee", "e2")
    with psycopg.connect(office.url) as conn:
        row = conn.execute(
            "select employees, asked_for from rollbook.audit_accesses order by number desc limit 1"
        ).fetchone()
    assert row is not None
    assert row[0] == ["e2"]
    assert "--employee e2" in row[1]


def test_an_erasure_leaves_every_proof_as_it_was(databases: Databases, tmp_path: Path) -> None:
    with databases.fresh() as url, write_side(url) as training, projecting(url):
        office = Office(url, tmp_path, published(training, "SAFE"))
        training.enroll(office.program_id, "e1", ACT, Source.ASSIGNED)
        enrollment_id = Enrollment.id_of(office.program_id, "e1")
        training.record_progress(enrollment_id, ACT, 50.0, note="Afraid of heights")
        build_tree(url)
        with closing(Positions(url)) as positions:
            assert positions.wait(TABLES, positions_in(url), PATIENCE_SECONDS)
            before = office.export("--employee", "e1").read_bytes()
            variables = {"DATABASE_URL": url, "ROLLBOOK_HOME": str(tmp_path)}
            erased = CliRunner(env=variables).invoke(main, ["erase", "e1", "--reason", "Case 17"])
            assert erased.exit_code == 0, erased.output
            build_tree(url)
            assert positions.wait(TABLES, positions_in(url), PATIENCE_SECONDS)
        assert office.call("verify", "--live").exit_code == 0
        after = office.export("--employee", "e1")
        assert b"Afraid" not in before + after.read_bytes()
        kept = [(entry["position"], entry["state"]) for entry in entries_of(after)[1:-1]]
        (tmp_path / "before.bundle").write_bytes(before)
        had = entries_of(tmp_path / "before.bundle")[1:-1]
        assert [(entry["position"], entry["state"]) for entry in had] == kept[: len(had)]
        assert verify_bundle.verify(after).events >= len(had)
        assert verify_bundle.verify(tmp_path / "before.bundle").events == len(had)


def test_signatures_are_accepted_and_refused_as_by_another_implementation() -> None:
    made = random.Random(4)  # noqa: S311  # nothing secret
    for _ in range(8):
        key = Ed25519PrivateKey.from_private_bytes(made.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), made.randbytes(40)
        signature = key.sign(message)
        assert is_signed(public, message, signature)
        assert not is_signed(public, message + b"x", signature)
        bent = bytearray(signature)
        bent[made.randrange(64)] ^= 1
        assert not is_signed(public, message, bytes(bent))
        assert not is_signed(made.randbytes(32), message, signature)
