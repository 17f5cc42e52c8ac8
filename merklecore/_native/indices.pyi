from typing import final

__pyx_capi__: dict[str, object]  # what the sibling modules call in C

@final
class Indices:
    def __new__(cls) -> Indices: ...
