"""``sum``: what it prints, beside the tools of coreutils where they are; what it cannot read."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import merklecore as mc
from merklecore.cli import Plain, arguments, parse
from tests.cli.coreutils import NASTY, TAGS, RunSum, coreutils, write_nasty
from tests.oracles import HASHES

Start = Callable[..., subprocess.Popen[bytes]]
OPTIONS = vars(arguments.parse(["sum"]))  # whatever there are


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with every kind of name, a directory, links."""
    top = tmp_path_factory.mktemp("sum")
    write_nasty(top)
    (top / "d" / "e").mkdir(parents=True)
    for name in ("d.x", "d/a", "d/e/c", "d/e.f", "d/\\", "d/e-", "d0"):
        (top / name).write_text(name)
    (top / "d" / "link").symlink_to("a")
    (top / "d" / "loop").symlink_to(".")
    os.mkfifo(top / "d" / "pipe")
    return top


# ---- what is printed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--tag"], ["-z"], ["--zero", "--tag"]], ids=" ".join)
def test_lines_are_those_of_sha256sum(run_sum: RunSum, top: Path, options: list[str]) -> None:
    assert run_sum(*options, "--", *NASTY, cwd=top) == coreutils("sha256sum", *options, "--", *NASTY, cwd=top)


@pytest.mark.parametrize(
    ("algorithm", "tool", "options"),
    [
        ("sha512", "sha512sum", []),
        ("blake2b_256", "b2sum", ["-l", "256"]),
        ("sm3", "cksum", ["-a", "sm3", "--untagged"]),
    ],
)
def test_other_algorithms_of_coreutils(
    run_sum: RunSum, top: Path, algorithm: str, tool: str, options: list[str]
) -> None:
    names = NASTY[:12]
    want = coreutils(tool, *options, "--", *names, cwd=top)
    if want[0] != 0:
        pytest.skip(f"this {tool} does not have {algorithm}")
    assert run_sum("-a", algorithm, "--", *names, cwd=top) == want
    if tool == "cksum":
        options = options[:-1]
    else:
        options = [*options, "--tag"]
    want = coreutils(tool, *options, "--", *names, cwd=top)
    assert run_sum("--tag", f"--algorithm={algorithm}", "--", *names, cwd=top) == want


def test_every_algorithm_has_its_digests_and_its_tag(run_sum: RunSum) -> None:
    assert list(TAGS) == list(mc.algorithms()), "give the tag that other tools print"
    for algorithm, tag in TAGS.items():
        digest = HASHES[algorithm](b"abc").hex()
        assert run_sum("-a", algorithm, stdin=b"abc") == (0, f"{digest}  -\n".encode(), "")
        assert run_sum("-a", algorithm, "--tag", "-", stdin=b"abc") == (
            0,
            f"{tag} (-) = {digest}\n".encode(),
            "",
        )


def test_standard_input_stands_among_files(run_sum: RunSum, top: Path) -> None:
    data = b"x" * 5_000_000
    assert run_sum("plain", "-", "d0", "-", stdin=data, cwd=top) == coreutils(
        "sha256sum", "plain", "-", "d0", "-", stdin=data, cwd=top
    )
    assert run_sum("./-x", "--", "-x", "-", cwd=top) == coreutils(
        "sha256sum", "./-x", "--", "-x", "-", cwd=top
    )


