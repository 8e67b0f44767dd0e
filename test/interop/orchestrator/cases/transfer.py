"""Bulk bytes on one stream."""

from ..case import case, expect
from ..scene import connected

SIZE = 64 << 20
SECONDS = 120.0


async def transfer(scene, verb):
    answer = await scene.dialer.ask(verb, SECONDS, peer=scene.listener.id, size=SIZE)
    expect(answer["bytes"] == SIZE, f"{answer['bytes']} of {SIZE} bytes arrived")
    rate = SIZE / (1 << 20) / answer["seconds"] if answer["seconds"] else 0
    scene.note(f"{verb}: {rate:.0f} MiB/s")


@case("streams-up", on=connected, seconds=SECONDS + 10)
async def up(scene):
    """The dialer sends 64 MiB."""
    await transfer(scene, "upload")


@case("streams-down", on=connected, seconds=SECONDS + 10)
async def down(scene):
    """The listener sends 64 MiB."""
    await transfer(scene, "download")


@case("streams-duplex", on=connected, seconds=SECONDS + 10)
async def duplex(scene):
    """64 MiB each way at once on one echo stream."""
    await transfer(scene, "duplex")
