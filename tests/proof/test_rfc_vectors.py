"""The tree of eight leaves that the reference implementations of RFC 6962 and 9162 publish."""

from __future__ import annotations

import pytest

from proof.hashing import EMPTY_ROOT, leaf_hash, node_hash, root_of
from proof.paths import Part, consistency_path, inclusion_path, split
from proof.verify_bundle import is_consistent, is_included

LEAVES = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
E = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
F = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
G = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {
    (0, 8): (A, B, C),
    (5, 8): (E, F, ROOTS[3].hex()),
    (2, 3): (ROOTS[1].hex(),),
    (1, 5): (ROOTS[0].hex(), B, E),
}
CONSISTENCY = {
    (1, 8): (A, B, C),
    (6, 8): (G, F, ROOTS[3].hex()),
    (2, 5): (B, E),
}


def hash_of(part: Part) -> bytes:
    """A part's hash by the recursion that the RFC writes down."""
    first, end = part
    if end - first == 1:
        return leaf_hash(LEAVES[first])
    middle = split(first, end)
    return node_hash(hash_of((first, middle)), hash_of((middle, end)))


def test_the_empty_tree_has_the_published_root() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_trees_have_the_published_roots(size: int) -> None:
    hashes = b"".join(leaf_hash(data) for data in LEAVES[:size])
    assert root_of(hashes) == hash_of((0, size)) == ROOTS[size - 1]


@pytest.mark.parametrize("index_and_size", INCLUSION)
def test_inclusion_proofs_are_the_published_ones(index_and_size: tuple[int, int]) -> None:
    path = [hash_of(part) for part in inclusion_path(*index_and_size)]
    assert tuple(one.hex() for one in path) == INCLUSION[index_and_size]


@pytest.mark.parametrize("old_and_new", CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(old_and_new: tuple[int, int]) -> None:
    path = [hash_of(part) for part in consistency_path(*old_and_new)]
    assert tuple(one.hex() for one in path) == CONSISTENCY[old_and_new]


@pytest.mark.parametrize("size", range(1, 9))
def test_every_inclusion_proof_is_accepted_for_its_leaf_and_size_alone(size: int) -> None:
    for index in range(size):
        path = [hash_of(part) for part in inclusion_path(index, size)]
        leaf, root = leaf_hash(LEAVES[index]), ROOTS[size - 1]
        assert is_included(leaf, index, size, path, root)
        assert not is_included(leaf_hash(b"other"), index, size, path, root)
        assert not is_included(leaf, index, size, [*path, root], root)
        assert not is_included(leaf, index, size, path, ROOTS[size % 8])
        assert not any(
            is_included(leaf, other, size, path, root) for other in range(-1, 9) if other != index
        )
        for wrong in range(len(path)):
            bent = [leaf if number == wrong else one for number, one in enumerate(path)]
            assert not is_included(leaf, index, size, bent, root)
            assert not is_included(leaf, index, size, path[:wrong] + path[wrong + 1 :], root)


@pytest.mark.parametrize("new", range(1, 9))
def test_every_consistency_proof_is_accepted_for_its_trees_alone(new: int) -> None:
    for old in range(1, new + 1):
        path = [hash_of(part) for part in consistency_path(old, new)]
        old_root, new_root = ROOTS[old - 1], ROOTS[new - 1]
        assert is_consistent(old, old_root, new, new_root, path)
        assert not is_consistent(old, leaf_hash(b"other"), new, new_root, path)
        assert not is_consistent(old, old_root, new, leaf_hash(b"other"), path)
        assert not is_consistent(old, old_root, new, new_root, [*path, new_root])
        for wrong in range(len(path)):
            assert not is_consistent(old, old_root, new, new_root, path[:wrong] + path[wrong + 1 :])
