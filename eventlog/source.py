"""Generates a function from expressions, with the names that they refer to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Source:
    """The source of one function in the making."""

    def __init__(self) -> None:
        self._globals: dict[str, Any] = {}
        self._locals = 0

    def name_of(self, value: object) -> str:
        """A name that stands for this value in the generated source."""
        name = f"g{len(self._globals)}"
        self._globals[name] = value
        return name

    def new_local(self) -> str:
        """A variable name that no other expression of this function uses."""
        self._locals += 1
        return f"v{self._locals}"

    def function(self, parameters: str, body: str) -> Callable[..., Any]:
        """The finished function; body is a block of statements without indentation."""
        indented = "".join(f"    {line}\n" for line in body.splitlines())
        # The source is made of field names of this program's own classes, never of data.
        exec(f"def generated({parameters}):\n{indented}", self._globals)  # noqa: S102
        function: Callable[..., Any] = self._globals["generated"]
        return function
