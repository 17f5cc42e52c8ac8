"""The tables of docs/blocks.md, as the code has them: python -m tests.blocks.tables prints them."""

from __future__ import annotations

from merklecore import blocks


def rows(*lines: tuple[str, ...]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def codes() -> str:
    """Return the table of codes."""
    names = {code: check.name for check in blocks.checks for code in check.codes}
    head = ("code", "name", "rule", "what it says", "source"), ("---",) * 5
    other = {True: "(a warning)", False: "(encoding)"}
    return rows(
        *head,
        *(
            (str(int(code)), f"`{code.name}`", names.get(code, other[code >= 100]), code.meaning, code.source)
            for code in blocks.Code
        ),
    )


def checks() -> str:
    """Return the table of rules."""
    head = ("rule", "needs", "source"), ("---",) * 3
    return rows(*head, *((f"`{check.name}`", check.needs, check.source) for check in blocks.checks))


def networks() -> str:
    """Return the table of networks."""
    head = ("network", "magic", "BIP 34, 65, 66", "CSV", "segwit", "what differs"), ("---",) * 6
    lines = []
    for name, params in blocks.networks.items():
        differs = [
            text
            for held, text in (
                (params.twenty_minutes, "20-minute rule"),
                (params.no_retarget, "no retarget"),
                (params.bip94, "BIP 94"),
                (params.signet_challenge is not None, "signed blocks (BIP 325)"),
                (params.halving != 210_000, f"halving every {params.halving}"),
            )
            if held
        ]
        forks = f"{params.bip34_height:,}, {params.bip65_height:,}, {params.bip66_height:,}"
        heights = (forks, f"{params.csv_height:,}", f"{params.segwit_height:,}")
        lines.append((f"`{name}`", f"`{params.magic.hex()}`", *heights, ", ".join(differs)))
    return rows(*head, *lines)


if __name__ == "__main__":
    print("\n".join((networks(), checks(), codes())))
