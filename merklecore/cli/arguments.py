"""The command line: what argparse makes of it."""

from __future__ import annotations

import argparse
from functools import partial

import merklecore as mc
from merklecore.cli import BAD_INPUT, blocks
from merklecore.cli.terminal import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

__all__ = ["parse"]

INPUTS = """\
What the leaves are:
  one directory       the line sha256sum prints for each file, paths in byte order (links are not followed)
  one file or more    the content of each file, in the order given; - is standard input
  FILE --chunk 1MiB   its chunks of that length, the last one may be shorter
  FILE --lines        its lines, each with its newline
  FILE --hex          its lines, each a leaf in hexadecimal (ids for bitcoin, chunks for ssz)
"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line.

    The names of ``sum`` may be thousands, for which argparse is slow, and stand anywhere, which it forbids.
    """
    if argv[:1] != ["sum"]:
        return parser().parse_args(argv)
    command = sum_parser(partial(Parser, prog="merklecore sum"))
    end = argv.index("--") if "--" in argv else len(argv)
    text = "\0".join(argv[:end])  # searched at once: a look at each word of thousands takes milliseconds
    last = text.count("\0", 0, text.rfind("\0-") + 1)
    names = min(last + 2, end)  # from here on there are only names: what follows an option may be its value
    args, more = command.parse_known_args(argv[1:names])
    unknown = [word for word in more if word.startswith("-") and word != "-"]
    if unknown:
        command.error(f"unrecognized arguments: {' '.join(unknown)}")
    args.command = "sum"
    args.files += [*more, *argv[names:end], *argv[end + 1 :]]
    return args


class Parser(argparse.ArgumentParser):
    """argparse, with its faults in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(BAD_INPUT, f"merklecore: {shown(message)}; see '{self.prog} --help'\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    top = Parser(
        prog="merklecore", description="Merkle roots, proofs, checksums, blocks.", allow_abbrev=False,
        epilog="exit codes: 0 holds or done, 1 does not hold, 2 bad usage or input",
    )  # fmt: skip
    top.add_argument("--version", action="version", version=f"merklecore {mc.__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    info = commands.add_parser("info", allow_abbrev=False, help="CPU, kernels and threads in use")
    info.add_argument(
        "--measure", action="store_true", help="time every usable kernel; say where the order is wrong here"
    )
    info.add_argument("--json", action="store_true", help="one JSON object")

    root = commands.add_parser(
        "root", allow_abbrev=False, help="print the root of a tree", epilog=INPUTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add_input(root)

    prove = commands.add_parser(
        "prove", allow_abbrev=False, help="write the inclusion proof of one leaf", epilog=INPUTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write an inclusion proof (JSON) to standard output, what it proves to standard error.",
    )  # fmt: skip
    add_input(prove)
    leaf = prove.add_mutually_exclusive_group(required=True)
    leaf.add_argument("--index", type=int, metavar="N", help="the leaf's place, from 0")
    leaf.add_argument("--path", metavar="REL", help="the leaf's file, relative to the directory")
    prove.add_argument("-o", "--output", metavar="FILE", help="write the proof there")

    verify = commands.add_parser(
        "verify", allow_abbrev=False, help="check an inclusion proof",
        description="Check an inclusion proof. Root, size, index and leaf are taken from this command line "
        "alone: where they come from is what the check is worth.",
    )  # fmt: skip
    verify.add_argument("proof", metavar="PROOF", help="the proof's JSON file, or - for standard input")
    verify.add_argument("--root", required=True, metavar="HEX")
    verify.add_argument("--size", required=True, type=int, metavar="N", help="number of leaves")
    verify.add_argument("--index", required=True, type=int, metavar="N", help="the leaf's place, from 0")
    given = verify.add_mutually_exclusive_group(required=True)
    given.add_argument("--leaf", metavar="TEXT", help="the leaf: these bytes, without a newline")
    given.add_argument("--leaf-hex", metavar="HEX", help="the leaf: bytes in hexadecimal")
    given.add_argument("--leaf-file", metavar="FILE", help="the leaf: the file's whole content")
    add_common(verify)

    sum_parser(partial(commands.add_parser, "sum", help="print or check checksums, as sha256sum does"))
    blocks.add_parser(partial(commands.add_parser, "blocks", help="check blocks, prove their transactions"))
    return top


def sum_parser(make: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Return the parser of ``sum``."""
    command = make(
        allow_abbrev=False,
        description="Print or check checksums, in the formats of GNU coreutils, with every algorithm. "
        "Without a FILE, and for -, standard input is read.",
        epilog="exit codes: 0 all files were read, and match; 1 some were not, or do not; 2 bad usage",
    )
    add = command.add_argument
    add("files", nargs="*", metavar="FILE")
    add(
        "-a", "--algorithm", metavar="NAME", choices=mc.algorithms(),
        help=f"{', '.join(mc.algorithms())}; sha256 without it, and with --check any that a line names",
    )  # fmt: skip
    add("-c", "--check", action="store_true", help="read checksums from the FILEs and check them")
    add("--tag", action="store_true", help="lines as BSD has them, with the algorithm's name")
    add("-r", "--recursive", action="store_true", help="the files in directories too; links are not followed")
    add("-z", "--zero", action="store_true", help="end lines with NUL, not newline; names are not escaped")
    add("--threads", type=int, metavar="N", help="1 to 1024; as many as there are CPUs")
    check = command.add_argument_group("with --check, the last of --quiet, --status and --warn counting")
    add = check.add_argument
    add("--ignore-missing", action="store_true", help="pass over files that are not there")
    add("--quiet", dest="report", action="store_const", const="quiet", help="print no OK")
    add("--status", dest="report", action="store_const", const="status", help="print no results: exit code")
    add("-w", "--warn", dest="report", action="store_const", const="warn", help="name each line that is none")
    add("--strict", action="store_true", help="exit with 1 for a line that is no checksum")
    return command


def add_input(command: argparse.ArgumentParser) -> None:
    """Add what chooses the leaves."""
    from merklecore.cli.leaves import parse_size

    def size(text: str) -> int:
        try:
            return parse_size(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    command.add_argument(
        "input", nargs="+", metavar="INPUT", help="a directory, or files; - is standard input"
    )
    how = command.add_mutually_exclusive_group()
    how.add_argument(
        "--chunk", type=size, metavar="SIZE", help="leaves are the chunks of one file: 4096, 64KiB, 1MiB ..."
    )
    how.add_argument("--lines", action="store_true", help="leaves are the lines of one file")
    how.add_argument("--hex", action="store_true", help="leaves are the lines of one file, in hexadecimal")
    add_common(command)


def add_common(command: argparse.ArgumentParser) -> None:
    """Add the options of every command on trees."""
    command.add_argument(
        "--profile", choices=tuple(mc.profiles), default="rfc6962", help="hashing rules (rfc6962)"
    )
    command.add_argument("--json", action="store_true", help="one JSON object on standard output")
