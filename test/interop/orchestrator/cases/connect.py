"""Noise and Yamux: the connection itself."""

from ..case import case, expect
from ..peer import Failure, until
from ..scene import KEPT_APART, together
from ..stack import EARLY_MUXER

# Nobody has this identity: its seed is thirty-two zero bytes.
SOMEBODY_ELSE = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


async def strangers(scene):
    """Dialer and listener run and do not know each other."""
    await scene.start_pair(*KEPT_APART)


async def greet(scene, since=(0, 0)):
    """Both sides report the connection, and bytes pass in both directions."""
    dialer, listener = scene.dialer, scene.listener
    await together(
        dialer.wait(lambda e: is_connected(e, listener.id, False), 5, "connected event (outbound)", since[0]),
        listener.wait(lambda e: is_connected(e, dialer.id, True), 5, "connected event (inbound)", since[1]))
    for one, other in scene.ends:
        await one.ask("echo", peer=other.id, bytes=5)


def is_connected(event, peer, inbound):
    return event["event"] == "connected" and event["peer"] == peer and event["inbound"] is inbound


@case("connect-early", on=strangers, fresh=True)
async def early(scene):
    """The muxer is agreed inside the Noise handshake where both stacks do that."""
    answer = await scene.connect_pair()
    expect(answer["peer"] == scene.listener.id, f"connected to {answer['peer']}")
    possible = {scene.link.dialer, scene.link.listener} <= EARLY_MUXER
    expect(answer.get("muxer_early") in ((True, None) if possible else (False, None)),
           f"muxer_early is {answer.get('muxer_early')}")
    await greet(scene)


async def without_early_muxer(scene):
    await scene.start_pair(*KEPT_APART, listener_flags=["--no-early-muxer"])


@case("connect-plain", on=without_early_muxer, fresh=True)
async def plain(scene):
    """A listener that offers no muxer in Noise is asked by multistream-select."""
    answer = await scene.connect_pair()
    expect(answer.get("muxer_early") in (False, None), "the muxer was agreed early")
    await greet(scene)


async def without_early_dial(scene):
    await scene.start_pair(*KEPT_APART, dialer_flags=["--no-early-muxer"])


@case("connect-plain-dial", on=without_early_dial, fresh=True)
async def plain_dial(scene):
    """A dialer that offers no muxer in Noise asks by multistream-select."""
    answer = await scene.connect_pair()
    expect(answer.get("muxer_early") in (False, None), "the muxer was agreed early")
    await greet(scene)


@case("connect-without-id", on=strangers, fresh=True)
async def without_id(scene):
    """An address without /p2p is dialed; the handshake tells who answered."""
    answer = await scene.dialer.ask("connect", addr=scene.listener.addrs[0])
    expect(answer["peer"] == scene.listener.id, f"connected to {answer['peer']}")
    await greet(scene)


@case("connect-wrong-id", on=strangers, fresh=True)
async def wrong_id(scene):
    """Somebody else at the address is refused, and the right id still works afterwards."""
    try:
        answer = await scene.dialer.ask("connect", addr=f"{scene.listener.addrs[0]}/p2p/{SOMEBODY_ELSE}")
    except Failure:
        pass
    else:
        raise Failure(f"took {scene.listener.id} for {answer['peer']}")
    for one, _ in scene.ends:
        await until(lambda one=one: no_connection(one), 5, f"{one.stack} has dropped the connection")
    await scene.connect_pair()
    await greet(scene)


async def no_connection(peer):
    return not (await peer.ask("connections"))["peers"]


@case("connect-again", on=strangers, fresh=True)
async def again(scene):
    """A disconnect is seen on both sides, and the same two connect once more."""
    dialer, listener = scene.dialer, scene.listener
    await scene.connect_pair()
    await greet(scene)
    await dialer.ask("disconnect", peer=listener.id)
    await together(
        dialer.wait(lambda e: is_gone(e, listener.id), 5, "disconnected event"),
        listener.wait(lambda e: is_gone(e, dialer.id), 5, "disconnected event"))
    for one, _ in scene.ends:
        await until(lambda one=one: no_connection(one), 5, f"{one.stack} has no connection left")
    since = len(dialer.events), len(listener.events)
    await scene.connect_pair()
    await greet(scene, since)


def is_gone(event, peer):
    return event["event"] == "disconnected" and event["peer"] == peer
