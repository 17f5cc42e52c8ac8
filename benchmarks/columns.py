"""Columns of Apache Arrow over the bytes of an array: the same values in each layout that is compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def of(rows: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the rows as columns, by the name of their type."""
    n, width = rows.shape
    data = pa.py_buffer(rows)
    offsets = pa.py_buffer(np.arange(0, (n + 1) * width, width, dtype=np.int32))
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), n, [None, data])
    binary = pa.Array.from_buffers(pa.binary(), n, [None, offsets, data])
    return {
        "fixed_size_binary": fixed,
        "binary": binary,
        "binary_view": binary.cast(pa.binary_view()),
        "in-chunks": pa.chunked_array([fixed[i : i + n // 16] for i in range(0, n, n // 16)]),
    }
