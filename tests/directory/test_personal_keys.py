"""A key seals text, and opens only what it sealed itself, as it was, in its place."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.personal_keys import PersonalKey, new_key

KEY = PersonalKey(new_key())

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, texts)
def test_what_was_sealed_is_opened_as_it_was(text: str, place: str) -> None:
    assert KEY.unseal(KEY.seal(text, place), place) == text


@given(texts, st.data())
def test_any_altered_bit_is_noticed(text: str, data: st.DataObject) -> None:
    sealed = bytearray(b64decode(KEY.seal(text, "here")))
    position = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[position // 8] ^= 1 << position % 8
    with pytest.raises(ValueError, match="altered or moved"):
        KEY.unseal(b64encode(sealed).decode(), "here")


@pytest.mark.parametrize(
    "sealed",
    ["", "AAAA", "not base64", pytest.param(KEY.seal("text", "there"), id="moved")],
)
def test_what_was_not_sealed_here_is_refused(sealed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of Base64, or of the key
        KEY.unseal(sealed, "here")


def test_no_text_is_sealed_the_same_way_twice_nor_opened_with_another_key() -> None:
    sealed = KEY.seal("text", "here")
    assert KEY.seal("text", "here") != sealed
    with pytest.raises(ValueError, match="altered or moved"):
        PersonalKey(new_key()).unseal(sealed, "here")
