"""A network of GossipSub whose nodes are linked as a sparse graph, each to a few that are of other stacks mostly."""

import asyncio
import itertools

from . import stack
from .peer import Unsupported, until
from .scene import connect, together

AT_ONCE = 6
FORM_SECONDS = 30.0


def neighbours(nodes, offsets):
    """By number those whom each is linked to, when everybody dials those that are so far behind it on a ring."""
    linked = [set() for _ in range(nodes)]
    for at, offset in itertools.product(range(nodes), offsets):
        linked[at].add((at + offset) % nodes)
        linked[(at + offset) % nodes].add(at)
    return linked


def cast(commands, nodes):
    """As many of each stack as of the others, and neighbours on the ring are of different ones."""
    stacks = [name for name in (stack.US, *stack.OTHERS) if name in commands]
    return list(itertools.islice(itertools.cycle(stacks), nodes))


async def limited(*work):
    """All of it, a few at a time."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(task):
        async with limit:
            return await task
    return await together(*(one(task) for task in work))


async def link(nodes, linked):
    await limited(*(connect(nodes[one], nodes[other]) for one, others in enumerate(linked) for other in others
                    if one < other))


async def subscribed(node, others, topic):
    """It knows of each of the others that it has subscribed."""
    wanted = {other.id for other in others}

    async def knows():
        return wanted <= set((await node.ask("gossip_peers", topic=topic))["peers"])
    await until(knows, FORM_SECONDS, f"{node.stack} knows that all {len(wanted)} neighbours have subscribed", every=0.5)


async def meshed(node, least, topic):
    """Its mesh has so many at least. A stack that cannot list its mesh is taken at its word."""
    async def enough():
        return len((await node.ask("gossip_mesh", topic=topic))["peers"]) >= least
    try:
        await until(enough, FORM_SECONDS, f"{node.stack} has {least} in its mesh", every=0.5)
    except Unsupported:
        pass
