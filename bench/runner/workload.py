"""What a workload is, how much it is to do, and the peers of one stack that do it."""

import asyncio
import contextlib
import dataclasses
import pathlib
from typing import Callable, Optional

from orchestrator.peer import Peer

from .process import cpu_seconds


@dataclasses.dataclass(frozen=True)
class Sizes:
    connections: int = 2000
    stream_bytes: int = 1_000_000_000
    pings: int = 5000
    starts: int = 10
    crowd: int = 1000
    idle_seconds: float = 30.0
    delay_ms: int = 100
    events: int = 10_000_000
    gets: int = 1000
    newcomers: int = 20
    lookups: int = 2000
    questions: int = 50_000
    signatures: int = 10_000
    pair_messages: int = 10_000
    """Of each of two; mesh_messages: of each of ten; timed_messages: of each of ten, two a second."""
    mesh_messages: int = 400
    timed_messages: int = 30
    subscribers: int = 100
    topics: int = 100
    town: int = 10_000
    """Nodes of the idle simulation; a tenth of them bear the load, and are weighed."""
    town_seconds: int = 30
    slower: int = 10
    """By how much less other stacks do of what only the mean is taken of."""


QUICK = Sizes(connections=200, stream_bytes=200_000_000, pings=500, starts=3, crowd=100, delay_ms=50,
              events=1_000_000, gets=300, newcomers=5, lookups=200, questions=5000,
              signatures=2000, pair_messages=1000, mesh_messages=100, timed_messages=6, subscribers=20, topics=20,
              town=1000, town_seconds=10)


@dataclasses.dataclass(frozen=True)
class Bench:
    """Where programs are, and how much they are to do."""
    programs: pathlib.Path
    peers: dict
    sizes: Sizes

    def program(self, name):
        return self.programs / name


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    rows: tuple
    ours: Callable
    theirs: Optional[Callable] = None
    floor: Optional[Callable] = None
    """Absent where a row needs none, or where the workload measures it beside itself (of_floor)."""
    repeats: Optional[int] = None
    """Fewer than the others: what does not vary, or takes minutes."""
    absent: Callable = lambda bench: ""
    """Why the floor cannot be measured here; rows that need none are, all the same."""


@contextlib.asynccontextmanager
async def peers_of(bench, stack, *flags, count=2):
    """That many peers of one stack, started; the last ones listen as the first does."""
    peers = [Peer(stack, bench.peers[stack], flags) for _ in range(count)]
    try:
        for peer in peers:
            await peer.start()
        yield peers
    finally:
        await asyncio.gather(*(peer.close() for peer in peers))


def pid_of(peer):
    return peer._process.pid


def cpu_of(peers):
    return sum(cpu_seconds(pid_of(peer)) for peer in peers)
