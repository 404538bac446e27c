"""What the command line cannot work with is told in a line, and nothing is harmed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollbook.cli import main

TOKEN = ["token", "--role", "hr_admin"]


def rollbook(home: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"ROLLBOOK_HOME": str(home), **environment})


def told(result: Result) -> str:
    """The one line of a command that failed."""
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.output.strip().splitlines()[-1]


def test_a_home_that_is_no_folder_is_named(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.touch()
    assert told(rollbook(home, *TOKEN)).startswith(f"Error: {home}")
    assert home.read_bytes() == b""


@pytest.mark.parametrize("command", [TOKEN, ["api"]])
def test_a_token_key_that_is_a_folder_is_named(tmp_path: Path, command: list[str]) -> None:
    result = rollbook(tmp_path, *command, ROLLBOOK_TOKEN_KEY=str(tmp_path))
    assert told(result) == f"Error: {tmp_path} cannot be used: Is a directory"


@pytest.mark.parametrize("command", [TOKEN, ["api"]])
@pytest.mark.parametrize("held", [b"", b"-----BEGIN PRIVATE KEY-----\nno\n"])
def test_a_token_key_that_is_none_is_named(tmp_path: Path, command: list[str], held: bytes) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(held)
    result = rollbook(tmp_path, *command, ROLLBOOK_TOKEN_KEY=str(key))
    assert told(result) == f"Error: {key} must hold an Ed25519 key as PEM"
    assert key.read_bytes() == held


def test_a_checkpoint_key_that_is_none_is_named(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(b"no key")
    result = rollbook(tmp_path, "audit", "key", ROLLBOOK_CHECKPOINT_KEY=str(key))
    assert told(result) == f"Error: {key} must hold an Ed25519 key as PEM"


def test_arguments_that_are_no_text_are_refused(tmp_path: Path) -> None:
    result = rollbook(tmp_path, "erase", "ada\udcff", "--reason", "asked for")
    assert told(result) == "Error: 'ada\\udcff' is not UTF-8."


@pytest.mark.parametrize("employee", ["a\x01b", "x" * 201])
def test_no_token_is_made_that_the_api_would_refuse(tmp_path: Path, employee: str) -> None:
    result = rollbook(tmp_path, "token", "--role", "employee", "--employee", employee)
    assert "must be an id of 1 to 200 characters" in told(result)
