"""GossipSub: message ids are those of the other stack, so that gossip can repair."""

import asyncio
import collections

from ..case import case, expect
from ..counts import counts
from ..peer import Failure, Unsupported, until
from ..scene import KEPT_APART, connect, together
from ..stack import GOSSIP_ID

TOPIC = "interop"
MESH_SECONDS = 15.0
# Longer than every stack's heartbeat: whatever would come twice has come by then.
SETTLE_SECONDS = 1.5


def other_ids(scene):
    return ["--gossip-id", GOSSIP_ID[scene.link.other]]


async def neighbours(peer):
    return {c["peer"] for c in (await peer.ask("connections"))["peers"]}


async def knows_only(peer, *wanted):
    found = await neighbours(peer)
    expect(found == {w.id for w in wanted}, f"{peer.stack} is connected to {found}")


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
    flags = [*other_ids(scene), *KEPT_APART]
    await scene.start_pair(*flags)
    far = await scene.start(scene.link.dialer, *flags)
    await scene.connect_pair()
    await connect(far, scene.listener)
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
    await together(knows_only(near, middle), knows_only(far, middle))


async def in_mesh(peer):
    return set((await peer.ask("gossip_mesh", topic=TOPIC))["peers"])


REPAIRED = 5


async def repair(scene, source_first):
    """A source whose mesh is full with two companions, and a receiver that is in nobody's mesh.

    The mesh must be full: rust and js hand a publish to others of the topic while it is not. The receiver
    joins before it knows anybody: go takes D=0 for "all" when it joins.
    """
    flags = [*other_ids(scene), *KEPT_APART]
    source_flags, receiver_flags = ["--gossip-d", "2"], ["--gossip-d", "0"]
    await scene.start_pair(*flags, dialer_flags=source_flags if source_first else receiver_flags,
                           listener_flags=receiver_flags if source_first else source_flags)
    source, receiver = scene.ends[0] if source_first else scene.ends[1]
    companions = [await scene.start(source.stack, *flags) for _ in range(2)]
    scene.nodes = [source, receiver, *companions]
    for companion in companions:
        await connect(companion, source)
    await join(source, *companions)
    await together(*(meshed(source, companion) for companion in companions))
    await join(receiver)
    await scene.connect_pair()
    await together(subscribed(source, receiver), subscribed(receiver, source))


async def dialer_repairs(scene):
    await repair(scene, source_first=False)


async def listener_repairs(scene):
    await repair(scene, source_first=True)


async def only_gossip_carries(scene):
    source, receiver, *companions = scene.nodes
    before = await counts(source), await counts(receiver)
    for moment in ("before", "after"):
        expect(not await in_mesh(receiver), f"{receiver.stack} has a mesh {moment} the burst")
        expect(await in_mesh(source) == {c.id for c in companions}, f"{source.stack} grafted others {moment}")
        if moment == "before":
            await burst(source, receiver, "repair", REPAIRED, interval_us=100_000)
    await knows_only(receiver, source)
    offered, asked = await counts(source) - before[0], await counts(receiver) - before[1]
    offered.at_least("ihave_out", 1)
    offered.at_least("iwant_in", 1)
    offered.exactly("copies_out", REPAIRED * (len(companions) + 1))
    asked.at_least("ihave_in", 1)
    asked.at_least("iwant_out", 1)
    asked.exactly("copies_in", REPAIRED)
    scene.note(f"{offered}; {asked}")


@case("gossip-repair-by-dialer", on=dialer_repairs, fresh=True, seconds=60)
async def repair_by_dialer(scene):
    """A dialer outside the mesh gets by IHAVE and IWANT what the listener publishes."""
    await only_gossip_carries(scene)


@case("gossip-repair-by-listener", on=listener_repairs, fresh=True, seconds=60)
async def repair_by_listener(scene):
    """A listener outside the mesh gets by IHAVE and IWANT what the dialer publishes."""
    await only_gossip_carries(scene)


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
