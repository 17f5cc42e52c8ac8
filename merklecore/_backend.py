"""Binds the primitives that everything above stands on to one of the two backends.

``MERKLECORE_BACKEND=native`` or ``reference`` decides, read once, at import. Unset, it is the native backend
where that is built and the reference elsewhere; a native backend that is built and does not load is an error,
for a silent fall to a hundredth of the speed helps nobody. The contract stands in ``merklecore.reference``.
"""

from __future__ import annotations

import os
import sys

from merklecore.errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from merklecore.reference.chains.bitcoin import Checked as Checked

__all__ = [
    "DIGEST_SIZES",
    "NAME",
    "Bitcoin",
    "Nodes",
    "Range",
    "Spec",
    "blake2b_256",
    "blake3",
    "consistency",
    "cpu_info",
    "digest",
    "fold",
    "fold_consistency",
    "fold_many",
    "fold_set",
    "fold_to",
    "hash_files",
    "hash_many",
    "hash_pairs",
    "keccak256",
    "kernels",
    "leaf_hash",
    "leaf_hashes",
    "level_rows",
    "measure",
    "new",
    "path",
    "paths",
    "root",
    "same_leaves",
    "set_flags",
    "set_hashes",
    "sha3_256",
    "sha256",
    "sha256d",
    "sha512",
    "sm3",
    "truncate",
    "update",
]


def _load_native() -> Any:
    try:
        from merklecore import _native
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("merklecore._native") or _is_built():
            raise
        return None
    return _native


def _is_built() -> bool:
    from importlib.machinery import EXTENSION_SUFFIXES

    try:
        names = os.listdir(os.path.join(os.path.dirname(__file__), "_native"))
    except OSError:  # no such directory: the package lies in an archive, from which no extension loads
        return False
    return any(name.endswith(tuple(EXTENSION_SUFFIXES)) for name in names)


def _load_reference() -> Any:
    from merklecore import reference

    reference.check_environment()
    return reference


def _choose(name: str) -> Any:
    if name == "reference":
        return _load_reference()
    if name not in ("", "native"):
        raise BackendError(f"MERKLECORE_BACKEND: {name!r} is none of native, reference")
    native = _load_native()
    if native is None and name:
        raise BackendError("MERKLECORE_BACKEND: the native backend is not built")
    return native or _load_reference()


def _is_command() -> bool:
    """Whether the process is the command ``merklecore``, whose own code is not imported yet."""
    program = os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) else ""
    if program != "-m":
        return program == "merklecore"
    words = sys.orig_argv
    return "-mmerklecore" in words or any(words[i : i + 2] == ["-m", "merklecore"] for i in range(len(words)))


def _chosen_by_environment() -> Any:
    try:
        return _choose(os.environ.get("MERKLECORE_BACKEND", ""))
    except BackendError as error:
        if not _is_command():
            raise
        print("merklecore:", error, file=sys.stderr)
        raise SystemExit(2) from None  # bad input, as for any other argument: 1 would say "does not hold"


if TYPE_CHECKING:
    from merklecore import reference as _chosen
else:
    _chosen = _chosen_by_environment()

NAME: str = _chosen.NAME
DIGEST_SIZES = _chosen.DIGEST_SIZES
Bitcoin = _chosen.Bitcoin
Nodes = _chosen.Nodes
Range = _chosen.Range
Spec = _chosen.Spec
blake2b_256 = _chosen.blake2b_256
blake3 = _chosen.blake3
consistency = _chosen.consistency
cpu_info = _chosen.cpu_info
digest = _chosen.digest
fold = _chosen.fold
fold_consistency = _chosen.fold_consistency
fold_many = _chosen.fold_many
fold_set = _chosen.fold_set
fold_to = _chosen.fold_to
hash_files = _chosen.hash_files
hash_many = _chosen.hash_many
hash_pairs = _chosen.hash_pairs
keccak256 = _chosen.keccak256
kernels = _chosen.kernels
leaf_hash = _chosen.leaf_hash
leaf_hashes = _chosen.leaf_hashes
level_rows = _chosen.level_rows
measure = _chosen.measure
new = _chosen.new
path = _chosen.path
paths = _chosen.paths
root = _chosen.root
same_leaves = _chosen.same_leaves
set_flags = _chosen.set_flags
set_hashes = _chosen.set_hashes
sha256 = _chosen.sha256
sha256d = _chosen.sha256d
sha3_256 = _chosen.sha3_256
sha512 = _chosen.sha512
sm3 = _chosen.sm3
truncate = _chosen.truncate
update = _chosen.update
