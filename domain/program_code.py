"""A program code: the name by which people know a program.

Each code is a stream of its own, so that the log's unique (stream, version)
constraint lets one program hold it at a time, and no read table is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize
from uuid import UUID, uuid5

from domain.aggregate import Aggregate, Event
from domain.errors import StateError

if TYPE_CHECKING:
    from domain.act import Act

NAMESPACE = UUID("6f1d2a0e-5a0c-5b57-8f0e-6d0f3f4c7a11")


class CodeEvent(Event):
    """What every event of a code says: which code, and whose."""

    code: str
    program_id: UUID


class ProgramCode(Aggregate):
    """Who holds a code. Codes that look the same but for the case of their letters are one."""

    Event = CodeEvent

    class Claimed(CodeEvent):
        """A program took the code."""

        TOPIC = "program_code.claimed.v1"

    class Released(CodeEvent):
        """The program gave the code back."""

        TOPIC = "program_code.released.v1"

    @staticmethod
    def id_of(code: str) -> UUID:
        """Return the id of the stream of `code`."""
        return uuid5(NAMESPACE, normalize("NFKC", code).strip().casefold())

    def begin(self) -> None:
        """Let nobody hold the code."""
        self.holder: UUID | None = None

    def claim(self, code: str, program_id: UUID, act: Act) -> None:
        """Take the code for `program_id`. Raises `CodeTakenError` when another holds it."""
        if self.holder == program_id:
            return
        if self.holder is not None:
            raise CodeTakenError(code, self.holder)
        self._record(self.Claimed, act, code=code, program_id=program_id)

    def release(self, code: str, act: Act) -> None:
        """Give the code back, so that another program may take it."""
        self._record(self.Released, act, code=code, program_id=self.holder)

    def apply(self, event: object) -> None:
        """Note who holds the code now."""
        match event:
            case ProgramCode.Claimed():
                self.holder = event.program_id
            case ProgramCode.Released():
                self.holder = None


class CodeTakenError(StateError):
    """Another program holds the code."""

    code = "code_taken"
    field = "code"

    def __init__(self, program_code: str, holder: UUID) -> None:
        super().__init__(f"The code {program_code} belongs to program {holder}.")
        self.program_code = program_code
        self.holder = holder
