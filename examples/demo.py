"""The whole way once: commit to a directory, prove a file, check the proof elsewhere, see forgeries refused.

    python examples/demo.py [DIR]

Without DIR it takes every file of the running interpreter's standard library.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Collection
from functools import partial

import merklecore as mc
import merklecore.reference as reference
from merklecore import _backend, directory
from merklecore.cli.info import describe, measured, misplaced
from merklecore.cli.terminal import shown

LEFT_OUT = (b"site-packages", b"__pycache__")  # of the standard library: it comes and goes with use
SCALED_UP = 1 << 17  # leaves from which a ratio of times means something
WANTED = b"hashlib.py", b"README.md"  # proven when there, otherwise the file in the middle


class Failed(Exception):
    """Something the demo shows does not hold."""


def main(argv: list[str]) -> int:
    """Run the five parts; 1 when anything does not hold, 2 when there is nothing to read."""
    if len(argv) > 1:
        print("usage: demo.py [DIR]", file=sys.stderr)
        return 2
    where = argv[0] if argv and argv[0] else sysconfig.get_path("stdlib")
    leave_out = () if argv and argv[0] else LEFT_OUT
    try:
        lines, tree, index = commit(where, leave_out)
        proof = prove(lines, tree, index)
        refuse(lines, tree, index, proof)
        compare(lines, tree.root)
        kernels()
    except Failed as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1
    except (OSError, mc.MerkleCoreError) as error:
        print(f"demo: {shown(str(error))}", file=sys.stderr)
        return 2
    return 0


def commit(where: str, leave_out: Collection[bytes]) -> tuple[list[bytes], mc.MerkleTree, int]:
    """(a) Return the leaves, their tree and the index of the file to prove."""
    title("a", f"one hash for every file of {shown(where)}")
    start = time.perf_counter()
    paths, skipped = directory.files(where, leave_out)
    if not paths:
        raise mc.InputError(f"{where}: holds no regular file")
    lines = list(directory.lines(where, paths))
    read = time.perf_counter()
    tree = mc.MerkleTree(lines)
    built = time.perf_counter()

    names = {
        kind: [path for path, why in skipped if why == kind] for kind in ("left out", "link", "special file")
    }
    if leave_out:
        print(f"left out: directories named {' and '.join(os.fsdecode(name) for name in leave_out)} "
              f"({len(names['left out'])} of them)")  # fmt: skip
    for kind, note in (("link", "links, not followed"), ("special file", "special files")):
        if names[kind]:
            print(f"left out: {len(names[kind])} {note}, the first is {shown(names[kind][0])}")
    print(f"files     {len(lines):,}, {read - start:.3f} s to read and hash them")
    print(f"tree      {built - read:.6f} s")
    print(f"root      {tree.root.hex()}  (RFC 6962)")
    print("The leaves are lines that every system can remake:")
    prune = " -o ".join(f"-name {os.fsdecode(name)}" for name in leave_out)
    prune = f"-type d \\( {prune} \\) -prune -o " if prune else ""
    print(f"  cd {shlex.quote(shown(where))} &&")
    print(f"  find . {prune}-type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum --")
    index = next((paths.index(name) for name in WANTED if name in paths), len(paths) // 2)
    return lines, tree, index


def prove(lines: list[bytes], tree: mc.MerkleTree, index: int) -> str:
    """(b) Return the proof of one leaf as JSON, after another process has checked it."""
    title("b", "one file proven, and the proof checked by a second process")
    proof = tree.prove(index)
    text = proof.to_json()
    print(f"leaf {index:,}  {shown(lines[index][:-1])}")
    print(f"proof     {len(proof.path)} hashes, {len(bytes(proof))} bytes")
    print("The other process is given root, size, index and leaf, and the proof on standard input:")
    code, said = verify(tree, index, lines[index], text)
    at = f"--size {len(tree)} --index {index}"
    print(
        f"  merklecore verify - --root {tree.root.hex()[:8]}... {at} --leaf-hex {lines[index].hex()[:8]}..."
    )
    print(f"  {said}  (exit code {code})")
    if code != 0:
        raise Failed("the proof was not accepted")
    return text


def refuse(lines: list[bytes], tree: mc.MerkleTree, index: int, proof: str) -> None:
    """(c) One byte flipped in the leaf, then one in the proof."""
    title("c", "one byte flipped")
    leaf = bytearray(lines[index])
    leaf[0] ^= 1
    attempts = [("in the leaf", bytes(leaf), proof)]
    path = [bytearray(node) for node in tree.prove(index).path]
    if path:
        path[0][0] ^= 1
        forged = json.dumps({"type": "inclusion", "version": 1, "hashes": [node.hex() for node in path]})
        attempts.append(("in the proof", lines[index], forged))
    for where, given, text in attempts:
        code, said = verify(tree, index, given, text)
        print(f"{where}: {said}  (exit code {code})")
        if code != 1:
            raise Failed(f"a byte flipped {where} was not refused")


def compare(lines: list[bytes], root: bytes) -> None:
    """(d) The same tree by the pure-Python reference in this process: equal roots, both times."""
    title("d", f"the same tree by the pure-Python reference (hashlib), beside the {_backend.NAME} backend")
    rules = reference.Spec("sha256", "hash", b"\x00", b"\x01", "split", False, None, "hash")
    for leaves, label in ((lines, "these leaves"), (scaled(lines), "scaled up")):
        times, roots = race(
            [partial(mc.merkle_root, leaves, threads=1), partial(reference.root, rules, leaves, threads=1)],
            rounds=5 if leaves is lines else 3,
        )
        if leaves is lines and roots[0] != root:
            raise Failed("merkle_root differs from the tree's root")
        if roots[0] != roots[1]:
            raise Failed(f"roots differ: {roots[0].hex()} and {roots[1].hex()}")
        ours, theirs = (value * 1e3 for value in times)
        if leaves is not lines:
            print("The same lines repeated; in a small tree the cost of the call itself hides the ratio:")
        both = f"{_backend.NAME} {ours:8.3f} ms   reference {theirs:8.3f} ms"
        print(f"{label:13}{len(leaves):8,} leaves   {both}   {theirs / ours:5.1f} times   roots equal")
    print("(one thread each, taking turns, best of several runs)")


def kernels() -> None:
    """(e) The CPU and what serves what."""
    title("e", "this CPU and its kernels")
    about = mc.cpu_info()
    print("\n".join(describe(about)))
    rows = _backend.measure()
    print("\n" + "\n".join(measured(rows)))
    for row in misplaced(about["chosen"], rows):
        names = f"{row['faster']} was faster here than the chosen {row['chosen']}"
        print(f"{row['algorithm']} {row['shape']}: {names}")


def verify(tree: mc.MerkleTree, index: int, leaf: bytes, proof: str) -> tuple[int, str]:
    """Return the exit code and the words of ``merklecore verify`` in a process of its own."""
    trusted = [
        "--root",
        tree.root.hex(),
        "--size",
        str(len(tree)),
        "--index",
        str(index),
        "--leaf-hex",
        leaf.hex(),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "merklecore", "verify", "-", *trusted],
        input=proof, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.strip()


def scaled(lines: list[bytes]) -> list[bytes]:
    """Repeat the lines to at least 2^17."""
    return lines * -(-SCALED_UP // len(lines))


def race(runners: list[Callable[[], bytes]], rounds: int) -> tuple[list[float], list[bytes]]:
    """Run each in turn, ``rounds`` times; return best times in seconds and the roots."""
    best = [float("inf")] * len(runners)
    roots = [b""] * len(runners)
    for _ in range(rounds):
        for place, run in enumerate(runners):
            start = time.perf_counter()
            roots[place] = run()
            best[place] = min(best[place], time.perf_counter() - start)
    return best, roots


def title(letter: str, text: str) -> None:
    """Print a heading."""
    print(f"\n({letter}) {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
