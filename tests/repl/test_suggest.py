"""What Tab offers; ``|`` is the cursor."""

from __future__ import annotations

import pytest

from deltasql.repl.suggest import suggest

NAMES = ["orders", "Odd name", "sales.items"]


def offered(marked: str) -> list[str]:
    cursor = marked.index("|")
    found = suggest(marked.replace("|", "", 1), cursor, NAMES)
    return [suggestion.text for suggestion in found]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("sel|", ["select"]),
        ("SEL|", ["SELECT"]),
        ("SELECT 1; vac|", ["vacuum"]),
        ("SELECT 1;|", None),
        ("SELECT * FROM |", ["orders", '"Odd name"', "sales.items"]),
        ("SELECT * FROM or|", ["orders"]),
        ("SELECT * FROM sales.|", ["sales.items"]),
        ("SELECT * FROM or| WHERE x", ["orders"]),
        ("VACUUM s|", ["sales.items"]),
        ("VACUUM orders RET|", ["RETAIN"]),
        ("SELECT * FROM t wher|", ["where"]),
        ("SELECT 'or|", []),
        ("SELECT 1 -- or|", None),
        (".ta|", [".tables"]),
        (".describe o|", ["orders"]),
        (".mode o|", []),
        (r"\t|", [r"\timing"]),
    ],
)
def test_offers(marked, expected):
    assert expected is None or offered(marked) == expected


def test_what_is_replaced():
    (found,) = suggest("SELECT * FROM sales.it", 22, NAMES)
    assert (found.text, found.length, found.what) == ("sales.items", 8, "table")


def test_an_empty_prompt_offers_statements():
    assert {"SELECT", "VACUUM", "MERGE"} & set(offered("|")) >= {"SELECT", "VACUUM"}
