"""Kademlia: each case in a network of five, between two nodes that are not its bootstrap."""

import asyncio
import hashlib
import itertools

from ..base58 import decode_base58
from ..case import case, expect
from ..network import FORM_SECONDS, five, knows
from ..peer import Failure, until

SECONDS = 25.0
_numbers = itertools.count()


def new_key():
    return f"/v/interop-{next(_numbers)}".encode().hex()


async def put(node, key, value):
    await node.ask("kad_put", SECONDS, key=key, value=value)


async def gets(node, key, value):
    got = (await node.ask("kad_get", SECONDS, key=key))["value"]
    expect(got == value, f"{node.stack} got {got} where {value} was put")


@case("kad-put-get", on=five, seconds=90)
async def put_get(scene):
    """What one side puts the other gets, and so does a third node."""
    for i, (one, other) in enumerate(scene.ends):
        key, value = new_key(), f"value {i} of {one.stack}".encode().hex()
        await put(one, key, value)
        await gets(other, key, value)
        await gets(scene.nodes[-1], key, value)


@case("kad-newer-value", on=five, seconds=90)
async def newer_value(scene):
    """Of two puts the validator's winner is read on both sides."""
    for one, other in scene.ends:
        key = new_key()
        await put(one, key, b"first".hex())
        await put(other, key, b"second".hex())
        await gets(one, key, b"second".hex())
        await gets(other, key, b"second".hex())


@case("kad-missing", on=five, seconds=60)
async def missing(scene):
    """A key that nobody has put is an answer, not a hang."""
    for one, _ in scene.ends:
        try:
            answer = await one.ask("kad_get", SECONDS, key=new_key())
        except Failure as refusal:
            expect("no answer" not in str(refusal), str(refusal))
        else:
            raise Failure(f"{one.stack} found {answer['value']} under a key that nobody has put")


@case("kad-pk", on=five, seconds=60)
async def public_key(scene):
    """/pk records: one side publishes its key, the other reads and could verify it."""
    for one, other in scene.ends:
        key = (await one.ask("kad_put_pk", SECONDS))["key"]
        identity = decode_base58(one.id)
        expect(bytes.fromhex(key) == b"/pk/" + identity, f"{one.stack} put its key under {key}")
        expect(identity[:2] == b"\x00\x24", f"{one.id} does not inline an Ed25519 key")
        await gets(other, key, identity[2:].hex())


@case("kad-providers", on=five, seconds=60)
async def providers(scene):
    """What one side provides the other finds."""
    for one, other in scene.ends:
        multihash = "1220" + hashlib.sha256(new_key().encode()).hexdigest()
        await one.ask("kad_provide", SECONDS, cid_multihash=multihash)
        await finds_provider(other, multihash, one)


async def finds_provider(node, multihash, provider):
    found = (await node.ask("kad_providers", SECONDS, cid_multihash=multihash, count=1))["peers"]
    expect(provider.id in found, f"{node.stack} found {found}, not {provider.stack}'s {provider.id}")


@case("kad-find-peer", on=five, seconds=60)
async def find_peer(scene):
    """Each finds the other's address through the network."""
    for one, other in scene.ends:
        await finds_peer(one, other)


async def addrs_of(node, sought):
    return (await node.ask("kad_find", SECONDS, peer=sought.id))["addrs"]


async def finds_peer(node, sought):
    if node.stack == "js":  # answers from its own book, which is empty until it has identified whom it is connected to
        await until(lambda: addrs_of(node, sought), SECONDS, f"js has identified {sought.stack}")
    addrs = await addrs_of(node, sought)
    expect(sought.addrs[0] in [a.split("/p2p/")[0] for a in addrs],
           f"{node.stack} found {addrs}; {sought.stack} listens on {sought.addrs[0]}")


async def joins_late(scene, one):
    """Enters through `one`, the first that it asks, and is of the opposite stack: it holds nothing."""
    late = await scene.start(scene.link.listener if one is scene.dialer else scene.link.dialer)
    await late.ask("kad_bootstrap", FORM_SECONDS, peers=[one.addr])
    return late


@case("kad-late-joiner", on=five, fresh=True, seconds=120)
async def late_joiner(scene):
    """One that joins later holds nothing, so it must ask: value, provider and peer."""
    for one, _ in scene.ends:
        multihash, key = "1220" + hashlib.sha256(new_key().encode()).hexdigest(), new_key()
        await put(one, key, b"late".hex())
        await one.ask("kad_provide", SECONDS, cid_multihash=multihash)
        late = await joins_late(scene, one)
        await gets(late, key, b"late".hex())
        await finds_provider(late, multihash, one)
        await finds_peer(late, scene.nodes[-1])


@case("kad-late-joiner-pk", on=five, fresh=True, seconds=120)
async def late_joiner_pk(scene):
    """One that joins later asks for a public key."""
    for one, _ in scene.ends:
        public = (await one.ask("kad_put_pk", SECONDS))["key"]
        await gets(await joins_late(scene, one), public, decode_base58(one.id)[2:].hex())


async def holder(scene):
    """The listener is the only server that remains; visitors of the dialer's stack come and go."""
    scene.listener = await scene.start(scene.link.listener)


async def visitor(scene, *flags):
    peer = await scene.start(scene.link.dialer, *flags)
    await peer.ask("kad_bootstrap", FORM_SECONDS, peers=[scene.listener.addr])
    return peer


@case("kad-held-value", on=holder, fresh=True, seconds=60)
async def held_value(scene):
    """What one that has left put is served by the listener, which alone can have it."""
    key, first = new_key(), await visitor(scene)
    await put(first, key, b"held".hex())
    await first.close()
    await gets(await visitor(scene), key, b"held".hex())


@case("kad-held-pk", on=holder, fresh=True, seconds=60)
async def held_pk(scene):
    """The public key of one that has left is served by the listener."""
    first = await visitor(scene)
    key = (await first.ask("kad_put_pk", SECONDS))["key"]
    await first.close()
    await gets(await visitor(scene), key, decode_base58(first.id)[2:].hex())


@case("kad-held-provider", on=holder, fresh=True, seconds=60)
async def held_provider(scene):
    """The listener tells a newcomer of a provider that has left."""
    multihash, first = "1220" + hashlib.sha256(new_key().encode()).hexdigest(), await visitor(scene)
    await first.ask("kad_provide", SECONDS, cid_multihash=multihash)
    await asyncio.sleep(0.5)  # nobody answers ADD_PROVIDER: rust says done before it is out
    await first.close()
    await finds_provider(await visitor(scene), multihash, first)


@case("kad-held-peer", on=holder, fresh=True, seconds=60)
async def held_peer(scene):
    """Two that know only the listener find each other."""
    first, second = await visitor(scene), await visitor(scene)
    # Either is in the listener's table once it has been identified, which its own bootstrap does not wait for.
    await until(lambda: knows(scene.listener, {first.id, second.id}), FORM_SECONDS, "the listener's table holds both")
    await finds_peer(first, second)
    await finds_peer(second, first)
