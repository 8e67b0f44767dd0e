"""/ipfs/ping/1.0.0."""

from ..case import case, expect
from ..scene import connected, together


async def ping(one, other, count, interval_ms, seconds):
    rtts = (await one.ask("ping", seconds, peer=other.id, count=count, interval_ms=interval_ms))["rtts_us"]
    expect(len(rtts) == count, f"{one.stack} has {len(rtts)} answers to {count} pings")
    expect(all(rtt >= 0 for rtt in rtts), f"{one.stack} measured {rtts}")
    return rtts


@case("connect-ping", on=connected)
async def some(scene):
    """Five from each side."""
    for one, other in scene.ends:
        rtts = await ping(one, other, 5, 20, 20)
        scene.note(f"{one.stack}: median {sorted(rtts)[2]} µs")


@case("connect-ping-30s", on=connected, seconds=75, fresh=True, idle=True)
async def long(scene):
    """One a second from both sides for 30 s: the connection outlives every idle timer."""
    await together(*(ping(one, other, 30, 1000, 45) for one, other in scene.ends))
    for one, other in scene.ends:
        lost = [e for e in one.events if e["event"] == "disconnected"]
        expect(not lost, f"{one.stack} lost a connection: {lost}")
        held = (await one.ask("connections"))["peers"]
        expect(any(c["peer"] == other.id for c in held), f"{one.stack} holds no connection")
