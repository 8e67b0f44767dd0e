"""A mesh that does not come to rest: nodes leave the topic, come back and are started anew while others publish.

Everybody scores everybody by scores.json. py does not take part: with its scores on it grafts beyond D at
every heartbeat, and without them it has nothing to say of the others.
"""

import asyncio
import collections
import dataclasses
import hashlib
import itertools
import pathlib
import random
import time

from ..case import case, expect
from ..peer import Peer
from ..scene import KEPT_APART, connect, together
from ..sparse import cast, limited, link, meshed, neighbours, subscribed
from .gossip import heard
from .mesh import MESH_LEAST, text_of

SCORES = pathlib.Path(__file__).resolve().parents[2] / "scores.json"
TOPIC = "interop"
NODES = 12
OFFSETS = (1, 2, 4)
"""Each is linked to six, so that three who have left cut nobody off."""
MOST_AWAY = 3

BLAMES = ("go", "rust")
"""Whoever brings these what they published in an earlier life gets P4 for it, though they have asked for it."""
QUIET_SECONDS = 8.0
"""So long nobody tells of a message any more, and nobody has it any more: five heartbeats, and some more."""

STEP = 0.5
SHORT_SECONDS = 12
MINUTES = 10
STEPS_A_CHANGE = 2
STEADY_SECONDS = 3.0
"""Who has just come is left alone so long: it may not know yet to whom it could publish."""
SIZES = [100, 700, 1500, 6000]

# Nobody grafts who has unsubscribed within ten seconds; then one heartbeat of each stack.
CALM_SECONDS = 13.0
ARRIVAL_SECONDS = 15.0


@dataclasses.dataclass
class Member:
    """A place in the network, with an identity that outlives the peers in it."""

    number: int
    stack: str
    peer: Peer = None
    subscribed: bool = True
    since: float = 0.0
    spoke: float = 0.0
    retiring: bool = False
    """It publishes nothing more before it is started anew."""

    @property
    def flags(self):
        return ["--seed", hashlib.sha256(f"soak-{self.number}".encode()).hexdigest(), "--gossip-id", "go",
                "--gossip-scores", str(SCORES), *KEPT_APART]

    @property
    def steady(self):
        return time.monotonic() - self.since > STEADY_SECONDS

    @property
    def speaks(self):
        return self.subscribed and not self.retiring

    @property
    def may_restart(self):
        return self.subscribed and (self.stack not in BLAMES or time.monotonic() - self.spoke > QUIET_SECONDS)

    def changed(self):
        self.since = time.monotonic()


@dataclasses.dataclass
class Soak:
    members: list
    linked: list
    luck: random.Random = dataclasses.field(default_factory=lambda: random.Random(NODES))
    done: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    lowest: dict = dataclasses.field(default_factory=dict)
    """By the stack that scores and the stack that is scored: the score, and when it was so low."""
    highest: dict = dataclasses.field(default_factory=dict)
    """By the stack that scores."""
    started: float = dataclasses.field(default_factory=time.monotonic)

    def around(self, member):
        return [self.members[other] for other in self.linked[member.number]]

    def choose(self, wanted):
        found = [member for member in self.members if member.steady and wanted(member)]
        return self.luck.choice(found) if found else None

    @property
    def away(self):
        return sum(1 for member in self.members if not member.subscribed)


async def soaked(scene, seconds):
    members = [Member(number, name) for number, name in enumerate(cast(scene.commands, NODES))]
    soak = scene.played = Soak(members, neighbours(NODES, OFFSETS))
    await gather(scene, soak)
    retire(soak)
    changes = itertools.cycle((leaves, restarts, comes_back))
    end = time.monotonic() + seconds
    for step in itertools.takewhile(lambda _: time.monotonic() < end, itertools.count()):
        changing = next(changes) if step % STEPS_A_CHANGE == 0 else nothing
        await together(changing(scene, soak), publishes(scene, soak, step), scores(scene, soak), asyncio.sleep(STEP))
    await calm(scene, soak)


async def gather(scene, soak):
    async def starts(member):
        member.peer = await scene.start(member.stack, *member.flags)
    await limited(*(starts(member) for member in soak.members))
    await link([member.peer for member in soak.members], soak.linked)
    await limited(*(member.peer.ask("gossip_join", topic=TOPIC) for member in soak.members))
    for member in soak.members:
        with scene.telling(member.peer):
            await subscribed(member.peer, [other.peer for other in soak.around(member)], TOPIC)
            await meshed(member.peer, MESH_LEAST, TOPIC)


async def nothing(scene, soak):
    pass


async def leaves(scene, soak):
    member = soak.choose(lambda m: m.subscribed) if soak.away < MOST_AWAY else None
    if member:
        member.subscribed = False
        await member.peer.ask("gossip_leave", topic=TOPIC)
        soak.done["left"] += 1


