"""Bitcoin: its networks, and its checks by name. What a check does stands in the backends."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import NamedTuple

from merklecore import _backend
from merklecore._text import shown
from merklecore.blocks.codes import Code
from merklecore.errors import InputError
from merklecore.tree.arguments import as_bytes, integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from _typeshed import ReadableBuffer

__all__ = ["CHECKS", "NETWORKS", "Check", "Params", "network_of", "scanned_size", "signet_magic"]

PROFILE = "bitcoin"  # of the Merkle tree
HASH = "sha256d"  # of headers
HEADER_SIZE = 80
PREV_HASH, ROOT = slice(4, 36), slice(36, 68)  # in a header
LEAST_BLOCK = 81  # bytes: a header, and a count
MAX_BLOCK = 4_000_000  # bytes of a block in a file: MAX_BLOCK_SERIALIZED_SIZE, none that holds has more
MAX_BYTES = (1 << 32) - 1  # of what a backend takes for a block
BEFORE_GENESIS = (-1, bytes(32), (), None, None, 0, None, None)  # as a backend takes a context
MAX_CHALLENGE = 10_000  # bytes: no script is longer
HEIGHTS = ("bip34_height", "bip65_height", "bip66_height", "csv_height", "segwit_height")


class Check(NamedTuple):
    """One rule: its name, as ``unchecked`` has it, the codes of its faults, and what it needs of a context.

    >>> CHECKS[0].name
    'version'
    """

    name: str
    codes: tuple[Code, ...]
    needs: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The rules of one network. Frozen, comparable, hashable, picklable; ``replace`` makes another.

    pow_limit: the largest target. magic: the 4 bytes before each block of a file. Heights: the first blocks
    under BIP 34, 65, 66, under BIP 68, 112 and 113 (csv), under BIP 141 (segwit). halving: blocks between two
    halvings of the subsidy. twenty_minutes: a block 20 minutes after its parent may have the limit as its
    target. no_retarget: the target never changes. bip94: the rules of testnet4. signet_challenge: the script
    that signs blocks, or None. genesis_hash: the first block's, as hashed; None where any may be the first,
    as on regtest here, for chains of one's own.

    InputError for values that cannot be, TypeError for wrong types.

    >>> NETWORKS["bitcoin-regtest"].replace(segwit_height=432).segwit_height
    432
    """

    name: str
    pow_limit: int
    magic: bytes
    bip34_height: int
    bip65_height: int
    bip66_height: int
    csv_height: int
    segwit_height: int
    halving: int = 210_000
    twenty_minutes: bool = False
    no_retarget: bool = False
    bip94: bool = False
    signet_challenge: bytes | None = None
    genesis_hash: bytes | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name: a str is needed, not {type(self.name).__name__}")
        for field in ("twenty_minutes", "no_retarget", "bip94"):
            if not isinstance(getattr(self, field), bool):
                raise TypeError(f"{field}: a bool is needed, not {type(getattr(self, field)).__name__}")
        self._keep_integer("pow_limit", 1, (1 << 256) - 1)
        self._keep_integer("halving", 1, (1 << 31) - 1)
        for field in HEIGHTS:
            self._keep_integer(field, 0, (1 << 31) - 1)
        object.__setattr__(self, "magic", as_bytes(self.magic, "magic"))
        if len(self.magic) != 4:
            raise InputError(f"magic: {len(self.magic)} bytes, a network's has 4")
        if not any(self.magic):
            raise InputError("magic: zeros are padding in a block file")
        if self.signet_challenge is not None:
            challenge = as_bytes(self.signet_challenge, "signet_challenge", MAX_CHALLENGE)
            object.__setattr__(self, "signet_challenge", challenge)
        if self.genesis_hash is not None:
            object.__setattr__(self, "genesis_hash", as_bytes(self.genesis_hash, "genesis_hash"))
            if len(self.genesis_hash) != 32:
                raise InputError(f"genesis_hash: {len(self.genesis_hash)} bytes, a hash has 32")

    def _keep_integer(self, field: str, least: int, most: int) -> None:
        number = integer(getattr(self, field), field)
        if not least <= number <= most:
            raise InputError(f"{field}: {shown(number)} is not between {least} and {shown(most)}")
        object.__setattr__(self, field, number)

    def replace(self, **changes: Any) -> Params:
        """Return parameters that differ in the named fields, checked anew; TypeError for another name.

        Another signet_challenge brings the magic that comes from it (BIP 325), unless a magic is named too.

        >>> NETWORKS["bitcoin"].replace(name="mine", magic=b"mine").magic
        b'mine'
        """
        known = {field.name for field in fields(self)}
        for field in changes:
            if field not in known:
                raise TypeError(f"replace: {field!r} is no parameter of a network")
        made = replace(self, **changes)
        if changes.get("signet_challenge") is not None and "magic" not in changes:
            made = replace(made, magic=signet_magic(changes["signet_challenge"]))
        return made

    def backend(self) -> _backend.Bitcoin:
        """Return the backend's checks under these rules.

        >>> NETWORKS["bitcoin"].backend().check_block(b"", None, None).fault_count
        1
        """
        return _backend.Bitcoin(*[getattr(self, field.name) for field in fields(self)[1:]])


