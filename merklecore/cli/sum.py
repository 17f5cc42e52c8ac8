"""The command ``sum``: checksums of files, as sha256sum prints them, with every algorithm."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # without enum, whose import takes 4 ms
import os
import stat
import sys
from itertools import chain

from merklecore.cli.batches import Desk, in_batches
from merklecore.cli.checksums import lines
from merklecore.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["run"]


def run(args: Namespace) -> int:
    """Print checksums, or check them: 0 when all files were read and match, else 1."""
    refuse(args)
    # SIGINT shall end the process as it does coreutils: Python would wait until the whole batch is read.
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        if args.check:
            from merklecore.cli import check

            return check.run(args)
        return compute(args)
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def refuse(args: Namespace) -> None:
    """Raise InputError for options that do not go together."""
    computing = {"recursive": args.recursive, "tag": args.tag, "zero": args.zero}
    checking = {"ignore-missing": args.ignore_missing, "strict": args.strict, args.report: args.report}
    for option, given in (computing if args.check else checking).items():
        if given:
            why = "meaningless" if args.check else "meaningful only"
            raise InputError(f"the --{option} option is {why} when verifying checksums")


def compute(args: Namespace) -> int:
    """Print a line for each file."""
    algorithm = args.algorithm or "sha256"
    names = Names(args.files or ["-"], args.recursive)
    desk = Desk(args.threads, not sys.stdout.isatty(), names.size)
    unread = 0
    for batch in in_batches(names.walked(desk)):
        digests, errors = desk.digests(batch, algorithm)
        start = 0
        for stop in [*errors, len(batch)]:
            desk.write(lines(batch[start:stop], digests[start:stop], algorithm, args.tag, args.zero))
            if stop in errors:
                desk.complain(errors[stop])
            start = stop + 1
        unread += len(errors)
        desk.flush()
    unread += names.unread
    if names.left_out:
        desk.say(f"left out (links, special files): {names.left_out:,}")
    if unread > 1:
        desk.say(f"WARNING: {unread:,} files could not be read")
    desk.close()
    return 1 if unread else 0


class Names:
    """The names given; where directories are walked, those of the regular files in them.

    Links in a directory are not followed: they and special files are counted in ``left_out``, and directories
    that cannot be read in ``unread``.
    """

    def __init__(self, given: Sequence[str], recursive: bool) -> None:
        self._given = given
        self._recursive = recursive
        self.left_out = self.unread = 0

    def size(self) -> int | None:
        """Return the bytes of all files, None where a look at each name does not tell."""
        total = 0
        for name in self._given:
            try:
                about = os.stat(name)
            except OSError:
                return None
            if not stat.S_ISREG(about.st_mode):
                return None
            total += about.st_size
        return total

    def walked(self, desk: Desk) -> Iterable[str]:
        """Return the names, those of a directory in byte order; what cannot be listed is said at the desk."""
        if not self._recursive:
            return self._given
        return chain.from_iterable(
            self._below(name, desk) if name != "-" and os.path.isdir(name) else (name,)
            for name in self._given
        )

    def _below(self, directory: str, desk: Desk) -> Iterator[str]:
        """Yield paths; those of directories end with a slash while they wait, which puts all in order."""
        waiting = [os.path.join(os.fsencode(directory), b"")]  # the next one last
        while waiting:
            path = waiting.pop()
            if not path.endswith(b"/"):
                yield os.fsdecode(path)
                continue
            try:
                with os.scandir(path) as entries:
                    waiting += sorted(self._listed(entries), reverse=True)
            except OSError as error:
                self.unread += 1
                desk.complain(OSError(error.errno, error.strerror, path.rstrip(b"/") or path))

    def _listed(self, entries: Iterator[os.DirEntry[bytes]]) -> Iterator[bytes]:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield entry.path + b"/"
            elif entry.is_file(follow_symlinks=False):
                yield entry.path
            else:
                self.left_out += 1
