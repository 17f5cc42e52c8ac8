from collections.abc import Sequence
from typing import Any, TypeAlias, final

from _typeshed import ReadableBuffer
from numpy.typing import NDArray

_Data: TypeAlias = ReadableBuffer | NDArray[Any]
_Messages: TypeAlias = Sequence[_Data] | _Data
__pyx_capi__: dict[str, object]  # what the sibling modules call in C

@final
class View: ...

@final
class Messages: ...
