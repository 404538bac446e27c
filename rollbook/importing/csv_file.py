"""Reads CSV files strictly: whatever is wrong has a file, a line, a column and a rule."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


class BadFile(Exception):
    """A file cannot be used as it is.

    Attributes:
        file: its name.
        line: the line where the bad row begins, from 1; None when it is about the whole file.
        column: the name of the column, None when it is about the whole line.
        rule: what should hold, as in "must be a whole number".
    """

    def __init__(self, file: str, line: int | None, column: str | None, rule: str) -> None:
        place = "".join(
            (
                file,
                f", line {line}" if line is not None else "",
                f", column {column}" if column is not None else "",
            )
        )
        super().__init__(f"{place}: {rule}")
        self.file = file
        self.line = line
        self.column = column
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the `line` where it begins, and its `values` in the order of the asked columns."""

    line: int
    values: list[str]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file in UTF-8, plain or with the ending `.gz`, whose first line names its columns.

    Attributes:
        path: where it is.
        required: the columns that it must have.
        optional: those that it may have; their values are empty when it has them not.
        others_allowed: whether it may have columns besides these; they are not read.
    """

    path: Path
    required: Sequence[str]
    optional: Sequence[str] = ()
    others_allowed: bool = False

    def columns(self) -> frozenset[str]:
        """Return the columns that are there. Raises `BadFile`."""
        with self._opened() as lines:
            return frozenset(self._header(csv.reader(lines, strict=True)))

    def rows(self, misshapen: Callable[[BadFile], None] | None = None) -> Iterator[Row]:
        """Yield the rows, one at a time; empty lines are passed over. Raises `BadFile`.

        A row with too many or too few fields is handed to `misshapen` where it is given.
        """
        with self._opened() as lines:
            reader = csv.reader(lines, strict=True)
            header = self._header(reader)
            places = [header.index(c) if c in header else None for c in self._asked]
            line = reader.line_num + 1
            for cells in reader:
                if len(cells) == len(header):
                    yield Row(line, ["" if p is None else cells[p].strip() for p in places])
                elif cells:
                    self._complain(line, len(header), len(cells), misshapen)
                line = reader.line_num + 1

    def problem(self, line: int | None, column: str | None, rule: str) -> BadFile:
        """Return the error for a place in this file."""
        return BadFile(self.path.name, line, column, rule)

    def _complain(
        self, line: int, wanted: int, found: int, misshapen: Callable[[BadFile], None] | None
    ) -> None:
        problem = self.problem(line, None, f"must have {wanted} fields, but has {found}")
        if misshapen is None:
            raise problem
        misshapen(problem)

    @property
    def _asked(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)

    def _header(self, reader: Iterator[list[str]]) -> list[str]:
        header = [name.strip() for name in next(reader, [])]
        for name in self.required:
            if name not in header:
                raise self.problem(1, name, "is missing")
        for name in header:
            if header.count(name) > 1:
                raise self.problem(1, name, "is there twice")
            if not self.others_allowed and name not in self._asked:
                rule = f"is not known; known are {', '.join(self._asked)}"
                raise self.problem(1, name, rule)
        return header

    @contextmanager
    def _opened(self) -> Iterator[TextIO]:
        try:
            with self._open() as lines:
                yield lines
        except UnicodeDecodeError:
            raise self.problem(None, None, "must be in UTF-8") from None
        except csv.Error as error:
            raise self.problem(None, None, f"is not well-formed CSV: {error}") from None
        except (OSError, EOFError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise self.problem(None, None, f"cannot be read: {reason}") from None

    def _open(self) -> TextIO:
        if self.path.suffix == ".gz":
            return gzip.open(self.path, "rt", encoding="utf-8-sig", newline="")
        return self.path.open(encoding="utf-8-sig", newline="")
