"""What targets of encodings start from: proofs, ranges and trees that hold, and both backends to ask.

python -m fuzz.genuine writes the kept corpora anew
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import merklecore as mc
from merklecore import _backend, _native, blocks, reference
from merklecore.tree import records, storage

CORPORA = Path(__file__).parents[1] / "tests" / "vectors" / "fuzz"
BACKENDS = (_native, reference)
LEAVES = [hashlib.sha256(b"%d" % i).digest() for i in range(11)]
HEAP = mc.Profile("heap", odd="heap", sort_pairs=True)
WIDE = mc.Profile("wide", "sha512", leaf_prefix=b"leaf", node_prefix=b"node")
SMALL_SSZ = mc.profiles["ssz"].replace(name="small", limit=32)
NAMED = mc.profiles
QUOTED = r"""['"{]|(?<= )\[|(?<= )(nan|inf|None|True|False)\b"""

# Who finds profiles by name: each profile holds its rules in terms of the backend that made it.
_FINDERS = (
    (sys.modules["merklecore.tree.profiles"], "_NAMED"),  # the package has the mapping by that name
    (records, "profiles"),
    (storage, "profiles"),
)


@contextmanager
def rebound(backend: Any, named: Mapping[str, mc.Profile]) -> Iterator[None]:
    """Have everything done by one backend, whichever was bound at import, and by profiles that it made."""
    wanted = [(_backend, name, getattr(backend, name)) for name in _backend.__all__]
    wanted += [(module, name, named) for module, name in _FINDERS]
    before = [(module, name, getattr(module, name)) for module, name, _ in wanted]
    try:
        for module, name, value in wanted:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def made_by(backend: Any, *made: mc.Profile) -> list[mc.Profile]:
    """Return equal profiles with their rules in terms of a backend."""
    with rebound(backend, NAMED):
        return [profile.replace(name=profile.name) for profile in made]


_NAMED_BY = {
    backend: dict(zip(NAMED, made_by(backend, *NAMED.values()), strict=True)) for backend in BACKENDS
}


def bound(backend: Any) -> AbstractContextManager[None]:
    """Have everything done by one backend."""
    return rebound(backend, _NAMED_BY[backend])


class Case(NamedTuple):
    """A proof that holds, and the arguments that it holds for."""

    name: str
    proof: Any
    trusted: tuple[Any, ...]
    places: dict[str, Any]
    profiles: dict[Any, mc.Profile]  # by backend

    def verdict(self, proof: Any, backend: Any) -> str:
        """Verify a proof in the place of the genuine one, which alone may hold; return what is said."""
        try:
            proof.verify(*self.trusted, **self.places, profile=self.profiles[backend])
        except (mc.ProofError, mc.InputError) as error:
            said = f"{type(error).__name__}: {error}"
        else:
            said = "holds"
        genuine = proof == self.proof
        assert genuine == (said == "holds"), f"{self.name}: {proof!r}, genuine: {genuine}: {said}"
        return said


def _cases() -> Iterator[Case]:
    for profile, size in (
        (NAMED["rfc6962"], 11),
        (WIDE, 6),
        (NAMED["bitcoin"], 11),
        (SMALL_SSZ, 5),
        (HEAP, 7),
        (NAMED["openzeppelin-simple"], 3),
    ):
        leaves = LEAVES[:size]
        both = {backend: made_by(backend, profile)[0] for backend in BACKENDS}
        tree = mc.MerkleTree(leaves, profile)
        root, last = tree.root, size - 1

        def case(
            proof: Any, *trusted: Any, name: str = profile.name, both: Any = both, **places: Any
        ) -> Case:
            return Case(f"{type(proof).__name__}-{name}", proof, trusted, places, both)

        some = [0, last // 2, last]
        chosen = [leaves[i] for i in some]
        yield case(tree.prove(last), root, leaves[last], index=last, size=size)
        yield case(tree.prove_many(some[::-1]), root, chosen[::-1], indices=some[::-1], size=size)
        yield case(tree.prove_multi(some[1:]), root, chosen[1:], indices=some[1:], size=size)
        yield case(tree.prove_range(1, last), root, leaves[1:last], start=1, size=size)
        if profile.odd == "split":
            old = last // 2 + 1
            roots = (tree.root_at(old), root)
            yield case(tree.prove_consistency(old), *roots, old_size=old, new_size=size)
        if profile.odd == "heap":
            yield case(tree.prove_flagged(some), root, chosen, indices=some, size=size)
        if profile.odd == "duplicate":
            yield case(tree.prove_partial(some[1:]), root, chosen[1:], indices=some[1:], size=size)


def _ranges_and_trees() -> Iterator[tuple[str, Any]]:
    for profile, start, size in ((NAMED["rfc6962"], 0, 11), (WIDE, 5, 6), (NAMED["rfc6962-sm3"], 2**40, 0)):
        leaves = mc.CompactRange(profile, start)
        leaves.extend(LEAVES[:size])
        yield f"CompactRange-{profile.name}", leaves
    for profile, size in (
        (NAMED["rfc6962"], 3),
        (NAMED["bitcoin"], 3),
        (NAMED["fisco-bcos"], 2),
        (SMALL_SSZ, 5),
        (HEAP, 4),
        (WIDE, 0),
    ):
        yield f"MerkleTree-{profile.name}", mc.MerkleTree(LEAVES[:size], profile)


CASES = list(_cases())
KEPT_IN_BYTES = {case.name: case.proof for case in CASES} | dict(_ranges_and_trees())
CONTEXTS = {
    "Context-genesis": blocks.Context.genesis(),
    "Context-whole": blocks.Context(
        100, LEAVES[0], tuple(range(1_600_000_000, 1_600_006_600, 600)), 1_600_000_000, 0x207FFFFF, 202,
        period_bits=0x207FFFFF, real_bits=0x207FFFFF,
    ),
}  # fmt: skip


def told(error: Exception) -> str:
    """Return which refusal an error is: its words, without numbers, and up to what it quotes."""
    return f"{type(error).__name__} {_words(str(error))}"


@lru_cache(4096)
def _words(message: str) -> str:
    return re.sub("[0-9a-f]*[0-9][0-9a-f]*", "", re.split(QUOTED, message, maxsplit=1)[0])


def main() -> None:
    """Write the corpora: an encoding in bytes of everything, and a text of what has one."""
    from fuzz import texts

    for folder, kept in (
        ("bytes", {name: bytes(made) for name, made in KEPT_IN_BYTES.items()}),
        ("texts", {name: text.encode() for name, text in texts.genuine().items()}),
    ):
        (CORPORA / folder).mkdir(parents=True, exist_ok=True)
        for name, data in kept.items():
            (CORPORA / folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
