"""The evidence for what a stack cannot do: cases that fail between two peers of that stack too.

An entry excuses nothing by itself: the runner plays the case between two peers of the stack again and
believes the entry only if it fails there as well.
"""

import dataclasses
import json
import pathlib

FILE = pathlib.Path(__file__).resolve().parent.parent / "unsupported.json"


@dataclasses.dataclass(frozen=True)
class Entry:
    case: str
    stack: str
    reason: str
    command: str
    shown: str
    """What the command said when the entry was made."""


def read(text):
    """Raises on an entry that lacks a field, so that none stands without its reason and command."""
    entries = [Entry(**fields) for fields in json.loads(text)]
    for entry in entries:
        if not all(dataclasses.astuple(entry)):
            raise ValueError(f"an empty field in {entry}")
    pairs = [(entry.case, entry.stack) for entry in entries]
    if len(set(pairs)) != len(pairs):
        raise ValueError("a case is listed twice for one stack")
    return {(entry.case, entry.stack): entry for entry in entries}


def load(path=FILE):
    return read(path.read_text())
