"""The command ``merklecore``: roots and proofs of files, directories, chunks, lines; checksums; blocks.

Exit codes: 0 it holds (or was done), 1 it does not hold, 2 bad usage or bad input; 130 after Ctrl-C, 141 when
the reader of the output went away. An error is one line on standard error that names the file. Modules are
imported when a command needs them, and numpy only with an array, so that help and small jobs start at once.
"""

from __future__ import annotations

import os
import sys

import merklecore as mc
from merklecore.cli.terminal import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["main"]

DOES_NOT_HOLD = 1
BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    if sys.stderr is None:  # closed: what is said there must not go to standard output instead
        sys.stderr = open(os.devnull, "w")  # until the process ends
    if sys.stdout is None:
        return fault("standard output: is closed")
    try:
        code = run(parse(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except mc.ProofError as error:
        return fault(str(error), DOES_NOT_HOLD)
    except mc.MerkleCoreError as error:
        return fault(str(error))
    except BrokenPipeError:
        # Whatever is still buffered must not meet the closed pipe again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        where = "standard output" if error.filename is None else error.filename
        return fault(f"{shown(where)}: {error.strerror or error}")
    except MemoryError:
        return fault("out of memory")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:  # a bug of ours: Python's own exit code for it would say that a proof does not hold
        import traceback

        traceback.print_exc()
        return BAD_INPUT


class Plain:
    """``sum [-a NAME] FILE...``, as argparse would have it."""

    command = "sum"
    check = recursive = tag = zero = ignore_missing = strict = False
    threads = report = None

    def __init__(self, algorithm: str | None, files: Sequence[str]) -> None:
        self.algorithm = algorithm
        self.files = files


def parse(argv: Sequence[str]) -> Any:
    """Parse the command line; plain sums without argparse, whose import costs as much as 500 small files."""
    if argv[:1] == ["sum"]:
        named = len(argv) > 2 and argv[1] == "-a" and argv[2] in mc.algorithms()
        files = argv[3:] if named else argv[1:]
        if files and "\0-" not in "\0".join(["", *files]):  # no option and no standard input
            return Plain(argv[2] if named else None, files)
    from merklecore.cli import arguments

    return arguments.parse(argv)


def run(args: Any) -> int:
    """Run the command that was parsed."""
    if args.command == "sum":
        from merklecore.cli import sum as sums

        return sums.run(args)
    if args.command == "blocks":
        from merklecore.cli import blocks

        return blocks.run(args)
    if args.command == "info":
        from merklecore.cli import info

        return info.run(args)
    from merklecore.cli import commands

    return commands.RUN[args.command](args)


def fault(message: str, code: int = BAD_INPUT) -> int:
    """Print one line and return the exit code."""
    print("merklecore:", shown(message), file=sys.stderr)
    return code
