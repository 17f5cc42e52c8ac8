"""What merklecore raises: bad input, a proof that does not hold and a faulty set-up are kept apart.

::

    Exception
     └─ MerkleCoreError               base of all below
         ├─ InputError                bad input: also a ValueError
         │   └─ BoundsError           an index or a size that cannot be: also an IndexError
         ├─ ProofError                a well-formed proof that does not hold
         ├─ BlockError                a block that breaks a rule, for those who prefer raising over a report
         └─ BackendError              a backend, kernel or CPU feature that cannot be had: also a RuntimeError

An argument of a wrong type is a plain ``TypeError``. A tree that is changed during another call raises
``BufferError``, as bytearray does. Hostile bytes give none but these.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["BackendError", "BlockError", "BoundsError", "InputError", "MerkleCoreError", "ProofError"]


class MerkleCoreError(Exception):
    """Base of every error of merklecore."""


class InputError(MerkleCoreError, ValueError):
    """Bad input: a wrong length, an unknown name, bytes that are not the encoding they should be."""


class BoundsError(InputError, IndexError):
    """An index or a size that is negative, too large, or an index that is not below its size."""


class ProofError(MerkleCoreError):
    """A proof does not hold for the root, leaf, index, size and profile that the caller gave.

    failed: of many proofs that were verified together, the positions of those that do not hold, ascending.
    """

    failed: tuple[int, ...] = ()


class BlockError(MerkleCoreError):
    """A block breaks a rule of its chain; ``report`` is the report that says which."""

    report: Any = None


class BackendError(MerkleCoreError, RuntimeError):
    """The backend, kernel or CPU feature asked for is unknown or cannot be used on this machine."""
