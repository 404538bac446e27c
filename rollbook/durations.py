"""Lengths of time on the command line, such as 30m."""

from __future__ import annotations

import re
from datetime import timedelta

import click

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=3650)


class Duration(click.ParamType[timedelta]):
    """A whole number and a unit: s, m, h or d."""

    name = "duration"

    def convert(
        self,
        value: str | timedelta,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> timedelta:
        """Return the length of time, more than nothing and at most ten years."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,6})([smhd])", value)
        length = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else timedelta()
        if not timedelta() < length <= LONGEST:
            self.fail(
                f"{value!r} must be a whole number and a unit, as in 30m, 8h or 7d.", param, ctx
            )
        return length
