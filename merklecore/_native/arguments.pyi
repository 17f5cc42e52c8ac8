from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, final

from _typeshed import ReadableBuffer
from numpy.typing import NDArray

class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: Any = None, /) -> Any: ...

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: Any = None, /) -> Any: ...

_Data: TypeAlias = ReadableBuffer | NDArray[Any]
_Messages: TypeAlias = Sequence[_Data] | _Data | _ArrowArray | _ArrowStream
__pyx_capi__: dict[str, object]  # what the sibling modules call in C

@final
class View: ...

@final
class Messages: ...