def signet_magic(challenge: ReadableBuffer) -> bytes:
    """Return the magic of the signet with this challenge (BIP 325), of at most 10,000 bytes.

    >>> signet_magic(NETWORKS["bitcoin-signet"].signet_challenge).hex()
    '0a03cf40'
    """
    script = as_bytes(challenge, "challenge", MAX_CHALLENGE)
    size = bytes((len(script),)) if len(script) < 253 else b"\xfd" + len(script).to_bytes(2, "little")
    return hashlib.sha256(hashlib.sha256(size + script).digest()).digest()[:4]


def scanned_size(backend: _backend.Bitcoin, data: ReadableBuffer) -> int:
    """Return the bytes of the block that the data begin with, or 0 where it cannot be read to its end.

    >>> scanned_size(NETWORKS["bitcoin"].backend(), bytes(100))
    81
    """
    try:
        table = backend.tx_table(data)
    except InputError:
        return 0
    if len(table):
        return int(table["offset"][-1]) + int(table["size"][-1])
    return HEADER_SIZE + {253: 3, 254: 5, 255: 9}.get(memoryview(data)[HEADER_SIZE], 1)


def _shown(hash_: str) -> bytes:
    """Return a hash that is written as explorers show it."""
    return bytes.fromhex(hash_)[::-1]


_SIGNET_CHALLENGE = bytes.fromhex(
    "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430"
    "210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae"
)
_LIMIT = (1 << 224) - 1

