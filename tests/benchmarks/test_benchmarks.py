"""Benchmarks are run by hand, so what they import must not go away unnoticed."""

from __future__ import annotations

from importlib import import_module

import pytest

from benchmarks.__main__ import ALL


@pytest.mark.parametrize("name", [*ALL, "growth"])
def test_a_benchmark_finds_all_that_it_uses(name: str) -> None:
    assert callable(import_module(f"benchmarks.{name}").main)
