"""``sum --check``: lists read as sha256sum reads them, and hostile ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import merklecore as mc
from merklecore.cli import main
from tests.cli.coreutils import NASTY, TAGS, RunSum, coreutils, write_nasty
from tests.oracles import HASHES

sanitized = os.environ.get("MERKLECORE_SANITIZE", "0") not in ("", "0")
Start = Callable[..., subprocess.Popen[bytes]]

HEX = HASHES["sha256"](b"abc").hex()
OTHER = HASHES["sm3"](b"abc").hex()
DIFFER = "WARNING: 2 computed checksums did NOT match\n"
UNREAD = "WARNING: 1 listed file could not be read\n"
LISTS = [
    f"{HEX}  f\n", f"{HEX} *f\n", f"{HEX}  f", f"{HEX}  f\r\n", f"  {HEX}  f\n", f"\t {HEX} *f\n",
    f"{HEX}\tf\n",
    f"{HEX.upper()}  f\n", f"{HEX} f\n", f"{HEX} f\n{HEX}  f\n", f"{HEX}  f\n{HEX} f\n",
    f"{HEX} x\n{HEX} *f\n",
    f"SHA256 (f) = {HEX}\n{HEX} f\n", f"{HEX}  \n", f"{HEX} \n", f"{HEX}\n", f"{HEX}   f\n", f"{HEX}0  f\n",
    f"{HEX[1:]}  f\n", f"{HEX[1:]}g  f\n", f"\\{HEX}  f\n", f"\\{HEX}  a\\nb\n", f"\\{HEX}  f\\q\n",
    f"\\{HEX}  f\\\n", f"\\{HEX}  f\\\\\n", f"{HEX}  f\\\\\n", f"\\\\{HEX}  f\n", f"\\ {HEX}  f\n",
    f"SHA256 (f) = {HEX}\n", f"SHA256(f)= {HEX}\n", f"SHA256(f)={HEX}\n", f"SHA256 (f)=\t {HEX}\n",
    f"SHA256 (f) = {HEX.upper()}\n", f"SHA256 (f) = {HEX} \n", f"SHA256  (f) = {HEX}\n",
    f"  SHA256 (f) = {HEX}\n",
    f"sha256 (f) = {HEX}\n", f"SHA256 () = {HEX}\n", f"SHA256 (f = {HEX}\n", f"SHA256 f) = {HEX}\n",
    f"\\SHA256 (f) = {HEX}\n", f"\\SHA256 (a\\nb) = {HEX}\n", f"\\SHA256 (f\\) = {HEX}\n", "SHA256 (f)\n",
    f"SHA256 (f) {HEX}\n", f"SHA256 (f) = {HEX}0\n", f"SHA256 (f) (f) = {HEX}\n", f"SHA512 (f) = {HEX}\n",
    f"MD5 (f) = {HEX[:32]}\n", f"{HEX}  -\n", f"SHA256 (-) = {HEX}\n", f"{HEX}  d\n", f"{HEX}  gone\n",
    f"{HEX}  gone\n{HEX}  gone2\nx\ny\n{HEX[::-1]}  f\n{HEX[::-1]}  f\n{HEX}  f\n", "", "\n\n", "#\n",
    "garbage\n",
    f"#c\n\n{HEX}  f\n", f" #c\n{HEX}  f\n", f"\r\n{HEX}  f\n", f"{HEX}  f/x\n", f"{HEX}  {'x' * 300}\n",
]  # fmt: skip


@pytest.mark.parametrize("options", [[], ["--tag"]], ids=["plain", "tagged"])
def test_what_it_prints_it_checks(run_sum: RunSum, tmp_path: Path, options: list[str]) -> None:
    """And so does coreutils, whatever the names."""
    write_nasty(tmp_path)
    names = [name for name in NASTY if name != b"-x"]
    for algorithm in mc.algorithms():
        code, listed, _ = run_sum("-a", algorithm, *options, "--", *names, cwd=tmp_path)
        assert code == 0
        given = [] if options else ["-a", algorithm]
        code, out, err = run_sum("-c", *given, stdin=listed, cwd=tmp_path)
        assert (code, err, out.count(b": OK\n")) == (0, "", len(names))
        if algorithm in ("sha256", "sha512"):
            assert coreutils(f"{algorithm}sum", "-c", "--status", stdin=listed, cwd=tmp_path) == (0, b"", "")
        flipped = listed.replace(b"0", b"1")
        code, out, err = run_sum("-c", *given, stdin=flipped, cwd=tmp_path)
        assert code == 1


MODES = [
    ["-w"],
    ["--strict"],
    ["--ignore-missing"],
    ["--quiet"],
    ["--status"],
    ["--status", "-w"],
    ["-w", "--quiet"],
]


@pytest.fixture
def checked(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Iterator[RunSum]:
    """Check lists from here, for there are many, in a directory with the files that LISTS names."""
    top = tmp_path_factory.mktemp("lists")
    (top / "f").write_bytes(b"abc")
    (top / "a\nb").write_bytes(b"abc")
    (top / "d").mkdir()
    monkeypatch.chdir(top)

    def checked(
        *arguments: str | bytes | Path, stdin: bytes = b"", cwd: Path | None = None
    ) -> tuple[int, bytes, str]:
        code = main(["sum", "-c", *map(os.fsdecode, arguments)])
        out, err = capsysbinary.readouterr()
        return code, out, err.decode("utf-8", "surrogateescape")

    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        yield checked


@pytest.mark.parametrize("mode", MODES, ids=" ".join)
def test_lists_are_read_as_sha256sum_reads_them(checked: RunSum, mode: list[str]) -> None:
    version = subprocess.run(["sha256sum", "--version"], capture_output=True, text=True, check=False).stdout
    if "coreutils) 9.1\n" not in version:
        pytest.skip("the wording is that of coreutils 9.1")
    for text in LISTS:
        Path("list").write_text(text)
        code, out, err = coreutils("sha256sum", "-c", *mode, "list", cwd=Path())
        unquoted = err.replace("'", "")  # names stand as a shell would need them there
        assert checked(*mode, "-a", "sha256", "list") == (code, out, unquoted), repr(text)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (f"{HEX}  f\n", (0, "f: OK\n", "")),
        (f"{OTHER}  f\n", (1, "f: FAILED\n", "WARNING: 1 computed checksum did NOT match\n")),
        (f"SM3 (f) = {OTHER}\nSHA256 (f) = {HEX}\n{HEX} *f\n", (0, "f: OK\n" * 3, "")),
        (f"SM3(f)= {HEX}\n{OTHER}  f\n", (1, "f: FAILED\n" * 2, DIFFER)),
        (f"MD5 (f) = {HEX[:32]}\n{HEX}  f\n", (0, "f: OK\n", "WARNING: 1 line is improperly formatted\n")),
        (f"\\{HEX}  a\\nb\n", (0, "\\a\\nb: OK\n", "")),
        (f"{HEX}  f\0x\n", (1, "", "list: no properly formatted checksum lines found\n")),
        (f"{HEX}  d\n", (1, "d: FAILED open or read\n", f"d: Is a directory\n{UNREAD}")),
    ],
)  # fmt: skip
def test_what_is_said_of_lines(checked: RunSum, text: str, want: tuple[int, str, str]) -> None:
    Path("list").write_bytes(text.encode())
    said = "".join(f"merklecore: {line}" for line in want[2].splitlines(True))
    assert checked("list") == (want[0], want[1].encode(), said)


def test_an_algorithm_that_is_given_is_the_only_one(checked: RunSum) -> None:
    Path("list").write_text(f"SM3 (f) = {OTHER}\nSHA256 (f) = {HEX}\n{OTHER}  f\n")
    for algorithm, code, out in (("sm3", 0, b"f: OK\nf: OK\n"), ("sha256", 1, b"f: OK\nf: FAILED\n")):
        found = checked("-w", "-a", algorithm, "list")
        assert found[:2] == (code, out)
        assert f"improperly formatted {TAGS[algorithm]} checksum line\n" in found[2]
    code, out, err = checked("-a", "sha512", "list")
    assert (code, out, err) == (1, b"", "merklecore: list: no properly formatted checksum lines found\n")


def test_what_openssl_and_others_print_is_read(checked: RunSum) -> None:
    """OpenSSL calls SHA-2 by another name since 3.0."""
    for algorithm, tag in TAGS.items():
        Path("list").write_text(f"{tag}(f)= {HASHES[algorithm](b'abc').hex()}\n")
        assert checked("list") == (0, b"f: OK\n", ""), algorithm


def test_several_lists(checked: RunSum, tmp_path: Path) -> None:
    Path("good").write_text(f"{HEX}  f\n")
    Path("bad").write_text(f"{OTHER}  f\n")
    code, out, err = checked("good", "gone", "d", "bad", "good")
    assert (code, out) == (1, b"f: OK\nf: FAILED\nf: OK\n")
    assert err.splitlines() == [
        "merklecore: gone: No such file or directory",
        "merklecore: d: Is a directory",
        "merklecore: WARNING: 1 computed checksum did NOT match",
    ]


def test_hostile_lists(checked: RunSum) -> None:
    """Garbage, lines without end, a hundred thousand of them: no traceback, and memory stays."""
    noise = b"".join(HASHES["sha512"](b"%d" % i) for i in range(10_000))
    assert len(noise.split(b"\n")) > 1000
    line = f"{HEX}  f\n".encode()
    lists = [
        noise, b"\\" * 3_000_000, b"SHA256 (" * 300_000, f"SHA256 (f) = {HEX}".encode() * 50_000,
        line[:-2] + b"f" * 5_000_000 + b"\n" + line, b"\0" * 100_000, b"(" * (1 << 16), b"#" * 200_000 + line,
        f"{HEX}  ".encode() + b"\\" * 60_000, b"\\" + f"{HEX}  ".encode() + b"\\n" * 30_000, b")" * 65_000,
        b"SHA256 (" + b") " * 30_000 + b"= " + HEX.encode(), b" " * 65_000, b"=\n" * 100_000,
    ]  # fmt: skip
    for content in lists:
        Path("list").write_bytes(content)
        code, _, err = checked("list")
        assert code == (0 if content.endswith(b"\n" + line) else 1)
        assert all(line.startswith("merklecore: ") for line in err.splitlines())
        assert len(err) < 300_000


@pytest.mark.slow
@pytest.mark.skipif(sanitized, reason="a sanitizer keeps what is freed: resident memory says nothing")
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_hundred_thousand_lines_take_little_memory(start: Start, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    with open(tmp_path / "list", "w") as file:
        for i in range(50_000):
            file.write(f"{HEX}  f\n{OTHER}  {'g' * 200}{i}\n")
    os.truncate(tmp_path / "list", 300 << 20)  # one line of NULs
    code = (
        "import re, sys; from merklecore.cli import main\n"
        "code = main(['sum', '-c', '--quiet', 'list'])\n"
        "peak = re.search('VmHWM:\\\\s*([0-9]+) kB', open('/proc/self/status').read())[1]\n"
        "print(code, peak, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(mc.__file__).parents[1])},
        capture_output=True,
        check=True,
    )
    *said, last = done.stderr.decode().splitlines()
    assert done.stdout.count(b"FAILED open or read\n") == 50_000
    assert said[-2:] == [
        "merklecore: WARNING: 1 line is improperly formatted",
        "merklecore: WARNING: 50000 listed files could not be read",
    ]
    code, peak = map(int, last.split())
    assert code == 1
    assert peak < 150 << 10, f"{peak} KiB"


def test_a_list_from_standard_input(run_sum: RunSum, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"{HEX}  -\n")
    assert run_sum("-c", "list", stdin=b"abc", cwd=tmp_path) == (0, b"-: OK\n", "")
    line = f"{HEX}  -\n".encode()
    said = "merklecore: standard input: no properly formatted checksum lines found\n"
    assert run_sum("-c", stdin=line) == run_sum("--check", "-", stdin=line) == (1, b"", said)