NETWORKS: Mapping[str, Params] = MappingProxyType(
    {
        params.name: params
        for params in (
            # Bitcoin Core, kernel/chainparams.cpp
            Params(
                name="bitcoin",
                pow_limit=_LIMIT,
                magic=bytes.fromhex("f9beb4d9"),
                bip34_height=227_931,
                bip65_height=388_381,
                bip66_height=363_725,
                csv_height=419_328,
                segwit_height=481_824,
                genesis_hash=_shown("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
            ),
            Params(
                name="bitcoin-testnet3",
                pow_limit=_LIMIT,
                magic=bytes.fromhex("0b110907"),
                bip34_height=21_111,
                bip65_height=581_885,
                bip66_height=330_776,
                csv_height=770_112,
                segwit_height=834_624,
                twenty_minutes=True,
                genesis_hash=_shown("000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"),
            ),
            Params(
                name="bitcoin-testnet4",
                pow_limit=_LIMIT,
                magic=bytes.fromhex("1c163f28"),
                bip34_height=1,
                bip65_height=1,
                bip66_height=1,
                csv_height=1,
                segwit_height=1,
                twenty_minutes=True,
                bip94=True,
                genesis_hash=_shown("00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
            ),
            Params(
                name="bitcoin-signet",
                pow_limit=0x377AE << 216,
                magic=signet_magic(_SIGNET_CHALLENGE),
                bip34_height=1,
                bip65_height=1,
                bip66_height=1,
                csv_height=1,
                segwit_height=1,
                signet_challenge=_SIGNET_CHALLENGE,
                genesis_hash=_shown("00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
            ),
            Params(
                name="bitcoin-regtest",
                pow_limit=(1 << 255) - 1,
                magic=bytes.fromhex("fabfb5da"),
                bip34_height=1,
                bip65_height=1,
                bip66_height=1,
                csv_height=1,
                segwit_height=0,
                halving=150,
                twenty_minutes=True,
                no_retarget=True,
            ),
        )
    }
)
"""The named networks, read-only."""


def network_of(magic: bytes) -> str | None:
    """Return the name of the network with this magic, or None where no named one has it.

    >>> network_of(bytes.fromhex("0b110907"))
    'bitcoin-testnet3'
    """
    return next((name for name, params in NETWORKS.items() if params.magic == magic), None)


_NOTHING = "nothing"
_STATE = "the outputs that are spent"

CHECKS: tuple[Check, ...] = (
    Check("version", (Code.VERSION,), "height", "BIP 34, 66, 65"),
    Check("linkage", (Code.PREV_HASH, Code.GENESIS), "prev_hash", "AcceptBlockHeader"),
    Check(
        "target",
        (Code.TARGET_NEGATIVE, Code.TARGET_OVERFLOW, Code.TARGET_ZERO, Code.TARGET_ABOVE_LIMIT),
        _NOTHING,
        "CheckProofOfWork",
    ),
    Check("proof_of_work", (Code.HASH_ABOVE_TARGET,), _NOTHING, "CheckProofOfWork"),
    Check(
        "difficulty",
        (Code.BITS,),
        "height; bits, or at the start of a period period_start, times and bits (BIP 94: period_bits); "
        "under the 20-minute rule times and real_bits, or bits other than the limit's",
        "GetNextWorkRequired; BIP 94",
    ),
    Check(
        "median_time",
        (Code.TIME_TOO_OLD,),
        "times, all 11 or as many as there are",
        "ContextualCheckBlockHeader",
    ),
    Check("timewarp", (Code.TIMEWARP,), "height; at the start of a period times", "BIP 94"),
    Check("future_time", (Code.TIME_TOO_NEW,), "now", "ContextualCheckBlockHeader"),
    Check("merkle", (Code.MERKLE_ROOT, Code.MERKLE_MUTATED), _NOTHING, "CheckMerkleRoot"),
    Check("transactions", (Code.NO_TRANSACTIONS, Code.TOO_MANY_TRANSACTIONS), _NOTHING, "CheckBlock"),
    Check("size", (Code.BLOCK_SIZE,), _NOTHING, "CheckBlock"),
    Check("weight", (Code.BLOCK_WEIGHT,), _NOTHING, "BIP 141; ContextualCheckBlock"),
    Check("coinbase", (Code.COINBASE_MISSING, Code.COINBASE_EXTRA), _NOTHING, "CheckBlock"),
    Check(
        "transaction",
        (
            *(Code.TX_NO_INPUTS, Code.TX_NO_OUTPUTS, Code.TX_SIZE, Code.VALUE_NEGATIVE, Code.VALUE_TOO_LARGE),
            *(Code.VALUE_SUM, Code.DUPLICATE_INPUT, Code.COINBASE_SCRIPT, Code.NULL_PREVOUT),
        ),
        _NOTHING,
        "CheckTransaction",
    ),
    Check("coinbase_height", (Code.COINBASE_HEIGHT,), "height", "BIP 34; ContextualCheckBlock"),
    Check("sigops", (Code.SIGOPS,), _NOTHING, "CheckBlock; GetLegacySigOpCount"),
    Check(
        "finality", (Code.NOT_FINAL,), "height and times, where a transaction is locked", "BIP 113; IsFinalTx"
    ),
    Check(
        "witness",
        (Code.WITNESS_UNEXPECTED, Code.WITNESS_RESERVED, Code.WITNESS_COMMITMENT),
        "height, where there is a commitment",
        "BIP 141; CheckWitnessMalleation",
    ),
    Check("signet", (Code.SIGNET_SOLUTION,), _NOTHING, "BIP 325; SignetTxs::Create"),
    Check("duplicate_txids", (Code.DUPLICATE_TXID,), _NOTHING, "BIP 30, inside the block"),
    Check(
        "links",
        (Code.FORWARD_REFERENCE, Code.SPENDS_COINBASE, Code.MISSING_OUTPUT, Code.DOUBLE_SPEND),
        _NOTHING,
        "ConnectBlock, inside the block",
    ),
    Check("subsidy", (Code.COINBASE_VALUE,), "height, where the coinbase is alone", "GetBlockSubsidy"),
    Check("previous_outputs", (), _STATE, "Consensus::CheckTxInputs"),
    Check("bip30", (), "all unspent outputs", "BIP 30"),
    Check("bip68", (), _STATE, "BIP 68"),
    Check("maturity", (), _STATE, "Consensus::CheckTxInputs"),
    Check("fees", (), _STATE, "Consensus::CheckTxInputs; ConnectBlock"),
    Check("p2sh_witness_sigops", (), _STATE, "GetTransactionSigOpCost"),
    Check("scripts", (), _STATE, "CheckInputScripts"),
    Check("signet_script", (), "a script interpreter", "BIP 325; CheckSignetBlockSolution"),
)
"""All rules, in the order of ``unchecked``; those without a code are never checked here."""
