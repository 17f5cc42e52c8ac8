"""The action ``blocks headers``: headers one after another, or those of a block file."""

from __future__ import annotations

from merklecore.cli.terminal import counted, display, print_json, shown
from merklecore.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from merklecore.blocks import Engine

__all__ = ["headers"]

HEADER = 80  # bytes
ROWS_SHOWN = 100  # of headers that do not hold
BESIDE = {
    "stale": "beside the chain of most work",
    "apart": "that nothing in the file leads to from there",
    "repeated": "there already",
}


def headers(args: Namespace, engine: Engine) -> int:
    """Print a line for each header that does not hold, then a summary."""
    from merklecore.blocks import Code

    data, offsets = rows_of(engine, args.file)
    codes, summary = (
        surveyed(engine, data, args.now) if offsets is not None else lined_up(engine, data, args.now)
    )
    bad = codes.nonzero()[0].tolist()
    for row in bad[:ROWS_SHOWN]:
        code, offset = Code(int(codes[row])), int(offsets[row]) if offsets is not None else row * HEADER
        if args.json:
            print_json(None, {"row": row, "offset": offset, "code": int(code), "name": code.name})
        else:
            print(f"{shown(args.file)}:{offset}: {code.name}: header {row:,}: {code.meaning}")
    summary = {"headers": len(codes), "bad": len(bad), **summary}
    if args.json:
        print_json(None, {"summary": summary})
        return 1 if bad else 0
    if len(bad) > ROWS_SHOWN:
        print(f"{shown(args.file)}: and {len(bad) - ROWS_SHOWN:,} headers more that do not hold")
    print(f"{counted(len(codes), 'header')}, {len(bad):,} that do not hold")
    for name, text in BESIDE.items():
        if summary.get(name):
            print(f"{name:9}  {summary[name]:,} {text}")
    for name in ("tip", "height", "chainwork"):
        if summary.get(name) is not None:
            print(f"{name:9}  {summary[name]}")
    if summary["unchecked"]:
        print(f"not checked on every header: {', '.join(summary['unchecked'])}")
    return 1 if bad else 0


def lined_up(engine: Engine, data: Any, now: int | None) -> tuple[Any, dict[str, Any]]:
    """Check headers of which each follows the one before."""
    from merklecore.blocks import Context

    size = len(data)
    context = Context.genesis() if size and not any(bytes(memoryview(data).cast("B")[4:36])) else None
    heads = engine.check_headers(data, context=context, now=now)
    found: dict[str, Any] = {"unchecked": list(heads.unchecked)}
    after = heads.next_context
    if size and after is not None:
        work = int.from_bytes(bytes(heads.chainwork[-1]), "big")
        found |= tip(bytes(heads.hashes[-1]), after.height, work)
    return heads.codes, found


def surveyed(engine: Engine, rows: Any, now: int | None) -> tuple[Any, dict[str, Any]]:
    """Check headers in the order of a block file, each upon its own parent; the tip is that of most work."""
    from merklecore.blocks.engine import RULES
    from merklecore.blocks.index import survey
    from merklecore.blocks.report import names

    if now is not None:
        engine.check_headers(b"", now=now)  # refuses a clock that cannot be
    found = survey(engine.params.backend(), rows, now, None)
    said = {"unchecked": list(names(found.unchecked, RULES))}
    said |= {name: getattr(found, name) for name in BESIDE}
    if found.tip is not None:
        said |= tip(found.tip, found.height, found.chainwork)
    return found.codes, said


def tip(hash_: bytes, height: int | None, work: int) -> dict[str, Any]:
    """Return what is said of a chain's last header."""
    return {"tip": display(hash_), "height": height, "chainwork": f"{work:064x}"}


def rows_of(engine: Engine, name: str) -> tuple[Any, Any]:
    """Return the headers of a file, and where they stand in a block file, or None: one after another."""
    from mmap import ACCESS_READ, mmap

    from merklecore.blocks.files import holds_blocks, others
    from merklecore.blocks.mapped import File, opened

    file = File(name)
    whole = file.size % HEADER == 0
    if not (whole and are_linked(bytes(file.read(0, 2 * HEADER)))) and holds_blocks(
        engine.params, engine.params.backend(), file
    ):
        rows, offsets = engine.file_headers(name)
        if not len(rows):
            network = others(file, engine.params)
            what = f"a block file of {network}, not" if network else "a block file, without a whole block"
            raise InputError(f"{shown(name)}: {what} of {engine.params.name}")
        return rows, offsets
    if not whole:
        raise InputError(f"{shown(name)}: {file.size} bytes are no number of headers of {HEADER} bytes")
    with opened(name) as source:
        return mmap(source.fileno(), file.size, access=ACCESS_READ) if file.size else b"", None


def are_linked(data: bytes) -> bool:
    """Tell whether these are headers by themselves: one, or two of which the second follows the first."""
    from hashlib import sha256

    following = sha256(sha256(data[:HEADER]).digest()).digest()
    return len(data) == HEADER or data[HEADER + 4 : HEADER + 36] == following
