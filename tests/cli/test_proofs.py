"""Proofs written and checked; whatever is changed does not hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]
Root = Callable[[list[bytes]], str]
Told = Callable[[str], dict[str, str]]
ID = bytes(range(32))


def told(err: str) -> dict[str, str]:
    """What ``prove`` says beside the proof."""
    return {line[:9].strip(): line[11:] for line in err.splitlines() if not line.startswith("left out")}


def test_prove_by_path_then_verify(run: Run, told: Told, files: Path, tmp_path: Path) -> None:
    code, out, err = run("prove", files, "--path", "d/e/f")
    assert code == 0
    about = told(err)
    assert about["root"] == run("root", files)[1].strip()
    assert (about["size"], about["index"]) == ("5", "2")
    line = f"{hashlib.sha256((files / 'd/e/f').read_bytes()).hexdigest()}  d/e/f"
    assert about["line"] == line
    assert bytes.fromhex(about["leaf-hex"]).decode() == line + "\n"
    trusted = ["--root", about["root"], "--size", "5", "--index", "2"]
    for leaf in (
        ["--leaf-hex", about["leaf-hex"]],
        ["--leaf", line + "\n"],
        ["--leaf-file", str(tmp_path / "leaf")],
    ):
        (tmp_path / "leaf").write_text(line + "\n")
        code, said, err = run("verify", "-", *trusted, *leaf, stdin=out)
        assert (code, said, err) == (0, f"holds: leaf 2 of 5 under {about['root']} (rfc6962)\n", "")
    assert run("verify", "--json", "-", *trusted, *leaf, stdin=out) == (0, '{"holds": true}\n', "")
    assert run("prove", files, "--path", "./d/e/f")[1] == out
    assert run("prove", files, "--index", "2")[1] == out


def test_prove_as_json_and_to_a_file(run: Run, files: Path, tmp_path: Path) -> None:
    proof = run("prove", files, "--index", "1")[1]
    code, out, err = run("prove", files, "--path", "b\nc", "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["proof"] == json.loads(proof)
    assert bytes.fromhex(answer["leaf"]).startswith(b"\\")
    assert answer["leaf_hash"] == hashlib.sha256(b"\0" + bytes.fromhex(answer["leaf"])).hexdigest()
    code, out, err = run("prove", files, "--index", "1", "-o", tmp_path / "proof.json", "--json")
    assert (code, err) == (0, "")
    assert {**json.loads(out), "proof": json.loads(proof)} == answer
    assert (tmp_path / "proof.json").read_text() == proof
    code, out, _ = run("prove", files, "--index", "1", "--output", tmp_path / "proof.json")
    assert (code, out) == (0, "")


def test_every_index_of_a_stream(run: Run, rfc: Root, told: Told) -> None:
    leaves = [f"{i}\n" for i in range(11)]
    for index, leaf in enumerate(leaves):
        code, out, err = run("prove", "--lines", "-", "--index", str(index), stdin="".join(leaves))
        about = told(err)
        assert (code, about["root"]) == (0, rfc([leaf.encode() for leaf in leaves]))
        trusted = ["--root", about["root"], "--size", "11", "--index", str(index)]
        assert run("verify", "-", *trusted, "--leaf", leaf, stdin=out)[0] == 0


def test_whatever_is_changed_does_not_hold(run: Run, told: Told, files: Path, tmp_path: Path) -> None:
    """One thing at a time; each gives exit code 1 and one line that names the proof."""
    proof_file = tmp_path / "p.json"
    _, proof, err = run("prove", files, "--index", "2")
    about = told(err)
    good = {"--root": about["root"], "--size": "5", "--index": "2", "--leaf-hex": about["leaf-hex"]}
    hashes = json.loads(proof)["hashes"]

    def check(change: dict[str, str], path: list[str]) -> tuple[int, str, str]:
        proof_file.write_text(json.dumps({"type": "inclusion", "version": 1, "hashes": path}))
        return run("verify", proof_file, *(word for pair in (good | change).items() for word in pair))

    assert check({}, hashes)[0] == 0

    def flipped(text: str) -> str:
        return f"{int(text[:2], 16) ^ 1:02x}" + text[2:]

    changes: list[tuple[dict[str, str], list[str]]] = [
        ({"--root": flipped(about["root"])}, hashes),
        ({"--leaf-hex": flipped(about["leaf-hex"])}, hashes),
        ({"--leaf-hex": about["leaf-hex"] + "00"}, hashes),
        ({"--leaf-hex": ""}, hashes),
        ({"--index": "3"}, hashes), ({"--index": "0"}, hashes), ({"--index": "4"}, hashes),
        ({"--size": "3"}, hashes), ({"--size": "4"}, hashes), ({"--size": "9"}, hashes),
        ({"--size": str(2**64 - 1)}, hashes),
        ({}, hashes[::-1]), ({}, hashes[1:]), ({}, [*hashes, hashes[0]]), ({}, []),
        ({}, ["00"] * len(hashes)),
        *(({}, [*hashes[:i], flipped(hashes[i]), *hashes[i + 1 :]]) for i in range(len(hashes))),
    ]  # fmt: skip
    for change, path in changes:
        code, out, err = check(change, path)
        assert (code, out) == (1, ""), (change, path)
        assert err.startswith(f"merklecore: {proof_file}: does not hold: ")
        assert err.count("\n") == 1
    # Sizes 6 to 8 are not among the changes: leaf 2 has a path of the same form there, and the root does not
    # bind the size.
    code, out, err = run(
        "verify", "--json", proof_file, *(w for p in (good | {"--size": "3"}).items() for w in p)
    )
    assert (code, err) == (1, "")
    assert json.loads(out)["holds"] is False
    assert json.loads(out)["reason"]


def test_another_profile_does_not_hold(run: Run, told: Told) -> None:
    stdin = f"{ID.hex()}\n{ID[::-1].hex()}\n"
    _, proof, err = run("prove", "--profile", "ssz", "--hex", "-", "--index", "1", stdin=stdin)
    about = told(err)
    trusted = ["--root", about["root"], "--size", "2", "--index", "1", "--leaf-hex", about["leaf-hex"]]
    assert run("verify", "-", *trusted, "--profile", "ssz", stdin=proof)[0] == 0
    assert run("verify", "-", *trusted, "--profile", "bitcoin", stdin=proof)[0] == 1
    assert run("verify", "-", *trusted, stdin=proof)[0] == 1
