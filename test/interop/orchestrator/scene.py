"""A scene: the peers that one or more cases play on, and the link between the two that matter."""

import asyncio
import contextlib
import dataclasses

from . import stack
from .peer import Peer, Unsupported


MOST_TELLERS = 10


@dataclasses.dataclass(frozen=True)
class Link:
    """Which stack dials which. `us` is the stack under test, `other` the one it is held against."""

    us: str
    other: str
    dialer: str
    listener: str

    @property
    def column(self):
        """`go>` they dial us, `>go` we dial them; between two foreign stacks both are named."""
        if self.us != stack.US:
            return f"{self.dialer}>{self.listener}"
        return f"{self.dialer}>" if self.dialer == self.other else f">{self.listener}"


def pairs(stacks):
    """Who asks (dialer) and whose it is (listener), in every order, each stack with itself included."""
    return [Link(asker, owner, asker, owner) for owner in stacks for asker in stacks]


def links(us, other):
    both = [Link(us, other, other, us), Link(us, other, us, other)]
    return both[:1] if us == other else both


class Scene:
    """Starts peers and ends them all. `commands` maps a stack to the command that runs its peer."""

    def __init__(self, link, commands):
        self.link, self.commands = link, commands
        self.peers, self.nodes = [], []
        self.others, self.visits = [], {}  # who came to the network of the nodes, and what came of it
        self.played = None  # what a setup has for its cases to judge
        self.dialer = self.listener = None
        self.notes, self._told = [], False
        self._failing = None

    async def start(self, name, *flags):
        if name not in self.commands:
            raise Unsupported(f"{name}: no peer")
        peer = Peer(name, self.commands[name], flags)
        self.peers.append(peer)
        with self.telling(peer):
            await peer.start()
        return peer

    async def start_pair(self, *flags, dialer_flags=(), listener_flags=()):
        self.dialer, self.listener = await together(
            self.start(self.link.dialer, *flags, *dialer_flags),
            self.start(self.link.listener, *flags, *listener_flags))

    async def connect_pair(self):
        return await connect(self.dialer, self.listener)

    @property
    def ends(self):
        """Both ends with their counterpart."""
        return ((self.dialer, self.listener), (self.listener, self.dialer))

    def note(self, text):
        self.notes.append(text)

    def turn_to(self, link):
        """Another pair of the same network is next, with a story of its own."""
        self.link, self.notes, self._told = link, [], False
        self.dialer = self.listener = self._failing = None

    @contextlib.contextmanager
    def telling(self, peer):
        """If what is done within fails, this peer is among those who tell, even of a crowd."""
        try:
            yield
        except BaseException:  # a setup that takes too long is cancelled
            self._failing = self._failing or peer
            raise

    def tell(self):
        """The story of every peer; told once, however many cases fail on this scene."""
        told, self._told = self._told, True
        return "" if told else "\n".join(peer.story() for peer in self._tellers())

    def _tellers(self):
        """Of a crowd the two that the case is about or else the first two, who was waited for, and some who died."""
        if len(self.peers) <= MOST_TELLERS:
            return self.peers
        two = [peer for peer in (self.dialer, self.listener) if peer] or self.peers[:2]
        died = [peer for peer in self.peers if peer.died]
        return unique([*two, *([self._failing] if self._failing else []), *died])[:MOST_TELLERS]

    async def crash(self):
        """How a peer of another stack has ended by itself, or None. Of ours close() tells."""
        crashes = await asyncio.gather(*(peer.crash() for peer in self.peers if peer.stack != stack.US))
        return next(filter(None, crashes), None)

    async def close(self):
        """Ends all peers; how one of ours ended badly, or None. That is our failure, whatever the case is about."""
        await asyncio.gather(*(peer.close() for peer in self.peers), return_exceptions=True)
        return next((peer.ended_badly for peer in self.peers if peer.stack == stack.US and peer.ended_badly), None)


def unique(peers):
    return [peer for n, peer in enumerate(peers) if not any(peer is before for before in peers[:n])]


async def connect(dialer, listener):
    """The dialer is done first: the connection is up when the listener has reported it too."""
    since = len(listener.events)
    answer = await dialer.ask("connect", addr=listener.addr)
    await listener.wait(lambda e: e["event"] == "connected" and e["peer"] == dialer.id, 5,
                        f"connection from {dialer.stack}", since)
    return answer


async def together(*work):
    """Runs all at once; on the first error the rest is cancelled and awaited."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


# Nobody is in a Kademlia table, so that nobody connects but as the case wants it.
KEPT_APART = ("--kad-mode", "client")


# A setup brings a scene to where its cases begin.

async def connected(scene):
    """Dialer and listener hold one connection."""
    await scene.start_pair()
    await scene.connect_pair()
