"""Whether go's routing table admits nodes and keeps them.

go takes a node out when it can no longer be reached, when it does not answer a lookup, which go asks of whomever
it has not heard of for 4.3 periods between two refreshes, and when it has been useless for twice that and others
want its place (kad-dht's dht.go, rtrefresh and kbucket).
"""

import asyncio

from ..case import case, expect
from ..network import FORM_SECONDS, knows
from ..peer import until
from ..scene import together

NODES = 4
PERIOD = 1.0
"""Between two refreshes of go's table, in seconds, so that a case need not last for its usual ten minutes."""
USELESS_AFTER = 8.7 * PERIOD
MINUTES = 10


async def admitted(scene, *periods):
    """A go node of each period, and the listeners: some come to go, go comes to one, one is heard of."""
    scene.others = await together(*(scene.start(scene.link.dialer, *period) for period in periods))
    scene.nodes = await together(*(scene.start(scene.link.listener) for _ in range(NODES)))
    first, second, visited, hearsay = scene.nodes
    for watcher in scene.others:
        await enters(watcher, visited)
        await together(enters(first, watcher), enters(second, watcher))
    await enters(hearsay, first)
    for watcher in scene.others:
        await until(lambda watcher=watcher: knows(watcher, ids(scene.nodes)), FORM_SECONDS,
                    f"{watcher.stack}'s table holds all {NODES}")


async def enters(node, through):
    await node.ask("kad_bootstrap", FORM_SECONDS, peers=[through.addr])


def ids(nodes):
    return {node.id for node in nodes}


async def keeps(scene, seconds, every):
    """Looks at each table again and again; one look without one of the nodes is enough to fail."""
    looks, clock = 0, asyncio.get_running_loop().time
    end = clock() + seconds
    while clock() < end:
        for watcher in scene.others:
            missing = ids(scene.nodes) - set((await watcher.ask("kad_table"))["peers"])
            expect(not missing, f"{watcher.stack} has lost {missing} after {seconds - (end - clock()):.0f} s")
        looks += 1
        await asyncio.sleep(every)
    scene.note(f"{len(scene.nodes)} nodes in the tables of {len(scene.others)} at each of {looks} looks in {seconds:.0f} s")


async def hasty(scene):
    await admitted(scene, ["--kad-refresh", f"{PERIOD:g}s"])


@case("kad-kept", on=hasty, seconds=90, fresh=True, idle=True, dialer="go")
async def kept(scene):
    """Refreshed every second, go's table keeps us for as long as it keeps the useless twice; and drops the dead."""
    await keeps(scene, 2 * USELESS_AFTER, every=0.25)
    dead, [watcher] = scene.nodes.pop(), scene.others
    await dead.close()
    await until(lambda: lost(watcher, dead), 3 * USELESS_AFTER, f"{watcher.stack}'s table has lost the dead")
    await keeps(scene, PERIOD, every=0.25)


async def lost(watcher, node):
    return not await knows(watcher, {node.id})


async def patient(scene):
    await admitted(scene, [], ["--kad-refresh", "1m"])


@case("kad-kept-ten-minutes", on=patient, seconds=60 * MINUTES + 120, fresh=True, idle=True, long=True, dialer="go")
async def kept_ten_minutes(scene):
    """go's table keeps us for ten minutes, as go is and with a refresh every minute."""
    await keeps(scene, 60 * MINUTES + 30, every=1)  # the refresh after ten minutes included
