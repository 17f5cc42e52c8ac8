"""The AVX-512 kernels on any x86-64 machine: built with the intrinsics in plain C of avx512/immintrin.h."""

from __future__ import annotations

import ctypes
import os
import platform
import random
import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest

import merklecore as mc
from merklecore.reference import DIGEST_SIZES
from tests.builds import ROOT
from tests.oracles import HASHES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.native_only,
    pytest.mark.skipif(
        platform.machine() not in ("x86_64", "AMD64"), reason="there is no AVX-512 to emulate"
    ),
]

SHANI, AVX512, FAST_SHA = 4, 8, 16
MIXED = 2 ** (8 * ctypes.sizeof(ctypes.c_size_t)) - 1
"""MC_MIXED; above, bits of MC_ISA_*"""
SETS = [(algorithm, AVX512) for algorithm in mc.algorithms()]
SETS += [(algorithm, AVX512 | FAST_SHA) for algorithm in ("sha256", "sha256d")]
if "shani" in mc.cpu_info()["features"]:
    SETS += [(algorithm, AVX512 | FAST_SHA | SHANI) for algorithm in ("sha256", "sha256d")]
each_set = pytest.mark.parametrize(("algorithm", "isas"), SETS)
CORE = ["chunks.c", "cpu.c", "kernels.c", "messages.c", "parallel.c", "twice.c"]
KERNELS = ["portable.c", "avx2.c", "sha256_ni.c", "sha256_ni_messages.c", "avx512.c", "avx512_half.c"]
FLAGS = ["-std=c11", "-fPIC", "-O1"]
EMULATED = ["-Wno-psabi", "-O0", "-I", str(ROOT / "tests/avx512")]


class Span(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Messages(ctypes.Structure):
    _fields_ = [
        ("spans", ctypes.POINTER(Span)),
        ("rows", ctypes.c_char_p),
        ("width", ctypes.c_size_t),
        ("n", ctypes.c_size_t),
    ]


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The core as any build has it, but for the emulated kernels, not optimised: that would take long."""
    made = tmp_path_factory.mktemp("core")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC"))
    objects: list[Path] = []
    for path in [*(ROOT / "csrc" / name for name in CORE), *(ROOT / "csrc/isa" / name for name in KERNELS)]:
        objects.append(made / f"{path.stem}.o")
        flags = FLAGS + (EMULATED if path.name.startswith("avx512") else [])
        subprocess.run([*compiler, *flags, "-c", path, "-o", objects[-1]], check=True)
    subprocess.run([*compiler, "-shared", "-pthread", *objects, "-o", made / "core.so"], check=True)
    return ctypes.CDLL(str(made / "core.so"))


def code(algorithm: str) -> int:
    return list(mc.algorithms()).index(algorithm)


@pytest.mark.parametrize("algorithm", mc.algorithms())
def test_known_answers(core: ctypes.CDLL, algorithm: str) -> None:
    assert core.mc_self_test(code(algorithm), AVX512) == AVX512


@each_set
@pytest.mark.parametrize("prefix", [b"", b"\x01", b"\xff"], ids=["plain", "01", "ff"])
def test_nodes(core: ctypes.CDLL, algorithm: str, isas: int, prefix: bytes) -> None:
    """Every number of busy lanes, before and behind whole passes, off any alignment."""
    size = DIGEST_SIZES[algorithm]
    for n in range(1, 36):
        pairs = random.Random(n).randbytes(2 * size * n)
        out = ctypes.create_string_buffer(size * n)
        at = ctypes.create_string_buffer(b"\x00" * (n % 7) + pairs)
        nodes = ctypes.byref(at, n % 7)
        assert core.mc_hash_nodes(code(algorithm), prefix, len(prefix), nodes, n, out, isas) == 0
        expected = [
            HASHES[algorithm](prefix + pairs[i : i + 2 * size]) for i in range(0, len(pairs), 2 * size)
        ]
        assert out.raw == b"".join(expected), n


@each_set
@pytest.mark.parametrize("prefix", [b"", b"\x01", b"\xff"], ids=["plain", "01", "ff"])
def test_rows_of_one_digest(core: ctypes.CDLL, algorithm: str, isas: int, prefix: bytes) -> None:
    """Leaves as most trees have them; into a buffer of their own, and in place."""
    size = DIGEST_SIZES[algorithm]
    for n in (1, 7, 8, 15, 16, 17, 31, 32, 35):
        rows = random.Random(n).randbytes(size * n)
        expected = b"".join(HASHES[algorithm](prefix + rows[i : i + size]) for i in range(0, len(rows), size))
        for at in (ctypes.create_string_buffer(rows, size * n), None):
            out = ctypes.create_string_buffer(rows, size * n)
            batch = Messages(None, ctypes.cast(at or out, ctypes.c_char_p), size, n)
            assert (
                core.mc_hash_messages(
                    code(algorithm), prefix, len(prefix), ctypes.byref(batch), 0, n, out, isas
                )
                == 0
            )
            assert out.raw == expected, n


@each_set
def test_messages(core: ctypes.CDLL, algorithm: str, isas: int) -> None:
    size, source = DIGEST_SIZES[algorithm], random.Random(algorithm)
    messages = [
        source.randbytes(source.choice([0, 1, 32, 55, 64, 111, 135, 300, 1024, 2500])) for _ in range(150)
    ]
    spans = (Span * len(messages))(*(Span(data, len(data)) for data in messages))
    out = ctypes.create_string_buffer(size * len(messages))
    batch = ctypes.byref(Messages(spans, None, MIXED, len(messages)))
    assert core.mc_hash_messages(code(algorithm), b"\x00", 1, batch, 0, len(messages), out, isas) == 0
    assert out.raw == b"".join(HASHES[algorithm](b"\x00" + data) for data in messages)
