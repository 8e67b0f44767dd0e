"""Large Kademlia networks whose nodes know one seed when they start."""

import asyncio
import hashlib

from .base58 import decode_base58
from .network import FORM_SECONDS
from .peer import Failure, until
from .scene import together

STARTED_AT_ONCE = 6

HELD_BY = 20
"""Every stack puts and provides to so many of the closest."""
KEYS_TRIED = 1000
KNOWN_AT_LEAST = 10
"""Of 29 and more. Who knows less depends on its seed."""


async def formed(scene, names):
    """All but the first enter through the first, and in the end each knows many."""
    scene.nodes = await started(scene, names)
    limit = asyncio.Semaphore(STARTED_AT_ONCE)

    async def enters(node):
        async with limit:
            with scene.telling(node):
                await node.ask("kad_bootstrap", FORM_SECONDS, peers=[scene.nodes[0].addr])
    await together(*(enters(node) for node in scene.nodes[1:]))
    for node in scene.nodes:
        with scene.telling(node):
            await until(lambda node=node: knows_many(node), FORM_SECONDS,
                        f"a {node.stack} node knows {KNOWN_AT_LEAST} of the others")


async def started(scene, names, *flags):
    """In the order of the names."""
    limit = asyncio.Semaphore(STARTED_AT_ONCE)

    async def one(name):
        async with limit:
            return await scene.start(name, *flags)
    return await together(*(one(name) for name in names))


async def knows_many(node):
    return len((await node.ask("kad_table"))["peers"]) >= KNOWN_AT_LEAST


def by_stack(nodes):
    stacks = {}
    for node in nodes:
        stacks.setdefault(node.stack, []).append(node)
    return stacks


def strangers(residents, known):
    """Of each stack the last whose id is not known; a stack that is known altogether has none."""
    return {node.stack: node for node in residents if node.id not in known}


def far_from_some(candidates, residents, others):
    """The first key from which each stack has a resident so far that nobody asks it to hold what is put there.

    Returns the key and these residents by stack.
    """
    everybody = [node.id for node in (*residents, *others)]
    for key in candidates:
        near = set(closest(key, everybody))
        far = {node.stack: node for node in residents if node.id not in near}
        if far.keys() == by_stack(residents).keys():
            return key, far
    raise Failure(f"some stack has all its nodes among the {HELD_BY} closest, whatever the key")


def keys(form):
    """form(0), form(1) …"""
    return map(form, range(KEYS_TRIED))


def closest(key, ids, count=HELD_BY):
    """Of peer ids in base58 those closest to the bytes of a key."""
    goal = place(key)
    return sorted(ids, key=lambda text: place(decode_base58(text)) ^ goal)[:count]


def place(key):
    return int.from_bytes(hashlib.sha256(key).digest(), "big")
