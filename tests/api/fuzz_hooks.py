"""What schemathesis takes for wrong although HTTP allows it."""

from __future__ import annotations

from typing import Any

import schemathesis

# RFC 9110, section 5.1: headers that are not known are passed over.
UNKNOWN_HEADER = "x-schemathesis-unknown-property"


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:  # noqa: ARG001  # as schemathesis calls it
    """Leave out what differs from a good request by an unknown header alone."""
    return UNKNOWN_HEADER not in {name.lower() for name in (case.headers or {})}
