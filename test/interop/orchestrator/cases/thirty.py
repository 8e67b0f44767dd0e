"""Kademlia at the size of a network: thirty residents of all stacks, and a guest of each who has come and gone.

What a guest leaves behind lives on the residents alone, and is asked for by those of them that are too far
from its key to hold it.
"""

import asyncio
import dataclasses
import hashlib
import itertools

from .. import stack
from ..case import case
from ..gathering import by_stack, far_from_some, formed, keys, started, strangers
from ..network import FORM_SECONDS, knows
from ..peer import Failure, Peer, Unsupported, until
from ..scene import together
from .gossip import neighbours
from .kad import SECONDS, finds_peer, finds_provider, gets, put

NODES = 30

# A rust peer has not sent its ADD_PROVIDER yet when it says that it has provided: nobody answers one.
PROVIDED_SECONDS = 0.5


@dataclasses.dataclass
class Left:
    """Under a key, and for each stack a resident that was not asked to hold it."""

    key: str
    far: dict
    value: str = ""


@dataclasses.dataclass
class Visit:
    """Each part is what came of it, or the problem that it ended with."""

    guest: Peer
    sought: dict
    """Of each stack a resident that the guest did not know, None if it knew them all, and the problem if there was."""
    put: object
    provided: object


async def thirty(scene):
    """As many of each stack as of the others, whom a guest of each has visited."""
    stacks = [name for name in (stack.US, *stack.OTHERS) if name in scene.commands]
    await formed(scene, list(itertools.islice(itertools.cycle(stacks), NODES)))
    scene.others = await started(scene, stacks)
    visits = await together(*(outcome(visit(scene, guest)) for guest in scene.others))
    await together(*(guest.close() for guest in scene.others))
    scene.visits = dict(zip(stacks, visits))


async def visit(scene, guest):
    door = entrance(scene, guest)
    await guest.ask("connect", addr=door.addr)
    await until(lambda: knows(guest, {door.id}), FORM_SECONDS, f"{guest.stack} knows its entrance", every=0.02)
    sought = await seeks_one_of_each(scene, guest)
    await guest.ask("kad_bootstrap", FORM_SECONDS, peers=[door.addr])
    return Visit(guest, sought, await outcome(puts(scene, guest)), await outcome(provides(scene, guest)))


def entrance(scene, guest):
    """A resident of the stack before, so that every stack shows one in."""
    residents = by_stack(scene.nodes)
    stacks = list(residents)
    return residents[stacks[stacks.index(guest.stack) - 1]][1]


async def seeks_one_of_each(scene, guest):
    """All at once, of those that the guest does not know yet: where the others are it can say without a search."""
    stacks, unknown = list(by_stack(scene.nodes)), strangers(scene.nodes, await known_to(guest))
    return dict(zip(stacks, await together(*(seeks(guest, name, unknown.get(name)) for name in stacks))))


async def known_to(guest):
    """Whom it is connected to or has in its table."""
    return await neighbours(guest) | await in_table(guest)


async def in_table(guest):
    try:
        return set((await guest.ask("kad_table"))["peers"])
    except Unsupported:
        return set()


async def seeks(guest, name, node):
    if node is None:
        return None, Failure(f"{guest.stack} knows every resident of {name} before it has searched")
    return node, await outcome(finds_peer(guest, node))


async def puts(scene, guest):
    key, far = far_from_some(keys(lambda n: f"/v/thirty-{guest.stack}-{n}".encode()), scene.nodes, scene.others)
    left = Left(key.hex(), far, f"left behind by {guest.stack}".encode().hex())
    await put(guest, left.key, left.value)
    return left


async def provides(scene, guest):
    hashes = keys(lambda n: b"\x12\x20" + hashlib.sha256(f"thirty-{guest.stack}-{n}".encode()).digest())
    multihash, far = far_from_some(hashes, scene.nodes, scene.others)
    await guest.ask("kad_provide", SECONDS, cid_multihash=multihash.hex())
    await asyncio.sleep(PROVIDED_SECONDS)
    return Left(multihash.hex(), far)


async def outcome(work):
    try:
        return await work
    except (Failure, Unsupported) as problem:
        return problem


def visit_of(scene, name):
    """Raises what it ended with, if it did not come to its end. The guest of this stack tells of what fails."""
    scene.dialer = next(guest for guest in scene.others if guest.stack == name)
    return own(scene.visits[name])


def own(result):
    """Raises the problem that it is, if it is one."""
    if isinstance(result, Exception):
        raise result
    return result


@case("kad-thirty-find-peer", on=thirty, seconds=60, everybody=True, large=True)
async def find_peer(scene):
    """A newcomer that knows one resident finds one of each stack that it does not know."""
    scene.listener, problem = visit_of(scene, scene.link.dialer).sought[scene.link.listener]
    own(problem)


@case("kad-thirty-get", on=thirty, seconds=60, everybody=True, large=True)
async def get(scene):
    """A value whose author has left is read by one who was never asked to hold it."""
    left = own(visit_of(scene, scene.link.listener).put)
    scene.dialer, scene.listener = left.far[scene.link.dialer], scene.dialer
    await gets(scene.dialer, left.key, left.value)


@case("kad-thirty-providers", on=thirty, seconds=60, everybody=True, large=True)
async def providers(scene):
    """A provider who has left is named to one who was never asked to hold that."""
    left = own(visit_of(scene, scene.link.listener).provided)
    scene.dialer, scene.listener = left.far[scene.link.dialer], scene.dialer
    await finds_provider(scene.dialer, left.key, scene.listener)
