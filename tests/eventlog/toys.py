"""Event classes of a shop, with a field of every type that the codec stores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

PersonalText = Annotated[str, "personal"]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Provenance:
    actor: str
    on_behalf_of: str | None
    correlation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Price:
    amount: Decimal
    valid_from: date | None


@dataclass(frozen=True)
class Article:
    title: str
    colour: Colour | None
    price: Price
    tags: tuple[str, ...]
    listed_at: datetime | None


@dataclass(frozen=True)
class ShopEvent:
    TOPIC: ClassVar[str]
    originator_id: UUID
    originator_version: int
    timestamp: datetime
    provenance: Provenance
    reason: PersonalText | None


@dataclass(frozen=True)
class Ordered(ShopEvent):
    TOPIC: ClassVar[str] = "order.placed.v2"
    customer_id: UUID
    quantity: int
    weight_kg: float
    express: bool
    discount: Decimal | None
    colours: tuple[Colour, ...]
    prices: tuple[Price, ...]
    due_on: date | None
    gift_for: PersonalText


@dataclass(frozen=True)
class ArticleRevised(ShopEvent):
    TOPIC: ClassVar[str] = "article.revised.v1"
    revision: Article
    changes: Annotated[dict[str, object], Article]


@dataclass(frozen=True)
class Shipped(ShopEvent):
    TOPIC: ClassVar[str] = "order.shipped.v1"
    parcels: tuple[tuple[float, ...], ...]
