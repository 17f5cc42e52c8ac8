"""Checks blocks, headers and block files of hash-linked ledgers: every fault with a code and a place.

>>> from merklecore import blocks
>>> blocks.Engine("bitcoin").check_block(bytes(81)).errors[0].code
<Code.GENESIS: 51>

``networks`` lists what an engine can be asked for by name; ``checks`` lists all rules, with their codes and
what each needs to know.
"""

from merklecore.blocks.chains.bitcoin import CHECKS as checks
from merklecore.blocks.chains.bitcoin import NETWORKS as networks
from merklecore.blocks.chains.bitcoin import Check, Params, signet_magic
from merklecore.blocks.codes import Code
from merklecore.blocks.context import Context
from merklecore.blocks.engine import Engine
from merklecore.blocks.report import Fault, Headers, Report

__all__ = [
    "Check",
    "Code",
    "Context",
    "Engine",
    "Fault",
    "Headers",
    "Params",
    "Report",
    "checks",
    "networks",
    "signet_magic",
]
