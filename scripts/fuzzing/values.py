"""Values that readers are seldom tried with."""

from random import Random
from typing import Any

STRINGS = (
    "",
    " ",
    "\0",
    "\n",
    "\t",
    "0",
    "-1",
    "1e999",
    "nan",
    "inf",
    "-inf",
    "1_000",
    "٣",
    "²",
    "½",
    "\ufeff",
    "\ud800",
    "\u202e",
    "é",
    "e\u0301",
    "..",
    "../../..",
    "/",
    "//",
    "/etc/passwd",
    "C:\\a\\b.png",
    "http://[::1",
    "file://%",
    "%",
    "%00",
    "%zz",
    "a" * 300,
    "a/" * 3000,
    "null",
    "true",
    "on",
    "{}",
    "[]",
    "[1,",
    "<a",
    "&lt;",
    '"',
    "'",
    ",",
    ";",
    ":",
    "#",
    "!!python/object:os.system",
    "*a",
    "&a",
    "{{1}}",
    "%s%n",
    "~",
    "$HOME",
    "0x10",
    "1,5",
    "1e5",
    "9" * 400,
    "9" * 5000,
    "9" * 100_000,
    " " * 100_000,
    "-0",
    "images",
    "labels",
    "a.png",
    "b.png",
)
NUMBERS = (
    0,
    -0.0,
    1,
    -1,
    2,
    3,
    0.5,
    1.5,
    -0.5,
    255,
    256,
    65535,
    65536,
    2**31 - 1,
    2**31,
    -(2**31),
    2**32,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63),
    -(2**63) - 1,
    2**64,
    10**12,
    10**30,
    10**400,
    1e-300,
    5e-324,
    1e30,
    1e300,
    1.7976931348623157e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    1000,
    10000,
    100000,
    10**7,
    10**8,
)
# How numbers are spelt in text, beside the above.
SPELLINGS = (
    "1e999",
    "-1e999",
    "NaN",
    "nan",
    "inf",
    "-Infinity",
    "1e-400",
    "0x1F",
    "1_0",
    "+1",
    ".5",
    "5.",
    "--1",
    "9" * 100_000 + "x",
    "1e",
    "٣",
    "",
)


def odd_value(rng: Random) -> Any:
    """A value of any type that JSON has, one level of nesting at most."""
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice((None, True, False))
    if kind == 1:
        return rng.choice(([], {}, [[]], [{}], {"": ""}, [None], [0, 0], [1, 2, 3, 4], {"a": 1}, [[0, 0], [1, 1]]))
    if kind < 5:
        return rng.choice(NUMBERS)
    return rng.choice(STRINGS)


def odd_number(rng: Random) -> str:
    """A number as text."""
    value = rng.choice((*NUMBERS, *SPELLINGS))
    return value if isinstance(value, str) else plain(value)


def plain(value: float) -> str:
    """A number's digits; Python refuses to print whole numbers of very many."""
    return "1" + "0" * 400 if value == 10**400 else repr(value)