def test_options_stand_anywhere(run_sum: RunSum, top: Path) -> None:
    want = run_sum("--tag", "-a", "sm3", "plain", "d0", "a b", cwd=top)
    assert want[0] == 0
    for words in (
        ["plain", "--tag", "d0", "-a", "sm3", "a b"],
        ["plain", "d0", "a b", "--algorithm=sm3", "--tag"],
        ["plain", "-asm3", "d0", "--tag", "--", "a b"],
        ["--tag", "-a", "sm3", "--threads", "3", "plain", "d0", "a b"],
    ):
        assert run_sum(*words, cwd=top) == want, words


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        (["f"], True), (["a b", "", "x-y", "f=g"], True), (["-a", "sm3", "f", "g"], True), (["sum"], True),
        ([], False), (["-"], False), (["f", "-"], False), (["--", "f"], False), (["f", "--", "-x"], False),
        (["-a", "sm3"], False), (["-a", "md5", "f"], False), (["-a", "-a", "f"], False), (["-a"], False),
        (["-asm3", "f"], False), (["--algorithm", "sm3", "f"], False), (["--alg", "sm3", "f"], False),
        (["f", "-a", "sm3"], False), (["-a", "sm3", "-a", "sm3", "f"], False),
        (["-a", "sm3", "-c", "f"], False), (["-1"], False), (["-r", "f"], False), (["f", "--help"], False),
        (["-h"], False), (["--bogus", "f"], False),
    ],
    ids=str,
)  # fmt: skip
def test_plain_sums_are_parsed_as_argparse_does(
    words: list[str], plain: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def outcome(parser: Callable[[list[str]], Any]) -> tuple[dict[str, Any], Any]:
        try:
            args = parser(["sum", *words])
        except SystemExit as end:
            return {"code": end.code}, capsys.readouterr()
        assert isinstance(args, Plain) == (plain and parser is parse)
        return {name: getattr(args, name) for name in OPTIONS}, capsys.readouterr()

    assert outcome(parse) == outcome(arguments.parse)


def test_many_files_in_many_batches(run_sum: RunSum, tmp_path: Path) -> None:
    names = [f"f{i:05}" for i in range(6000)]
    for i, name in enumerate(names):
        (tmp_path / name).write_bytes(b"%d" % i * (i % 50))
    want = b"".join(
        b"%b  %b\n" % (HASHES["sha256"](b"%d" % i * (i % 50)).hex().encode(), name.encode())
        for i, name in enumerate(names)
    )
    assert run_sum(*names, cwd=tmp_path) == (0, want, "")
    assert run_sum("-r", ".", cwd=tmp_path) == (0, want.replace(b"  ", b"  ./"), "")
    checked = b"".join(b"%b: OK\n" % name.encode() for name in names)
    assert run_sum("-c", "--threads", "2", stdin=want, cwd=tmp_path) == (0, checked, "")


# ---- what cannot be read -----------------------------------------------------------------------------------


def test_what_cannot_be_read_is_said_and_the_rest_is_done(run_sum: RunSum, top: Path) -> None:
    code, out, err = run_sum("plain", "gone", "d", "d0", "no\x1b\n", "plain/x", cwd=top)
    assert code == 1
    assert out == run_sum("plain", "d0", cwd=top)[1]
    assert err.splitlines() == [
        "merklecore: gone: No such file or directory",
        "merklecore: d: Is a directory",
        "merklecore: no\\x1b\\n: No such file or directory",
        "merklecore: plain/x: Not a directory",
        "merklecore: WARNING: 4 files could not be read",
    ]
    assert run_sum("gone", cwd=top) == (1, b"", "merklecore: gone: No such file or directory\n")


def test_recursion_is_in_byte_order_and_follows_no_link(run_sum: RunSum, top: Path) -> None:
    listing = "find d -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --"
    want = subprocess.run(listing, shell=True, cwd=top, capture_output=True, check=True).stdout
    assert want.count(b"\n") == 5
    left_out = "merklecore: left out (links, special files): 3\n"
    assert run_sum("-r", "d", cwd=top) == (0, want, left_out)
    assert run_sum("--recursive", "d/", cwd=top) == (0, want, left_out)
    alone = coreutils("sha256sum", "plain", cwd=top)[1]
    code, out, err = run_sum("-r", "plain", "gone", "d", "-", "d/loop", cwd=top)
    assert (code, out) == (1, alone + want + run_sum(cwd=top)[1] + want.replace(b"  d/", b"  d/loop/"))
    assert err == f"merklecore: gone: No such file or directory\n{left_out.replace('3', '6')}"
    assert run_sum("-r", "d/e", cwd=top)[0] == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_must_not_be_listed(run_sum: RunSum, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text(name)
    (tmp_path / "b").chmod(0)
    code, out, err = run_sum("-r", ".", cwd=tmp_path)
    (tmp_path / "b").chmod(0o700)
    assert (code, err) == (1, "merklecore: ./b: Permission denied\n")
    assert [line[66:] for line in out.splitlines()] == [b"./a/f", b"./c/f"]


# ---- usage, terminals, signals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        (["-a", "md5", "f"], "invalid choice: 'md5'"),
        (["-a"], "expected one argument"),
        (["f", "--bogus", "f"], "unrecognized arguments: --bogus"),
        (["--ta", "f"], "unrecognized arguments: --ta"),
        (["--threads", "0", "f"], "threads: 0 is not between 1 and 1024"),
        (["--threads", "x", "f"], "invalid int value: 'x'"),
        (["--quiet", "f"], "the --quiet option is meaningful only when verifying checksums"),
        (["--status", "f"], "the --status option is meaningful only when verifying checksums"),
        (["-w", "f"], "the --warn option is meaningful only when verifying checksums"),
        (["--strict", "f"], "the --strict option is meaningful only when verifying checksums"),
        (["--ignore-missing"], "the --ignore-missing option is meaningful only when verifying checksums"),
        (["-c", "--tag", "f"], "the --tag option is meaningless when verifying checksums"),
        (["-cz", "f"], "the --zero option is meaningless when verifying checksums"),
        (["-cr", "f"], "the --recursive option is meaningless when verifying checksums"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(run_sum: RunSum, arguments: list[str], want: str) -> None:
    code, out, err = run_sum(*arguments)
    assert (code, out) == (2, b"")
    assert err.startswith("merklecore: ")
    assert want in err
    assert err.count("\n") == 1


def test_help_says_what_the_exit_codes_are(run_sum: RunSum) -> None:
    code, out, err = run_sum("--help")
    assert (code, err) == (0, "")
    assert out.startswith(b"usage: merklecore sum")
    assert b"exit codes: 0" in out
    assert all(algorithm.encode() in out for algorithm in mc.algorithms())


def test_no_room_for_the_output_and_none_at_all(start: Start) -> None:
    with open("/dev/full", "wb") as full, start("sum", "/dev/null", stdout=full) as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (2, b"merklecore: standard output: No space left on device\n")
    for closed, want in ((1, b"standard output: is closed"), (0, b"-: Bad file descriptor")):
        with start("sum", "-", preexec_fn=lambda fd=closed: os.close(fd)) as process:
            out, err = process.communicate(b"", timeout=60)
        assert (out, err) == (b"", b"merklecore: " + want + b"\n")
        assert process.returncode == (2 if closed else 1)


def test_a_reader_that_went_away_is_met_quietly(start: Start) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with start("sum", "/dev/null", stdout=writer) as process:
        os.close(writer)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b"")


def test_ctrl_c_ends_it_while_the_backend_waits(start: Start, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with start("sum", tmp_path / "pipe") as process:
        with open(tmp_path / "pipe", "wb"):  # opened, so it is being read
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (-signal.SIGINT, b"", b"")


def test_progress_on_a_terminal(start: Start, tmp_path: Path) -> None:
    """It is erased before an error is said, and at the end; nothing of it where lines go to the terminal."""
    os.mkfifo(tmp_path / "pipe")
    for terminals in (1, 2):
        master, slave = pty.openpty()
        more = {"stderr": slave} | ({"stdout": slave} if terminals == 2 else {})
        with start("sum", tmp_path / "pipe", tmp_path / "gone", **more) as process:
            os.close(slave)
            with open(tmp_path / "pipe", "wb") as pipe:
                for _ in range(9):
                    pipe.write(bytes(1 << 20))
                    pipe.flush()
                    signal.sigtimedwait([], 0.1)
            process.communicate(timeout=60)
        seen = b""
        while chunk := _read(master):
            seen += chunk
        os.close(master)
        assert process.returncode == 1
        shots = seen.decode().split("\r")
        gone = f"merklecore: {tmp_path}/gone: No such file or directory"
        if terminals == 2:
            assert "hashing" not in seen.decode()
            assert gone in seen.decode()
        else:
            assert shots[1].startswith("hashing ")
            assert shots[1].endswith(" MiB")
            assert shots[-3].strip() == ""
            assert shots[-2:] == [gone, "\n"]


def _read(master: int) -> bytes:
    try:
        return os.read(master, 1 << 16)
    except OSError:  # the other side is closed
        return b""


def test_small_jobs_import_no_numpy(top: Path) -> None:
    script = (
        "import sys; from merklecore.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "late = {'numpy', 'asyncio', 'subprocess', 'ssl', 'threading', 'inspect'} & sys.modules.keys()\n"
        "late |= {'argparse', 'enum', 're'} & sys.modules.keys() if sys.argv[2:] == ['plain'] else set()\n"
        "sys.exit(f'{code} {late}' if code or late else 0)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(mc.__file__).parents[1])}
    for words in (["sum", "plain"], ["sum", "-r", "."], ["sum", "--tag", "plain"]):
        command = [sys.executable, "-c", script, *words]
        done = subprocess.run(command, cwd=top, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
