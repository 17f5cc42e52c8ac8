"""The commands ``root``, ``prove`` and ``verify``."""

from __future__ import annotations

import os
import sys

import merklecore as mc
from merklecore.cli.leaves import Source, grow
from merklecore.cli.terminal import shown
from merklecore.errors import BoundsError, InputError, ProofError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

__all__ = ["RUN"]

SKIPPED_SHOWN = 10
LEAF_SHOWN = 4096  # bytes; of a longer leaf only the hash is printed
LARGEST_PROOF = 64 << 10  # bytes of JSON


def root(args: Namespace) -> int:
    """Print the root."""
    profile = mc.profiles[args.profile]
    source = Source(args, profile)
    tree, _ = grow(source)
    if args.json:
        print(_json(_envelope(tree, source)))
    else:
        print(tree.root.hex())
    _remarks(tree, source, args)
    return 0


def prove(args: Namespace) -> int:
    """Write a proof."""
    profile = mc.profiles[args.profile]
    source = Source(args, profile)
    index: int = source.index_of(args.path) if args.path is not None else args.index
    tree, leaf = grow(source, index)
    try:
        proof = tree.prove(index).to_json()
    except BoundsError as error:
        raise InputError(f"{shown(source.names[0])}: {error}") from None
    leaf_hash = tree.leaf_hash(index).hex()
    if args.output is not None:
        try:
            with open(args.output, "w", encoding="ascii") as file:
                file.write(proof + "\n")
        except OSError as error:
            error.filename = error.filename or args.output
            raise
    if args.json:
        envelope = _envelope(tree, source) | {"index": index, "leaf_hash": leaf_hash}
        if leaf is not None and len(leaf) <= LEAF_SHOWN:
            envelope["leaf"] = leaf.hex()
        if args.output is None:
            from json import loads

            envelope["proof"] = loads(proof)
        print(_json(envelope))
    else:
        if args.output is None:
            print(proof)
        about = {"root": tree.root.hex(), "size": len(tree), "index": index, "leaf hash": leaf_hash}
        if leaf is not None and len(leaf) <= LEAF_SHOWN:
            about["leaf-hex"] = leaf.hex()
        if source.kind == "directory" and leaf is not None:
            about["line"] = shown(leaf[:-1])
        for name, value in about.items():
            print(f"{name:9}  {value}", file=sys.stderr)
    _remarks(tree, source, args)
    return 0


def verify(args: Namespace) -> int:
    """Check a proof; ProofError when it does not hold."""
    root = _hexadecimal("--root", args.root)
    if args.leaf_hex is not None:
        leaf = _hexadecimal("--leaf-hex", args.leaf_hex)
    elif args.leaf_file is not None:
        leaf = _content(args.leaf_file)
    else:
        leaf = os.fsencode(args.leaf)
    try:
        text = _content(args.proof, LARGEST_PROOF)
        proof = mc.InclusionProof.from_json(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{shown(args.proof)}: is not UTF-8 text") from None
    except InputError as error:
        raise InputError(f"{shown(args.proof)}: {error}") from None
    try:
        proof.verify(root, leaf, index=args.index, size=args.size, profile=args.profile)
    except ProofError as error:
        if not args.json:
            raise ProofError(f"{shown(args.proof)}: does not hold: {error}") from None
        print(_json({"holds": False, "reason": str(error)}))
        return 1
    if args.json:
        print(_json({"holds": True}))
    else:
        print(f"holds: leaf {args.index} of {args.size} under {root.hex()} ({args.profile})")
    return 0


RUN: dict[str, Callable[[Namespace], int]] = {"root": root, "prove": prove, "verify": verify}


def _envelope(tree: mc.MerkleTree, source: Source) -> dict[str, object]:
    about: dict[str, object] = {
        "profile": source.profile.name,
        "root": tree.root.hex(),
        "size": len(tree),
        "source": source.describe(),
    }
    if source.kind == "directory":
        # A name that is no UTF-8 is written with lone surrogates, as os.fsdecode gives it.
        about["skipped"] = [{"path": os.fsdecode(path), "reason": reason} for path, reason in source.skipped]
    if source.profile.odd == "duplicate":
        about["mutated"] = tree.mutated
    return about


def _remarks(tree: mc.MerkleTree, source: Source, args: Namespace) -> None:
    """Say on standard error what a reader of the root must know; --json has it in the object."""
    if args.json:
        return
    for path, reason in source.skipped[:SKIPPED_SHOWN]:
        print(f"left out ({reason}): {shown(path)}", file=sys.stderr)
    if len(source.skipped) > SKIPPED_SHOWN:
        print(f"left out: {len(source.skipped) - SKIPPED_SHOWN:,} more; --json lists all", file=sys.stderr)
    if source.profile.odd == "duplicate" and tree.mutated:
        print("mutated: two equal siblings met; other leaves have this root too", file=sys.stderr)


def _json(answer: dict[str, object]) -> str:
    import json

    return json.dumps(answer)


def _hexadecimal(option: str, text: str) -> bytes:
    from binascii import unhexlify

    try:
        return unhexlify(text)
    except ValueError:  # binascii.Error, and text that is not ASCII
        raise InputError(f"{option}: not hexadecimal: {shown(text[:80])}") from None


def _content(name: str, limit: int | None = None) -> bytes:
    """Read a whole file, or standard input for ``-``; InputError when it is longer than ``limit`` bytes."""
    from merklecore.cli.leaves import reading

    with reading(name) as file:
        data = file.read(-1 if limit is None else limit + 1)
    if limit is not None and len(data) > limit:
        raise InputError(f"longer than {limit} bytes, which no proof is")
    return data
