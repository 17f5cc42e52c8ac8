"""The whole table: functions that yield its rows, by the rule they are of."""

from __future__ import annotations

from tests.blocks.cases import ENCODING, Maker
from tests.blocks.cases_body import TRANSACTIONS
from tests.blocks.cases_header import HEADERS
from tests.blocks.cases_links import LINKS
from tests.blocks.cases_witness import WITNESSES

TABLE: dict[str, Maker] = {
    make.__name__: make for make in (*ENCODING, *HEADERS, *TRANSACTIONS, *WITNESSES, *LINKS)
}
