"""IPNS over Kademlia: what one side seals with its key the other keeps, finds and judges."""

import dataclasses
import itertools
import re

from ..base58 import decode_base58
from ..case import case, expect
from ..network import five
from ..peer import Failure
from .kad import SECONDS, gets, holder, put, visitor

# Each higher than any before, since the cases of a scene share its names; and more than 32 bits hold.
_sequences = itertools.count(1 << 32)

# What a put says that was sent and that nobody took: kadmesh's and js's; go does not say it.
REFUSED = re.compile("nobody acknowledged, of [1-9]|no peer stored the record")
# What a get says that has found nothing that it believes.
NOTHING = re.compile("not.found")


@dataclasses.dataclass(frozen=True)
class Sealed:
    name: str
    """The peer id whose key has signed it."""
    key: str
    record: str
    path: str
    sequence: int


async def seal(node):
    sequence = next(_sequences)
    path = f"/ipfs/bafkqac3jobxhgidsn5rww4yk/{node.stack}-{sequence}"
    answer = await node.ask("ipns_seal", path=path, sequence=sequence)
    key = (b"/ipns/" + decode_base58(node.id)).hex()
    expect(answer["key"] == key, f"{node.stack}'s name is {answer['key']}, not {key}")
    return Sealed(node.id, key, answer["record"], path, sequence)


async def puts(node, sealed):
    await put(node, sealed.key, sealed.record)


async def reads(node, sealed):
    """What this stack finds under the name says to it what was sealed."""
    found = (await node.ask("kad_get", SECONDS, key=sealed.key))["value"]
    said = await node.ask("ipns_open", peer=sealed.name, record=found)
    expect((said["path"], said["sequence"]) == (sealed.path, sealed.sequence),
           f"{node.stack} reads {said['path']}, {said['sequence']} where {sealed.path}, {sealed.sequence} was sealed")


@case("kad-ipns", on=five, seconds=60)
async def record(scene):
    """Each seals a record with its own key and puts it; the other finds it and reads value and sequence."""
    for one, other in scene.ends:
        sealed = await seal(one)
        await puts(one, sealed)
        await reads(other, sealed)


@case("kad-ipns-newer", on=five, seconds=90)
async def newer_record(scene):
    """Once a name's key has sealed a higher sequence, both sides read that."""
    for one, other in scene.ends:
        for sealed in [await seal(one), await seal(one)]:
            await puts(one, sealed)
            await reads(other, sealed)
            await reads(one, sealed)


async def passes(scene, act, *flags):
    """A visitor that acts and leaves: what is found after it the listener has."""
    node = await visitor(scene, *flags)
    result = await act(node)
    await node.close()
    return result


async def seal_two(node):
    return await seal(node), await seal(node)


@case("kad-held-ipns", on=holder, fresh=True, seconds=90)
async def held_record(scene):
    """The listener serves a record whose sealer has left, and in its place the newer one that it is given."""
    for sealed in await passes(scene, seal_two):
        await passes(scene, lambda node: puts(node, sealed))
        await passes(scene, lambda node: reads(node, sealed))


@case("kad-held-ipns-older", on=holder, fresh=True, seconds=90)
async def held_newer_record(scene):
    """The listener does not give up a record for an older one."""
    older, newer = await passes(scene, seal_two)
    await passes(scene, lambda node: puts(node, newer))
    await passes(scene, lambda node: tries_to_put(node, older.key, older.record))
    await passes(scene, lambda node: reads(node, newer))


async def tries_to_put(node, key, record):
    try:
        await put(node, key, record)
    except Failure as refusal:
        expect(REFUSED.search(str(refusal)), str(refusal))


def altered(sealed):
    """It says another path, in all of its copies: only the signature tells."""
    said = sealed.path.encode().hex()
    expect(sealed.record.count(said) == 2, f"{sealed} does not say its path twice")
    return sealed.record.replace(said, (sealed.path[:-1] + "x").encode().hex())


def flipped(sealed):
    """One bit of its second signature: field 8, 64 bytes, before field 9, the data."""
    fields = re.fullmatch(rb"(.*\x42\x40)(.)(.{63}\x4a.*)", bytes.fromhex(sealed.record), re.DOTALL)
    expect(fields, f"{sealed} has no signature")
    before, byte, behind = fields.groups()
    return (before + bytes([byte[0] ^ 1]) + behind).hex()


async def forge(scene):
    """A record, and what is none of the same name: two that were changed, and one that another key has signed."""
    sealed, newer = await passes(scene, seal_two)
    stranger = await passes(scene, seal)
    return sealed, (altered(newer), flipped(newer), stranger.record)


async def refuses(node, name, record):
    try:
        said = await node.ask("ipns_open", peer=name, record=record)
    except Failure:
        return
    raise Failure(f"{node.stack} reads {said} in a record that {name} has not signed")


@case("kad-held-ipns-forged", on=holder, fresh=True, seconds=120)
async def forged_record(scene):
    """What the name's key has not signed is not kept: one that takes anything finds the true record still."""
    sealed, forgeries = await forge(scene)
    await passes(scene, lambda node: puts(node, sealed))
    for record in forgeries:
        await refuses(scene.listener, sealed.name, record)
        await passes(scene, lambda node: tries_to_put(node, sealed.key, record), "--gullible")
        await passes(scene, lambda node: gets(node, sealed.key, sealed.record), "--gullible")


async def gullible_holder(scene):
    """The only server that remains keeps any record."""
    scene.listener = await scene.start(scene.link.listener, "--gullible")


@case("kad-ipns-deceived", on=gullible_holder, fresh=True, seconds=120)
async def deceived(scene):
    """A holder that keeps what the name's key has not signed is not believed, except by one of its like."""
    sealed, forgeries = await forge(scene)
    for record in sorted(forgeries):  # of two the listener keeps the larger
        await passes(scene, lambda node: put(node, sealed.key, record), "--gullible")
        await passes(scene, lambda node: gets(node, sealed.key, record), "--gullible")
        await passes(scene, lambda node: finds_nothing(node, sealed.key))


async def finds_nothing(node, key):
    try:
        value = (await node.ask("kad_get", SECONDS, key=key))["value"]
    except Failure as refusal:
        expect(NOTHING.search(str(refusal)), str(refusal))
    else:
        raise Failure(f"{node.stack} believes {value}")
