"""Every operation there is, as the description lists them, so that none is left out of a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from api.access import Public, access_of
from domain.permissions import Permission
from tests.api.world import BASE, Answer, Api, Caller

NUMBER = "RB-7K2QD-9XMVA-0RT4C-HWZ31"


@dataclass(frozen=True)
class Operation:
    """A method on a path, and who may call it."""

    method: str
    path: str
    access: Permission | Public | None
    description: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix(BASE)}"

    def call(self, caller: Caller, **ids: str) -> Answer:
        """Call it with these ids in the path, and with ones that nothing has for the others."""
        url = self.path.format(**{name: ids.get(name, nothing(name)) for name in self.names()})
        body: dict[str, Any] | None = {} if "requestBody" in self.description else None
        return caller.call(self.method, url, json=body)

    def names(self) -> list[str]:
        """The names of what stands in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


def operations(api: Api) -> list[Operation]:
    """All operations but the documentation itself, in order of their paths."""
    return sorted(_operations(api), key=lambda one: (one.path, one.method))


def nothing(name: str) -> str:
    """An id that is well-formed, and that nothing has."""
    if name in {"program_id", "enrollment_id"}:
        return str(uuid4())
    return NUMBER if name == "number" else "nobody-here"


def _operations(api: Api) -> Iterator[Operation]:
    views = {endpoint.split(".")[-1]: view for endpoint, view in api.app.view_functions.items()}
    for method, path, description in api.contract.operations():
        access = access_of(views[description["operationId"]])
        yield Operation(method, path, access, description)
