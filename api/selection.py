"""Which fields of a resource are shown, and what is shown beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from marshmallow import Schema
from psycopg import Connection

from api.audit_log import shows
from api.fields import Body
from api.parameters import SeparatedParameter
from projections.conditions import Conditions
from projections.keyset import Listing

Document = dict[str, Any]
Find = Callable[[Connection[Any], Sequence[Any]], Mapping[Any, Document]]


@dataclass(frozen=True)
class Include:
    """What may be shown beside a resource.

    Attributes:
        by: the field that holds its key.
        find: returns the documents that this caller may see, by their keys.
        permit: raises when this caller may see none.

    """

    by: str
    find: Find
    permit: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Showing:
    """What can be shown of a resource.

    Attributes:
        shape: describes it, with all that may be shown beside it.
        includes: what may be shown beside it, by name.
        about: the column with the employee whom it is about, if it is about one.

    """

    listing: Listing
    shape: type[Schema]
    includes: Mapping[str, Include] = field(default_factory=dict)
    about: str | None = None

    @cached_property
    def fields(self) -> Sequence[str]:
        """The names of the fields, in order."""
        return [name for name in self.shape().fields if name not in self.includes]

    @cached_property
    def _usual(self) -> Selection:
        return Selection(self.listing, self.fields, {}, self.about)

    def parameters(self, others: type[Schema] = Body) -> type[Schema]:
        """Return the parameters of a read of it: what to show, and the `others`."""
        shows = {"fields": SeparatedParameter(self.fields, "The only fields to answer with.")}
        if self.includes:
            shows["include"] = SeparatedParameter(self.includes, "What to show beside it.")
        name = f"{self.shape.__name__}Parameters" if others is Body else others.__name__
        return others.from_dict({**shows}, name=name)

    def select(self, parameters: Mapping[str, Any]) -> Selection:
        """Return what `parameters` ask for. Raises a problem where the caller may not see it."""
        fields, include = parameters["fields"], parameters.get("include")
        if fields is None and include is None:
            return self._usual
        included = {name: self.includes[name] for name in include or ()}
        for one in included.values():
            one.permit()
        names = list(self.fields) if fields is None else fields
        return Selection(self.listing, names, included, self.about)


@dataclass(frozen=True)
class Selection:
    """The fields to show, and what to show beside them, by name."""

    listing: Listing
    fields: Sequence[str]
    includes: Mapping[str, Include]
    about: str | None

    @cached_property
    def columns(self) -> list[str]:
        """What must be fetched for it."""
        others = [one.by for one in self.includes.values()]
        if self.about is not None:
            others.append(self.about)
        return list(dict.fromkeys([*self.fields, *others]))

    def documents(self, conn: Connection[Any], rows: Sequence[Sequence[Any]]) -> list[Document]:
        """Return the documents of fetched rows."""
        columns = self.columns
        found: list[Document] = [dict(zip(columns, row, strict=True)) for row in rows]
        for name in self.listing.documents.intersection(columns):
            for document in found:
                document[name] = document[name] and msgspec.Raw(document[name])
        if self.about is not None:
            shows(document[self.about] for document in found)
        for name, include in self.includes.items():
            beside = include.find(conn, list({one[include.by]: None for one in found}))
            for document in found:
                document[name] = beside.get(document[include.by])
        for name in columns[len(self.fields) :]:
            for document in found:
                del document[name]
        return found


def found_by(
    listing: Listing, shape: type[Schema], only: Callable[[], Conditions] = Conditions
) -> Find:
    """Return what finds documents of `listing` by its keys, among those that meet `only`."""
    selection = Showing(listing, shape).select({"fields": None})

    def find(conn: Connection[Any], keys: Sequence[Any]) -> Mapping[Any, Document]:
        conditions = only()
        conditions.add_any(f"r.{listing.key}", [key for key in keys if key is not None])
        rows = listing.rows(conn, selection.columns, conditions)
        return {document["id"]: document for document in selection.documents(conn, rows)}

    return find
