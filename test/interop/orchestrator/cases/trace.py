"""A trace that kadmesh writes, read with the types of go's own tracer."""

import pathlib
import tempfile

from ..case import case, expect
from ..scene import connect
from .gossip import arrives_once, burst, join, meshed, other_ids

COUNT = 20
FORMATS = (".pb", ".json")


async def traced(scene):
    """Two nodes of the listener's stack that trace, one in each format, and one to read it."""
    scene.folder = pathlib.Path(tempfile.mkdtemp(prefix="interop-trace-"))
    scene.nodes = [await scene.start(scene.link.listener, *other_ids(scene), "--gossip-trace",
                                     str(scene.folder / f"trace{suffix}")) for suffix in FORMATS]
    scene.dialer = await scene.start(scene.link.dialer)
    await connect(*scene.nodes)
    await join(*scene.nodes)
    await meshed(*scene.nodes)


@case("gossip-trace", on=traced, fresh=True, dialer="go", seconds=40)
async def trace(scene):
    """What was published, delivered and grafted is in both, under the names that go gives it."""
    one, other = scene.nodes
    await burst(one, other, "traced", COUNT)
    await arrives_once(other, "traced", COUNT, 10)
    for node in scene.nodes:
        await node.close()
    told, heard = [await scene.dialer.ask("gossip_trace", file=str(scene.folder / f"trace{suffix}"))
                   for suffix in FORMATS]
    expect(told["peers"] == [one.id] and heard["peers"] == [other.id], f"traces of {told['peers']}, {heard['peers']}")
    expect(len(told["published"]) == COUNT, f"{len(told['published'])} of {COUNT} were published")
    expect(heard["delivered"] == told["published"], "what was delivered is not what was published")
    for trace_of in (told, heard):
        types = trace_of["types"]
        for name in ("ON_NEW_OUTBOUND_STREAM", "JOIN", "GRAFT", "SEND_RPC", "RECV_RPC", "DELIVER_MESSAGE"):
            expect(types.get(name, 0) > 0, f"no {name} among {types}")
    scene.note(f"{sum(told['types'].values())} events as protobufs, {sum(heard['types'].values())} as JSON")
