"""The last lines of a conversation, with polling folded together."""

import collections
import re

LINES_KEPT = 24
LINE_SHOWN = 240

NUMBER = re.compile(r'"id": ?[0-9]+')


def shown(line):
    return line if len(line) <= LINE_SHOWN else line[:LINE_SHOWN] + "…"


class Tail:
    """Keeps the last lines. A line that repeats one of the two before it, but for its number, is counted."""

    def __init__(self):
        self._lines = collections.deque(maxlen=LINES_KEPT)

    def add(self, line):
        key = NUMBER.sub("", line)
        for entry in list(self._lines)[-2:]:
            if entry["key"] == key:
                entry["times"] += 1
                return
        self._lines.append({"key": key, "line": shown(line), "times": 1})

    def __iter__(self):
        for entry in self._lines:
            yield entry["line"] + (f"   ({entry['times']} times)" if entry["times"] > 1 else "")
