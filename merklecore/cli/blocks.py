"""The command ``blocks``: checks block files and headers, proves transactions, lists them.

Hashes are shown in the chain's display order, last byte first; only what the library reads again (a proof, a
context) has them as hashed.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from itertools import chain

from merklecore.cli.headers import headers
from merklecore.cli.terminal import Progress, counted, display, print_json, print_line, shown
from merklecore.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterator
    from typing import Any

    from merklecore.blocks import Context, Engine, Fault, Report

__all__ = ["add_parser", "run"]

CHAIN = "bitcoin"
HEADER = 80  # bytes
COLUMNS = "offset size stripped inputs outputs version locktime value flags".split()


def add_parser(make: Callable[..., ArgumentParser]) -> None:
    """Add the command to the parser of all; ``make`` makes its own."""
    command = make(allow_abbrev=False, description="Check blocks and headers, prove and list transactions.")
    actions = command.add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=type(command)
    )

    def action(name: str, text: str, description: str, files: str | None = None) -> Callable[..., Any]:
        parser = actions.add_parser(name, allow_abbrev=False, help=text, description=description)
        if files:
            parser.add_argument("files", nargs=files, metavar="FILE")
        else:
            parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--chain", default=CHAIN, metavar="NAME", help=f"{CHAIN}, {CHAIN}-testnet4, ... ({CHAIN})"
        )
        parser.add_argument("--json", action="store_true", help="JSON, an object a line")
        return parser.add_argument

    blocks = "A block file of Bitcoin Core (blk*.dat, xor.dat beside it), or raw blocks one after another."
    add = action("check", "check every block", f"Check every block. {blocks}", "+")
    add("--now", type=int, metavar="T", help="seconds since 1970, for the rule on future times")
    add = action(
        "headers", "check headers", "Check headers of 80 bytes that follow each other, or of a block file."
    )
    add("--now", type=int, metavar="T", help="seconds since 1970, for the rule on future times")
    add = action(
        "prove", "prove that a transaction is in a block",
        f"Write an inclusion proof (JSON) to standard output, what it proves to standard error. {blocks}",
    )  # fmt: skip
    add("txid", metavar="TXID", help="the transaction's id, 64 hexadecimal digits as explorers show it")
    action("table", "list every transaction", f"List every transaction. {blocks}")


def run(args: Namespace) -> int:
    """Run one action: 0 when all holds, 1 when a block or header does not."""
    from merklecore.blocks import Engine

    return ACTIONS[args.action](args, Engine(args.chain))


# ---- check -------------------------------------------------------------------------------------------------


def check(args: Namespace, engine: Engine) -> int:
    """Print a line for each fault, then a summary."""
    summary = Summary()
    context: Context | None = None
    unread = 0
    for name in args.files:
        try:
            context = check_one(args, engine, name, summary, context)
        except (OSError, InputError) as error:
            if len(args.files) == 1:
                raise
            unread += 1
            text = (
                f"{name}: {error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
            )
            print("merklecore:", shown(text), file=sys.stderr)
    if args.json:
        print_json(None, {"summary": summary.as_object()})
    else:
        print("\n".join(summary.lines()))
    return 2 if unread else 1 if summary.failed else 0


def check_one(
    args: Namespace, engine: Engine, name: str, summary: Summary, context: Context | None
) -> Context | None:
    """Check a file, and return the context that the next one is likely to go on from."""
    for report, progress in reports(engine, name, args.now, context):
        summary.add(report)
        context = later(context, report)
        if args.json:
            print_json(progress, {"file": shown(name), **as_object(report)})
            continue
        for fault in report.errors:
            print_line(progress, line(name, report, fault))
        if report.error_count > len(report.errors):
            more = report.error_count - len(report.errors)
            print_line(progress, f"{shown(name)}:{report.offset}: and {more:,} faults more{block(report)}")
        for fault in report.warnings:
            print_line(progress, line(name, report, fault, "warning: "))
    return context


class Summary:
    """What all reports come to."""

    def __init__(self) -> None:
        self.blocks = self.failed = self.gaps = self.transactions = self.faults = self.warnings = 0
        self.unchecked: Counter[str] = Counter()

    def add(self, report: Report) -> None:
        """Count a report."""
        self.failed += not report.ok
        self.faults += report.error_count
        self.warnings += report.warning_count
        if report.block_hash is None:
            self.gaps += 1
            return
        self.blocks += 1
        self.transactions += report.tx_count
        self.unchecked.update(report.unchecked)

    def as_object(self) -> dict[str, object]:
        """Return the counts, and for each rule the number of blocks that it was not checked on."""
        counts: dict[str, object] = {
            name: value for name, value in vars(self).items() if isinstance(value, int)
        }
        return {**counts, "unchecked": dict(self.unchecked)}

    def lines(self) -> Iterator[str]:
        """Yield the lines of the summary."""
        yield (
            f"{counted(self.blocks, 'block')}, {counted(self.transactions, 'transaction')}: "
            f"{counted(self.faults, 'fault')}, {counted(self.warnings, 'warning')}"
        )
        if self.gaps:
            yield f"not read as blocks: {counted(self.gaps, 'place')} told of above"
        always = [rule for rule, count in self.unchecked.items() if count == self.blocks]
        if always:
            yield f"not checked: {', '.join(always)}"
        for rule, count in self.unchecked.items():
            if count < self.blocks:
                yield f"not checked on {counted(count, 'block')}: {rule}"


def reports(
    engine: Engine, name: str, now: int | None = None, context: Context | None = None
) -> Iterator[tuple[Report, Progress]]:
    """Yield the reports of a file, and the progress line that must go before anything is printed."""
    progress = Progress(f"checking {shown(os.path.basename(name))}", os.stat(name).st_size)
    try:
        for report in engine.check_file(name, context=context, now=now):
            yield report, progress
            progress.at(report.end)
    finally:
        progress.close()


def later(context: Context | None, report: Report) -> Context | None:
    """Return the context of the higher block: where the next file is likely to go on."""
    after = report.next_context
    if after is None or after.height is None:
        return context
    if context is None or context.height is None or context.height < after.height:
        return after
    return context


def line(name: str, report: Report, fault: Fault, kind: str = "") -> str:
    """Return what is said of a fault: file, offset in it, code, message, block."""
    place = report.offset + fault.offset
    return f"{shown(name)}:{place}: {kind}{fault.code.name}: {fault.message}{block(report)}"


def block(report: Report) -> str:
    """Return the block's name, where it has one."""
    return f" [block {display(report.block_hash)}]" if report.block_hash is not None else ""


