"""The examples of README.md and docs/: every block marked `python` runs, one file's in order."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.any_kernel

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_hold(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": page.stem}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        if ">>> " in block[1]:
            examples = doctest.DocTestParser().get_examples(block[1], page.name)
            case = doctest.DocTest(examples, names, page.name, str(page), line, block[1])
            said: list[str] = []
            assert runner.run(case, out=said.append, clear_globs=False).failed == 0, "".join(said)
            names = case.globs
        else:
            exec(compile("\n" * line + block[1], page, "exec"), names)
