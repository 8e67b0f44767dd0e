"""GossipSub at the size of a network: 24 nodes of all stacks, each linked to eight, and a thousand messages."""

import asyncio
import collections
import dataclasses
import random

from ..case import case, expect
from ..gathering import started
from ..scene import KEPT_APART, together
from ..sparse import cast, limited, link, meshed, neighbours, subscribed
from .gossip import TOPIC, neighbours as neighbours_of

NODES = 24
OFFSETS = (1, 3, 6, 10)
"""Each is linked to eight: more than a mesh wants, so that gossip has somebody to go to."""
MESH_LEAST = 4
"""js's Dlo, the smallest."""

MESSAGES = 1000
LARGE, MIDDLING, SMALL = [512 << 10], [16 << 10, 32 << 10, 48 << 10, 64 << 10], [100, 300, 1000, 1100, 2000, 4000]
LARGE_COUNT, MIDDLING_COUNT = 12, 96
RPC = 1 << 20
"""rust, which takes RPCs of 64 KiB otherwise, must be told of the large ones; the others take these as they are."""

WAVE = 20
"""So many are published at once; the next come when these are everywhere, so that a slow machine is not flooded."""
ARRIVAL_SECONDS = 15.0
# Longer than every stack's heartbeat: whatever would come twice has come by then.
SETTLE_SECONDS = 3.0


@dataclasses.dataclass(frozen=True)
class Message:
    number: int
    author: int
    size: int

    @property
    def text(self):
        return f"mesh-{self.number}-0"


@dataclasses.dataclass
class Played:
    messages: list
    ids: dict
    """By text the message ids that the nodes have computed."""
    lost: list
    """Which stack was no longer connected to which of its neighbours in the end."""


def plan(nodes):
    """From each author as many of each size as from the others, in an order that is the same in every run."""
    counts = (LARGE, LARGE_COUNT), (MIDDLING, MIDDLING_COUNT), (SMALL, MESSAGES - LARGE_COUNT - MIDDLING_COUNT)
    drawn = [(n % nodes, sizes[n // nodes % len(sizes)]) for sizes, count in counts for n in range(count)]
    random.Random(NODES).shuffle(drawn)
    return [Message(number, author, size) for number, (author, size) in enumerate(drawn)]


async def twenty_four(scene):
    linked = neighbours(NODES, OFFSETS)
    scene.nodes = await started(scene, cast(scene.commands, NODES), "--gossip-id", "go", "--gossip-rpc", str(RPC),
                                *KEPT_APART)
    await link(scene.nodes, linked)
    await limited(*(node.ask("gossip_join", topic=TOPIC) for node in scene.nodes))
    for node, others in zip(scene.nodes, linked):
        with scene.telling(node):
            await subscribed(node, [scene.nodes[other] for other in others], TOPIC)
            await meshed(node, MESH_LEAST, TOPIC)
    messages = plan(NODES)
    await publish(scene, messages)
    scene.played = Played(messages, ids_by_text(scene.nodes), await lost_links(scene.nodes, linked))


async def lost_links(nodes, linked):
    """Raises if the graph was not as sparse as it was meant to be."""
    lost, numbers = [], {node.id: number for number, node in enumerate(nodes)}
    for number, node in enumerate(nodes):
        found = {numbers[known] for known in await neighbours_of(node)}
        expect(found <= linked[number], f"a {node.stack} node has made connections of its own")
        lost += [f"{node.stack} {number} {nodes[other].stack} {other}" for other in linked[number] - found]
    return lost


async def publish(scene, messages):
    """What does not arrive in time is not waited for again: the cases tell of it."""
    wanted = [0] * len(scene.nodes)
    for at in range(0, len(messages), WAVE):
        wave = messages[at:at + WAVE]
        await together(*(one_of(scene, message) for message in wave))
        for number in range(len(wanted)):
            wanted[number] += sum(1 for message in wave if message.author != number)
        await arrival(scene, wanted)
        wanted = [min(count, len(node.messages)) for node, count in zip(scene.nodes, wanted)]
    await asyncio.sleep(SETTLE_SECONDS)


async def one_of(scene, message):
    author = scene.nodes[message.author]
    with scene.telling(author):
        await author.ask("gossip_burst", 30, topic=TOPIC, count=1, size=message.size, interval_us=1,
                         prefix=f"mesh-{message.number}")


async def arrival(scene, wanted):
    clock = asyncio.get_running_loop().time
    late = clock() + ARRIVAL_SECONDS
    while clock() < late and any(len(node.messages) < count for node, count in zip(scene.nodes, wanted)):
        await asyncio.sleep(0.02)


def text_of(event):
    return bytes.fromhex(event["data"]).decode(errors="replace").rstrip()


def ids_by_text(nodes):
    ids = collections.defaultdict(set)
    for node in nodes:
        for event in node.messages:
            ids[text_of(event)].add(event["message_id"])
    return ids


@case("gossip-mesh-of-24", on=twenty_four, seconds=60, everybody=True, large=True, setup_seconds=300)
async def mesh_of_24(scene):
    """Of 1,000 messages of 100 B to 512 KiB all of a stack's reach all subscribers of another once, under one id."""
    authors = {number for number, node in enumerate(scene.nodes) if node.stack == scene.link.dialer}
    sent = [message for message in scene.played.messages if message.author in authors]
    split = [message.text for message in sent if len(scene.played.ids[message.text]) > 1]
    expect(not split, f"{len(split)} messages of {scene.link.dialer} have several ids, {split[:3]}")
    for number, node in enumerate(scene.nodes):
        if node.stack == scene.link.listener:
            has_once(scene, node, [message for message in sent if message.author != number])
    scene.note(f"{len(sent)} messages" + (f"; lost links: {', '.join(scene.played.lost)}" if scene.played.lost else ""))


def has_once(scene, node, messages):
    """Each of these messages once, of its size and with its author's name."""
    came = collections.defaultdict(list)
    for event in node.messages:
        came[text_of(event)].append((event["size"], event["from"]))
    for problem, wrong in (
            ("got nothing of", [m for m in messages if not came[m.text]]),
            ("got more than once", [m for m in messages if len(came[m.text]) > 1]),
            ("got other than it was", [m for m in messages if came[m.text]
                                       and came[m.text][0] != (m.size, scene.nodes[m.author].id)])):
        told = [(m.text, m.size) for m in wrong[:3]]
        expect(not wrong, f"a {node.stack} node {problem} {len(wrong)} of {len(messages)} messages: {told}")
