from typing import final

@final
class Indices:
    def __new__(cls) -> Indices: ...
