"""``sum --check``: lists of checksums, and whether the files still have them."""

from __future__ import annotations

import errno
import sys

from merklecore.cli.batches import Desk, in_batches
from merklecore.cli.checksums import TAGS, Reader, escaped, lines_of
from merklecore.cli.leaves import reading
from merklecore.cli.terminal import shown
from merklecore.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from merklecore.cli.checksums import Entry

__all__ = ["run"]


def run(args: Namespace) -> int:
    """Check every list: 0 when all of them hold, else 1."""
    silent = args.report in ("quiet", "status")
    desk = Desk(args.threads, silent or not sys.stdout.isatty(), lambda: None)
    reader = Reader(args.algorithm)
    hold = [Checklist(name, args, reader, desk).holds() for name in args.files or ["-"]]
    desk.close()
    return 0 if all(hold) else 1


class Checklist:
    """One list, and what has come of its lines."""

    def __init__(self, name: str, args: Namespace, reader: Reader, desk: Desk) -> None:
        self._name = name
        self._shown = "standard input" if name == "-" else shown(name)
        self._args = args
        self._reader = reader
        self._desk = desk
        self._readable = True
        self._formatted = self._misformatted = self._unread = self._matching = self._differing = 0

    def holds(self) -> bool:
        """Check the list, and say what is to be said of it."""
        for batch in in_batches(self._lines()):
            self._compare(batch)
            self._desk.flush()
        if not self._readable:
            return False
        if not self._formatted:
            self._desk.say(f"{self._shown}: no properly formatted checksum lines found")
        elif self._args.report != "status":
            self._sum_up()
        return (
            self._matching > 0
            and not self._differing
            and not self._unread
            and not (self._args.strict and self._misformatted)
        )

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        try:
            with reading(self._name) as file:
                yield from lines_of(file)
        except OSError as error:
            self._desk.complain(error)
            self._readable = False
        except InputError as error:  # standard input is closed
            self._desk.say(str(error))
            self._readable = False

    def _compare(self, lines: Sequence[tuple[int, bytes]]) -> None:
        """Compare the files of some lines with them, and print the results."""
        entries = [self._entry(text) for _, text in lines]
        digests, errors = self._digests(entries)
        for i, entry in enumerate(entries):
            if entry is None:
                self._misformatted += 1
                if self._args.report == "warn":
                    tag = f"{TAGS[self._args.algorithm]} " if self._args.algorithm else ""
                    self._desk.say(f"{self._shown}: {lines[i][0]}: improperly formatted {tag}checksum line")
                continue
            self._formatted += 1
            _, digest, name = entry
            if i in errors:
                if self._args.ignore_missing and errors[i].errno == errno.ENOENT:
                    continue
                self._unread += 1
                self._desk.complain(errors[i])
                self._print(name, "FAILED open or read")
            elif digests[i] != digest:
                self._differing += 1
                self._print(name, "FAILED")
            else:
                self._matching += 1
                if self._args.report != "quiet":
                    self._print(name, "OK")

    def _entry(self, text: bytes) -> Entry | None:
        entry = self._reader.parse(text)
        from_itself = entry is not None and self._name == entry[2] == "-"
        return None if from_itself else entry

    def _print(self, name: str, result: str) -> None:
        if self._args.report != "status":
            shown_as = f"\\{escaped(name)}" if "\n" in name else name
            self._desk.write(f"{shown_as}: {result}\n")

    def _digests(self, entries: Sequence[Entry | None]) -> tuple[dict[int, bytes], dict[int, OSError]]:
        """Hash what the lines name, those of one algorithm together; by the places of the lines."""
        all_digests: dict[int, bytes] = {}
        all_errors: dict[int, OSError] = {}
        for algorithm in {entry[0] for entry in entries if entry is not None}:
            places = [i for i, entry in enumerate(entries) if entry is not None and entry[0] == algorithm]
            names = [entry[2] for entry in entries if entry is not None and entry[0] == algorithm]
            digests, errors = self._desk.digests(names, algorithm)
            all_digests.update(zip(places, digests, strict=True))
            all_errors.update((places[i], error) for i, error in errors.items())
        return all_digests, all_errors

    def _sum_up(self) -> None:
        for n, one, more in (
            (self._misformatted, "line is improperly formatted", "lines are improperly formatted"),
            (self._unread, "listed file could not be read", "listed files could not be read"),
            (self._differing, "computed checksum did NOT match", "computed checksums did NOT match"),
        ):
            if n:
                self._desk.say(f"WARNING: {n} {one if n == 1 else more}")
        if self._args.ignore_missing and not self._matching:
            self._desk.say(f"{self._shown}: no file was verified")
