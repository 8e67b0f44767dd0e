"""GossipSub: message ids are those of the other stack, so that gossip can repair."""

import asyncio
import collections

from ..case import case, expect
from ..peer import Failure, Unsupported, until
from ..scene import together
from ..stack import GOSSIP_ID

TOPIC = "interop"
MESH_SECONDS = 15.0
# Longer than every stack's heartbeat: whatever would come twice has come by then.
SETTLE_SECONDS = 1.5


def other_ids(scene):
    return ["--gossip-id", GOSSIP_ID[scene.link.other]]


async def lists(peer, verb, wanted):
    return wanted <= set((await peer.ask(verb, topic=TOPIC))["peers"])


async def join(*peers):
    await together(*(peer.ask("gossip_join", topic=TOPIC) for peer in peers))


async def subscribed(one, other):
    await until(lambda: lists(one, "gossip_peers", {other.id}), MESH_SECONDS,
                f"{one.stack} knows that {other.stack} has subscribed")


async def meshed(one, other):
    """A stack that cannot list its mesh is given the time of two heartbeats after the subscription."""
    await subscribed(one, other)
    try:
        await until(lambda: lists(one, "gossip_mesh", {other.id}), MESH_SECONDS,
                    f"{one.stack} has {other.stack} in its mesh")
    except Unsupported:
        await asyncio.sleep(2)


async def mesh(scene):
    """Both have joined and are in each other's mesh."""
    await scene.start_pair(*other_ids(scene))
    await scene.connect_pair()
    await join(scene.dialer, scene.listener)
    await together(*(meshed(one, other) for one, other in scene.ends))


def heard(peer, prefix):
    """How often each text of a burst has come."""
    texts = (bytes.fromhex(m["data"]).decode(errors="replace").rstrip() for m in peer.messages)
    return collections.Counter(text for text in texts if text.startswith(prefix + "-"))


async def arrives_once(peer, prefix, count, seconds):
    async def all_here():
        return len(heard(peer, prefix)) >= count
    try:
        await until(all_here, seconds, f"{count} messages {prefix}")
    except Failure:
        raise Failure(f"{peer.stack} got {len(heard(peer, prefix))} of {count} messages {prefix}") from None
    await asyncio.sleep(SETTLE_SECONDS)
    counts = heard(peer, prefix)
    wanted = {f"{prefix}-{i}" for i in range(count)}
    expect(set(counts) == wanted, f"{peer.stack} got texts that nobody sent: {sorted(set(counts) - wanted)[:3]}")
    doubled = [text for text, times in counts.items() if times > 1]
    expect(not doubled, f"{peer.stack} delivered {len(doubled)} messages more than once, {doubled[:3]}")


async def burst(one, other, prefix, count, size=200, interval_us=2000, seconds=30.0):
    await together(
        one.ask("gossip_burst", seconds, topic=TOPIC, count=count, size=size, interval_us=interval_us,
                prefix=prefix),
        arrives_once(other, prefix, count, seconds))


@case("gossip-both-ways", on=mesh, seconds=60)
async def both_ways(scene):
    """500 messages each way at once: none lost, none doubled. They are large enough for IDONTWANT."""
    await together(*(burst(one, other, f"both-{i}", 500, size=1100)
                     for i, (one, other) in enumerate(scene.ends)))
    for one, other in scene.ends:
        authors = {m["from"] for m in one.messages}
        expect(authors == {other.id}, f"{one.stack} names the authors {authors}")


@case("gossip-large", on=mesh, seconds=60)
async def large(scene):
    """48 KiB in one message."""
    for i, (one, other) in enumerate(scene.ends):
        await burst(one, other, f"large-{i}", 1, size=48 << 10)
        sizes = [m["size"] for m in other.messages if m["size"] > 10_000]
        expect(48 << 10 in sizes, f"{other.stack} got messages of {sizes} bytes")


@case("gossip-leave", on=mesh, seconds=60)
async def leave(scene):
    """Leaving and coming back are announced."""
    for one, other in scene.ends:
        await other.ask("gossip_leave", topic=TOPIC)
        await until(lambda: unlisted(one, other), 10, f"{one.stack} knows that {other.stack} has left")
        await join(other)
        await subscribed(one, other)


async def unlisted(one, other):
    return not await lists(one, "gossip_peers", {other.id})


async def line(scene):
    """Two of the dialer's stack, with the listener between them."""
    await scene.start_pair(*other_ids(scene))
    far = await scene.start(scene.link.dialer, *other_ids(scene))
    await scene.connect_pair()
    await far.ask("connect", addr=scene.listener.addr)
    scene.nodes = [scene.dialer, scene.listener, far]
    await join(*scene.nodes)
    await together(*(meshed(end, scene.listener) for end in (scene.dialer, far)),
                   *(meshed(scene.listener, end) for end in (scene.dialer, far)))


@case("gossip-forward", on=line, fresh=True, seconds=60)
async def forward(scene):
    """A signed message passes through the listener unharmed."""
    near, middle, far = scene.nodes
    await together(burst(near, far, "near", 50), burst(far, near, "far", 50), arrives_once(middle, "near", 50, 30))
    expect({m["from"] for m in near.messages} == {far.id}, "the author was changed on the way")


async def cut(scene):
    """Subscribed to each other with a mesh of nobody."""
    await scene.start_pair(*other_ids(scene), "--gossip-d", "0")
    await scene.connect_pair()
    await join(scene.dialer, scene.listener)
    await together(*(subscribed(one, other) for one, other in scene.ends))


async def empty_mesh(peer):
    in_mesh = (await peer.ask("gossip_mesh", topic=TOPIC))["peers"]
    expect(not in_mesh, f"{peer.stack} has {in_mesh} in a mesh that must be empty")


@case("gossip-repair", on=cut, fresh=True, seconds=60)
async def repair(scene):
    """With the mesh cut only IHAVE and IWANT can carry a message."""
    for i, (one, other) in enumerate(scene.ends):
        await together(empty_mesh(one), empty_mesh(other))
        await burst(one, other, f"repair-{i}", 5, interval_us=100_000)
        await together(empty_mesh(one), empty_mesh(other))


async def unsigned_mesh(scene):
    await scene.start_pair("--gossip-sign", "none", "--gossip-id", "sha256")
    await scene.connect_pair()
    await join(scene.dialer, scene.listener)
    await together(*(meshed(one, other) for one, other in scene.ends))


@case("gossip-unsigned", on=unsigned_mesh, fresh=True, seconds=60)
async def unsigned(scene):
    """StrictNoSign: no author, number, signature or key on the wire."""
    await together(*(burst(one, other, f"unsigned-{i}", 50) for i, (one, other) in enumerate(scene.ends)))
    for one, _ in scene.ends:
        expect({m["from"] for m in one.messages} == {""}, f"{one.stack} names an author")
