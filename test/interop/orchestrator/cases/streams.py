"""Streams: many, held, half closed, reset."""

from ..case import case, expect
from ..scene import connected


@case("streams-200", on=connected, seconds=90)
async def one_after_another(scene):
    """200 streams, each opened, used and closed before the next; from both sides."""
    for one, other in scene.ends:
        done = (await one.ask("streams", 40, peer=other.id, count=200))["done"]
        expect(done == 200, f"{one.stack} finished {done} of 200 streams")


@case("streams-open-100", on=connected, seconds=90)
async def held(scene):
    """100 streams alive at the same time; from both sides."""
    for one, other in scene.ends:
        done = (await one.ask("streams_open", 40, peer=other.id, count=100))["done"]
        expect(done == 100, f"{one.stack} finished {done} of 100 streams")


@case("streams-half-close", on=connected, seconds=60)
async def half_close(scene):
    """Our end of the writing is not the end of the reading."""
    for one, other in scene.ends:
        for size in (0, 1, 3000, 100_000):
            await one.ask("echo", peer=other.id, bytes=size)


async def sees_reset(one, other):
    seen = (await one.ask("reset", peer=other.id))["seen"]
    expect(seen == "reset", f"{one.stack} saw {seen}")
    await one.ask("echo", peer=other.id, bytes=1)


@case("streams-reset-by-listener", on=connected)
async def by_listener(scene):
    """A reset is seen as a reset, and the connection stays."""
    await sees_reset(scene.dialer, scene.listener)


@case("streams-reset-by-dialer", on=connected)
async def by_dialer(scene):
    """A reset of the listener's stream is seen as a reset, and the connection stays."""
    await sees_reset(scene.listener, scene.dialer)