async def comes_back(scene, soak):
    member = soak.choose(lambda m: not m.subscribed)
    if member:
        member.changed()
        await member.peer.ask("gossip_join", topic=TOPIC)
        member.subscribed = True
        soak.done["came back"] += 1


async def restarts(scene, soak):
    """The same identity at another address, and whoever knew it is dialed by it. One of each stack that blames is next."""
    member = soak.choose(lambda m: m.retiring and m.may_restart) or soak.choose(lambda m: m.may_restart)
    if not member:
        return
    member.subscribed = member.retiring = False
    member.changed()
    await member.peer.close()
    member.peer = await scene.start(member.stack, *member.flags)
    with scene.telling(member.peer):
        await together(*(connect(member.peer, other.peer) for other in soak.around(member)))
        await member.peer.ask("gossip_join", topic=TOPIC)
    member.changed()
    member.subscribed = True
    soak.done[f"{member.stack} restarted"] += 1
    retire(soak)


def retire(soak):
    """One of each stack that blames falls silent, to be started anew in time."""
    for stack in BLAMES:
        own = [member for member in soak.members if member.stack == stack]
        if own and not any(member.retiring for member in own):
            soak.luck.choice(own).retiring = True


async def publishes(scene, soak, step):
    for number, size in enumerate(SIZES):
        author = soak.choose(lambda m: m.speaks)
        if author:
            author.spoke = time.monotonic()
            await say(scene, author, f"soak-{step}-{number}", size)
            soak.done["published"] += 1


async def say(scene, author, prefix, size):
    with scene.telling(author.peer):
        await author.peer.ask("gossip_burst", topic=TOPIC, count=1, size=size, interval_us=1, prefix=prefix)


async def scores(scene, soak):
    stacks = {member.peer.id: member.stack for member in soak.members}
    for member in soak.members:
        if member.steady:
            for scored, score in (await member.peer.ask("gossip_scores"))["scores"].items():
                low = soak.lowest.get((member.stack, stacks[scored]), (score, 0.0))
                soak.lowest[member.stack, stacks[scored]] = min(low, (score, time.monotonic() - soak.started))
                soak.highest[member.stack] = max(score, soak.highest.get(member.stack, score))


async def calm(scene, soak):
    """Nothing changes any more, and once nobody remembers who has left, everybody says something."""
    await asyncio.sleep(CALM_SECONDS)
    live = [member for member in soak.members if member.subscribed]
    await together(*(say(scene, member, last(member), 2000) for member in live))
    clock = asyncio.get_running_loop().time
    late = clock() + ARRIVAL_SECONDS
    while clock() < late and not all(lasts(member, soak) >= len(live) - 1 for member in live):
        await asyncio.sleep(0.2)
    await scores(scene, soak)


def last(member):
    return f"last-{member.number}"


def lasts(member, soak):
    return sum(len(heard(member.peer, last(other))) for other in soak.members)


async def judged(scene):
    """What a stack said last reaches another's subscribers, which got nothing twice; nor does it score them below 0."""
    soak, (ours, theirs) = scene.played, (scene.link.dialer, scene.link.listener)
    live = [member for member in soak.members if member.subscribed]
    for reader in (member for member in live if member.stack == theirs):
        for author in (member for member in live if member.stack == ours and member is not reader):
            expect(heard(reader.peer, last(author)), f"{theirs} {reader.number} lacks the last of {ours} {author.number}")
        ids = collections.Counter(event["message_id"] for event in reader.peer.messages)
        twice = [text_of(event) for event in reader.peer.messages if ids[event["message_id"]] > 1]
        expect(not twice, f"{theirs} {reader.number} got {len(set(twice))} messages more than once, {twice[:3]}")
    score, after = soak.lowest.get((ours, theirs), (0.0, 0.0))  # of few stacks some are nobody's neighbours
    expect(score >= 0, f"{ours} scored a peer of {theirs} {score:.2f} after {after:.0f} s")
    expect(soak.highest[ours] > 0, f"{ours} scored nobody above 0: it does not score at all")
    done = ", ".join(f"{count} {what}" for what, count in soak.done.items())
    scene.note(f"{done}; {len(live)} live; lowest score {score:.2f}; "
               f"highest by {ours} {soak.highest[ours]:.0f}")


async def short(scene):
    await soaked(scene, SHORT_SECONDS)


async def ten_minutes(scene):
    await soaked(scene, 60 * MINUTES)


@case("gossip-soak", on=short, seconds=30, everybody=True, large=True, setup_seconds=180, absent=("py",))
async def soak(scene):
    """While peers leave, come back and restart for 12 s, and after: all live ones are reached, none scored below 0."""
    await judged(scene)


@case("gossip-soak-ten-minutes", on=ten_minutes, seconds=30, everybody=True, large=True, long=True,
      setup_seconds=60 * MINUTES + 240, absent=("py",))
async def soak_ten_minutes(scene):
    """The same for ten minutes."""
    await judged(scene)
