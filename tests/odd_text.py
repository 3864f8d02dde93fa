"""Text as files and headers really bring it, each kind by a name."""

ODD_TEXTS = {
    "byte that is no UTF-8": "sc\udce9n",
    "half of a pair": "\ud83e",
    "NUL": "a\0b",
    "escape sequence": "\x1b[31mred\x1b[0m",
    "one-byte escape": "\x9b31mred",
    "carriage return": "x\r=cmd|calc!A0",
    "line feed": "x\n=cmd|calc!A0",
    "next line": "x\x85=1+1",
    "line separator": "x\u2028=1+1\u2029+1",
    "byte order mark": "\ufeff=1+1",
    "right to left": "\u202egpj.nacs",
    "isolate": "\u2067abc",
    "formula": "=cmd|'/C calc'!A0",
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3",
    "at": "@SUM(1)",
    "tab": "\t=1+1",
    "return first": "\r=1+1",
    "feed first": "\n=1+1",
    "wide formula": "＝1+1",  # noqa: RUF001 - as meant
    "apostrophe": "'=1+1",
    "no character": "\ufffe\uffff\ufdd0",
    "combining storm": "Z" + "\u0301\u0316" * 2000,
    "quote": 'a","=1+1',
    "separator": "a\t=1+1;=1+1",
    "backslash": "a\\x1b\x1b\\",
    "markup": "[bold]<script>alert(1)</script>[/]",
    "long": "x" * 5_000_000,
    "long formula": "=" * 200_000,
}
"""The name of the kind, and one text of it."""
