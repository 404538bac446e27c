"""The columns of a team's own files: their names, and what their values look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from domain.errors import InvalidValueError
from domain.program_details import limit_length, require_percent
from rollbook.importing.csv_file import BadFile, CsvFile

FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Report = Callable[[BadFile], None]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `parse` gives the value of a field that is not empty, or raises `ValueError`."""

    name: str
    parse: Callable[[str], Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A row without bad fields: its `line`, and its values by column; None where it is empty.

    A column that the file has not is not in `values`.
    """

    line: int
    values: Mapping[str, Any]


class Sheet:
    """A file with known columns. A row with a bad field is reported, and left out."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        """Read the file at `path`. Raises `BadFile` when its columns are not these."""
        self._columns = columns
        required = [column.name for column in columns if column.required]
        optional = [column.name for column in columns if not column.required]
        self._file = CsvFile(path, required, optional)
        self._present = self._file.columns()
        self._by_place = sorted(columns, key=lambda column: not column.required)

    def rows(self, report: Report) -> Iterator[Parsed]:
        """Yield the rows one at a time, and report every bad field. Raises `BadFile`."""
        for row in self._file.rows(report):
            values: dict[str, Any] = {}
            problems = list(self._parse(row.line, row.values, values))
            for problem in problems:
                report(problem)
            if not problems:
                yield Parsed(row.line, values)

    def count(self) -> int:
        """Read the file to its end, and return the number of rows. Raises `BadFile`."""
        return sum(1 for _ in self._file.rows(lambda _problem: None))

    def problem(self, line: int, column: str | None, rule: str) -> BadFile:
        """Return the error for a place in this file."""
        return self._file.problem(line, column, rule)

    def _parse(self, line: int, texts: list[str], values: dict[str, Any]) -> Iterator[BadFile]:
        for column, text in zip(self._by_place, texts, strict=True):
            if column.name not in self._present:
                continue
            try:
                values[column.name] = _value(column, text)
            except ValueError as error:
                yield self.problem(line, column.name, str(error))


def _value(column: Column, text: str) -> Any:
    if text:
        return column.parse(text)
    if column.required:
        raise ValueError("must not be empty")
    return None


def text(length: int) -> Callable[[str], str]:
    """Text of at most `length` characters."""

    def parse(value: str) -> str:
        with_rule(lambda: limit_length("", value, length))
        return value

    return parse


def choice(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    """One of the words of `choices`."""

    def parse(value: str) -> StrEnum:
        try:
            return choices(value)
        except ValueError:
            rule = f"must be one of {', '.join(choices)}"
            raise ValueError(f"{rule}, not {value!r}") from None

    return parse


def flag(value: str) -> bool:
    """`true` or `false`, `yes` or `no`, `1` or `0`."""
    found = FLAGS.get(value.lower())
    if found is None:
        raise ValueError(f"must be true or false, not {value!r}")
    return found


def whole(value: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise ValueError(f"must be a whole number, not {value!r}")
    return int(value)


def number(value: str) -> float:
    """A number of at most nine digits and two decimals, with a decimal point."""
    return float(money(value))


def money(value: str) -> Decimal:
    """As `number`, and exact."""
    if not re.fullmatch(r"\d{1,12}(\.\d{1,2})?", value, re.ASCII):
        raise ValueError(f"must be a number such as 12 or 12.50, not {value!r}")
    return Decimal(value)


def percent(value: str) -> float:
    """0 to 100, with at most two decimals."""
    found = number(value)
    with_rule(lambda: require_percent("", found))
    return found


def day(value: str) -> date:
    """A day such as 2026-01-31."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError(f"must be a date such as 2026-01-31, not {value!r}")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"must be a day of the calendar, not {value!r}") from None


def past_day(value: str) -> date:
    """A day that is not in the future, in UTC."""
    found = day(value)
    if found > datetime.now(UTC).date():
        raise ValueError(f"must not be in the future, as {value} is")
    return found


def words(value: str) -> tuple[str, ...]:
    """Words separated by semicolons."""
    return tuple(filter(None, (word.strip() for word in value.split(";"))))


def with_rule(check: Callable[[], None]) -> None:
    """Run `check`, and raise the rule it names as a `ValueError`."""
    try:
        check()
    except InvalidValueError as error:
        raise ValueError(error.rule) from None
