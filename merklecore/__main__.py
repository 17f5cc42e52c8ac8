"""``python -m merklecore`` is the command ``merklecore``."""

from __future__ import annotations

import sys

from merklecore.cli import main

if __name__ == "__main__":
    sys.exit(main())
