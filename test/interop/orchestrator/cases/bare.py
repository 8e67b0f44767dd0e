"""The other side serves neither identify nor ping: protocols must be probed."""

import asyncio

from ..case import case, expect
from ..peer import Failure
from ..scene import together
from . import gossip, kad

# Longer than the interval of anybody's pings, and than the time given to their answers.
HOLD_SECONDS = 45


async def bare_other(scene):
    """The stack that is held against us runs bare; between two of one stack the listener does."""
    flags = gossip.other_ids(scene)
    listener_is_bare = scene.link.listener == scene.link.other
    await scene.start_pair(*flags, listener_flags=["--bare"] if listener_is_bare else [],
                           dialer_flags=[] if listener_is_bare else ["--bare"])
    await scene.connect_pair()


def us_and_bare(scene):
    return scene.ends[0] if "--bare" in scene.listener.flags else scene.ends[1]


@case("connect-bare", on=bare_other, about_us=True)
async def connect_bare(scene):
    """Streams of a named protocol open both ways."""
    for one, other in scene.ends:
        await one.ask("echo", peer=other.id, bytes=4)


@case("kad-bare", on=bare_other, seconds=90, about_us=True)
async def kad_bare(scene):
    """Each comes into the other's table and serves it."""
    for one, _ in scene.ends:
        await one.ask("kad_table")  # a stack that leaves Kademlia out says so
    for one, other in scene.ends:
        await one.ask("kad_bootstrap", 10, peers=[other.addr])
    us, bare = us_and_bare(scene)
    expect((await us.ask("kad_table"))["peers"] == [bare.id], f"{us.stack} has no bare {bare.stack} in its table")
    for one, other in scene.ends:
        key = kad.new_key()
        await kad.put(one, key, b"bare".hex())
        await kad.gets(other, key, b"bare".hex())


@case("gossip-bare", on=bare_other, seconds=60, about_us=True)
async def gossip_bare(scene):
    """Messages pass both ways."""
    await in_each_others_mesh(scene)
    await bursts(scene, "bare")


@case("gossip-bare-45s", on=bare_other, seconds=120, fresh=True, idle=True, about_us=True)
async def hold(scene):
    """That nobody answers our pings costs neither the connection nor the mesh."""
    await in_each_others_mesh(scene)
    us, bare = us_and_bare(scene)
    for _ in range(3):
        await is_not_answered(us, bare)
        await asyncio.sleep(HOLD_SECONDS / 3)
    for one, _ in scene.ends:
        lost = [e for e in one.events if e["event"] == "disconnected"]
        expect(not lost, f"{one.stack} lost a connection: {lost}")
    await bursts(scene, "held")


async def is_not_answered(us, bare):
    try:
        await us.ask("ping", peer=bare.id, count=1, interval_ms=1)
    except Failure:
        return
    raise Failure(f"the bare {bare.stack} answers pings")


async def in_each_others_mesh(scene):
    await gossip.join(scene.dialer, scene.listener)
    await together(*(gossip.meshed(one, other) for one, other in scene.ends))


async def bursts(scene, prefix):
    await together(*(gossip.burst(one, other, f"{prefix}-{i}", 50) for i, (one, other) in enumerate(scene.ends)))
