"""Five Kademlia nodes of mixed stacks. The listener's stack is the bootstrap: the others dial it."""

import itertools

from .peer import Unsupported, until
from .scene import together

NODES = 5
FORM_SECONDS = 30.0


def cast(link, available):
    """Bootstrap, one actor of each stack, and two more, of third stacks where there are any."""
    third = [name for name in available if name not in (link.dialer, link.listener)]
    rest = itertools.chain(third, itertools.cycle([link.dialer, link.listener]))
    actors = [link.listener, link.dialer, link.listener]
    return actors + list(itertools.islice(rest, NODES - len(actors)))


async def five(scene):
    """The network has formed: the bootstrap knows the other four, and they know somebody."""
    scene.nodes = await together(*(scene.start(name) for name in cast(scene.link, scene.commands)))
    bootstrap, scene.dialer, scene.listener, *_ = scene.nodes
    await together(*(node.ask("kad_bootstrap", FORM_SECONDS, peers=[bootstrap.addr])
                     for node in scene.nodes[1:]))
    joined = {node.id for node in scene.nodes[1:]}
    await until(lambda: knows(bootstrap, joined), FORM_SECONDS, "the bootstrap's table holds the other four")
    for node in scene.nodes[1:]:
        await until(lambda node=node: knows(node, {bootstrap.id}), FORM_SECONDS,
                    f"{node.stack}'s table holds the bootstrap")


async def knows(node, ids):
    """A stack that cannot list its table is taken at its word."""
    try:
        return ids <= set((await node.ask("kad_table"))["peers"])
    except Unsupported:
        return True
