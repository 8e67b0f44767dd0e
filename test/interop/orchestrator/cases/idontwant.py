"""IDONTWANT: who has a message says so, and is not sent it again.

An author, and two who have its messages at the same moment and keep them for a while before they forward them.
The quick one would send all of it to the slow one, who has not even judged it yet: of what is small it does, of
what is large the slow one has told it by then that it has it.
"""

import asyncio

from ..case import case, expect
from ..counts import counts
from ..peer import Failure, until
from ..scene import KEPT_APART, connect, together
from .gossip import heard, join, meshed, other_ids, TOPIC

QUICK_MS, SLOW_MS = 600, 1600
"""Beyond every delay of a busy machine, within the two heartbeats for which all but py remember what is not wanted."""
COUNT, INTERVAL_US = 20, 50_000
SMALL, LARGE = 200, 4096
"""js says it from 512 bytes on, the others from 1,000 or 1,024."""
DELIVERY_SECONDS = 15
TRIES = 3
"""On a machine that is so busy that QUICK_MS pass before a word is said, a burst shows nothing; one that is kept shows all."""


async def triangle(scene, quick_is_us):
    """The quick one, the slow one and the author, each in the mesh of both others."""
    flags = [*other_ids(scene), *KEPT_APART]
    us_first = scene.link.dialer == scene.link.us
    holds = [["--gossip-hold", str(ms)] for ms in (QUICK_MS, SLOW_MS)]
    of_us, of_other = holds if quick_is_us else reversed(holds)
    await scene.start_pair(*flags, dialer_flags=of_us if us_first else of_other,
                           listener_flags=of_other if us_first else of_us)
    author = await scene.start(scene.link.us, *flags)
    quick, slow = scene.ends[0] if us_first == quick_is_us else scene.ends[1]
    scene.nodes = [quick, slow, author]
    await scene.connect_pair()
    await together(connect(author, quick), connect(author, slow))
    await join(*scene.nodes)
    await together(*(meshed(one, other) for one in scene.nodes for other in scene.nodes if one is not other))


async def they_are_quick(scene):
    await triangle(scene, quick_is_us=False)


async def we_are_quick(scene):
    await triangle(scene, quick_is_us=True)


async def burst_of(scene, prefix, size):
    """What the quick one and the slow one have counted meanwhile, once both have delivered and forwarded it all."""
    quick, slow, author = scene.nodes
    before = await counts(quick), await counts(slow)
    await author.ask("gossip_burst", topic=TOPIC, count=COUNT, size=size, interval_us=INTERVAL_US, prefix=prefix)

    async def all_here():
        return all(len(heard(peer, prefix)) == COUNT for peer in (quick, slow))
    await until(all_here, DELIVERY_SECONDS, f"{quick.stack} and {slow.stack} have all {COUNT} messages {prefix}")
    await asyncio.sleep(2 * SLOW_MS / 1000)
    for peer in (quick, slow):
        expect(set(heard(peer, prefix).values()) == {1}, f"{peer.stack} delivered messages more than once")
    return await counts(quick) - before[0], await counts(slow) - before[1]


async def kept(scene, prefix, judge):
    """Of large bursts one must be as the judge wants it."""
    for attempt in range(TRIES):
        quick, slow = await burst_of(scene, f"{prefix}-{attempt}", LARGE)
        scene.note(f"of {COUNT}: {slow}; {quick}")
        try:
            return judge(quick, slow)
        except Failure:
            if attempt == TRIES - 1:
                raise


async def spared(scene):
    """Until now the slow one has said nothing, for IDONTWANT is for what is large."""
    _, slow = await burst_of(scene, "small", SMALL)
    slow.exactly("copies_in", 2 * COUNT)
    slow.exactly("idontwant_out", 0)
    await kept(scene, "large", heeded)


def heeded(quick, slow):
    """What the slow one does not want the quick one, which would have sent it long ago, has not sent."""
    slow.at_least("idontwant_out", COUNT)
    quick.at_least("idontwant_in", COUNT)
    quick.at_least("not_wanted", COUNT)
    slow.exactly("copies_in", COUNT)


def heeded_late(quick, slow):
    """What the quick one does not want the slow one has not sent."""
    quick.at_least("idontwant_out", COUNT)
    slow.at_least("idontwant_in", COUNT)
    slow.at_least("not_wanted", COUNT)
    quick.exactly("copies_in", COUNT)


@case("gossip-idontwant-ours", on=they_are_quick, seconds=60)
async def ours(scene):
    """What we say that we do not want the other keeps to itself; what is small it sends."""
    await spared(scene)


@case("gossip-idontwant-late", on=they_are_quick, seconds=60)
async def late(scene):
    """What the other says that it does not want when it forwards it we keep to ourselves when it is our turn."""
    await kept(scene, "late", heeded_late)


@case("gossip-idontwant-theirs", on=we_are_quick, fresh=True, seconds=60)
async def theirs(scene):
    """What the other says that it does not want we keep to ourselves; what is small we send."""
    await spared(scene)
