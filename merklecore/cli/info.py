"""The command ``info``: the CPU, which kernel serves what, and with --measure whether that is right."""

from __future__ import annotations

import merklecore as mc
from merklecore import _backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

__all__ = ["describe", "measured", "misplaced", "run"]

TOLERANCE = 1.10  # a later kernel must be 10 % faster before the order is called wrong


def run(args: Namespace) -> int:
    """Print what is known, as text or as one JSON object."""
    about = mc.cpu_info()
    rows = _backend.measure() if args.measure else None
    if args.json:
        import json

        answer: dict[str, Any] = {"version": mc.__version__} | about
        if rows is not None:
            answer |= {"measured": rows, "misplaced": misplaced(about["chosen"], rows)}
        print(json.dumps(answer))
        return 0
    print("\n".join(describe(about)))
    if rows is not None:
        print("\n" + "\n".join(measured(rows)))
        wrong = misplaced(about["chosen"], rows)
        print()
        for row in wrong:
            print(
                f"order is wrong here: {row['algorithm']} {row['shape']}: {row['faster']} takes "
                f"{row['faster_ns']:.1f} ns, the chosen {row['chosen']} {row['chosen_ns']:.1f} ns"
            )
        if not wrong:
            print("order: the chosen kernel is the fastest of each line, within 10 %")
    return 0


def describe(about: Mapping[str, Any]) -> Iterable[str]:
    """Yield lines that tell ``cpu_info()``."""
    yield f"merklecore {mc.__version__}, backend {about['backend']}"
    yield f"CPU        {about['cpu']}"
    yield f"features   {', '.join(about['features']) or 'none that a kernel uses'}"
    if about["disabled"]:
        yield f"masked     {', '.join(about['disabled'])}"
    yield f"threads    {about['threads']}"
    if about["failed"]:
        yield f"FAILED self-test, not used: {', '.join(map(str, about['failed']))}"
    yield ""
    yield f"{'algorithm':12} {'shape':14} {'kernel':10} usable, best first"
    for algorithm, shapes in about["kernels"].items():
        for shape, names in shapes.items():
            yield f"{algorithm:12} {shape:14} {about['chosen'][algorithm][shape]:10} {', '.join(names)}"


def measured(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Yield lines with the time of every kernel, one line for each algorithm and shape."""
    yield "ns for one node or 64-byte message, one thread:"
    for (algorithm, shape), times in _grouped(rows).items():
        yield f"{algorithm:12} {shape:14} " + "   ".join(f"{kernel} {ns:.1f}" for kernel, ns in times.items())


def misplaced(
    chosen: Mapping[str, Mapping[str, str]], rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the algorithms and shapes whose chosen kernel is beaten by another by more than 10 %."""
    wrong = []
    for (algorithm, shape), times in _grouped(rows).items():
        mine = chosen[algorithm][shape]
        best = min(times, key=times.__getitem__)
        if mine in times and times[mine] > TOLERANCE * times[best]:
            wrong.append(
                {"algorithm": algorithm, "shape": shape, "chosen": mine, "chosen_ns": times[mine]}
                | {"faster": best, "faster_ns": times[best]}
            )
    return wrong


def _grouped(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, float]]:
    groups: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        groups.setdefault((row["algorithm"], row["shape"]), {})[row["kernel"]] = row["ns"]
    return groups
