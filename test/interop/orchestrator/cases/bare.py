"""The other side serves neither identify nor ping: protocols must be probed."""

from ..case import case
from ..scene import together
from . import dht, gossip


async def bare_other(scene):
    """The stack that is held against us runs bare; between two of one stack the listener does."""
    link, flags = scene.link, gossip.other_ids(scene)
    listener_is_bare = link.listener == link.other
    await scene.start_pair(*flags, listener_flags=["--bare"] if listener_is_bare else [],
                           dialer_flags=[] if listener_is_bare else ["--bare"])
    await scene.connect_pair()


@case("bare-dial", on=bare_other, about_us=True)
async def dial(scene):
    """Streams of a named protocol open both ways."""
    for one, other in scene.ends:
        await one.ask("echo", peer=other.id, bytes=4)


@case("bare-kad", on=bare_other, seconds=90, about_us=True)
async def kad(scene):
    """Each comes into the other's table and serves it."""
    for one, _ in scene.ends:
        await one.ask("kad_table")  # a stack that leaves Kademlia out says so
    for one, other in scene.ends:
        await one.ask("kad_bootstrap", 10, peers=[other.addr])
    for one, other in scene.ends:
        key = dht.new_key()
        await dht.put(one, key, b"bare".hex())
        await dht.gets(other, key, b"bare".hex())


@case("bare-gossip", on=bare_other, seconds=60, about_us=True)
async def bare_gossip(scene):
    """Messages pass both ways."""
    await gossip.join(scene.dialer, scene.listener)
    await together(*(gossip.meshed(one, other) for one, other in scene.ends))
    await together(*(gossip.burst(one, other, f"bare-{i}", 50) for i, (one, other) in enumerate(scene.ends)))