def as_object(report: Report) -> dict[str, object]:
    """Return a report as JSON shows it, with offsets in the file."""
    from json import loads

    found: dict[str, Any] = loads(report.to_json())
    for kind in ("errors", "warnings"):
        for fault in found[kind]:
            fault["offset"] += report.offset
    for field in ("block_hash", "root"):
        value = getattr(report, field)
        found[field] = None if value is None else display(value)
    return found


# ---- prove, table ------------------------------------------------------------------------------------------


def prove(args: Namespace, engine: Engine) -> int:
    """Write the proof of a transaction."""
    wanted = txid_of(args.txid)
    for report, data, ids, progress in read_blocks(engine, args.file):
        if ids is None or wanted not in ids:
            continue
        progress.close()
        index = ids.index(wanted)
        proof = engine.prove(data, index).to_json()
        about = {
            "root": bytes(data[36:68]).hex(),
            "size": len(ids),
            "index": index,
            "leaf-hex": wanted.hex(),
            "block": display(report.block_hash or b""),
            "header": bytes(data[:HEADER]).hex(),
            "offset": report.offset,
        }
        if args.json:
            from json import loads

            print_json(None, {"txid": display(wanted), **about, "proof": loads(proof)})
        else:
            print(proof)
            for name, value in about.items():
                print(f"{name:9}  {value}", file=sys.stderr)
        if not report.ok:
            first = report.errors[0]
            print(f"the block does not hold: {first.code.name}: {first.message}", file=sys.stderr)
            return 1
        return 0
    raise InputError(f"{shown(args.file)}: no transaction {args.txid}")


def table(args: Namespace, engine: Engine) -> int:
    """Print a line for each transaction: where it stands in the file, and what it holds."""
    unread = 0
    blocks = read_blocks(engine, args.file)
    first_block = next(blocks, None)  # where the file cannot be read, nothing is printed
    if not args.json:
        print_line(first_block[3] if first_block else None, "\t".join(("block", "index", *COLUMNS, "txid")))
    for report, data, ids, progress in chain(() if first_block is None else (first_block,), blocks):
        if ids is None:
            unread += 1
            progress.close()
            first = report.errors[0]
            print(f"merklecore: {line(args.file, report, first)}", file=sys.stderr)
            continue
        name = display(report.block_hash or b"")
        for i, (txid, row) in enumerate(zip(ids, engine.tx_table(data).tolist(), strict=True)):
            values = dict(zip(COLUMNS, (row[0] + report.offset, *row[1:]), strict=True))
            if args.json:
                print_json(progress, {"block": name, "index": i, **values, "txid": display(txid)})
            else:
                print_line(progress, "\t".join(map(str, (name, i, *values.values(), display(txid)))))
    return 1 if unread else 0


def read_blocks(
    engine: Engine, name: str
) -> Iterator[tuple[Report, memoryview, list[bytes] | None, Progress]]:
    """Yield the blocks of a file and the ids of their transactions, None where they cannot be read."""
    from merklecore.blocks.mapped import File

    file = File(name)
    for report, progress in reports(engine, name):
        data = memoryview(file.read(report.offset, report.end))
        try:
            ids = [bytes(row) for row in engine.txids(data)] if report.block_hash is not None else None
        except InputError:
            ids = None
        yield report, data, ids, progress


def txid_of(text: str) -> bytes:
    """Return an id as hashed."""
    from binascii import unhexlify

    try:
        found = unhexlify(text)
    except ValueError:  # binascii.Error, and text that is not ASCII
        found = b""
    if len(found) != 32:
        raise InputError(f"TXID: 64 hexadecimal digits are needed, not {shown(text[:80])}")
    return found[::-1]


ACTIONS: dict[str, Callable[[Namespace, Engine], int]] = {
    "check": check,
    "headers": headers,
    "prove": prove,
    "table": table,
}
