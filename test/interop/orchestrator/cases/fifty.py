"""Fifty nodes of one stack, walked by go's own crawler."""

from .. import stack
from ..case import case, expect
from ..gathering import formed

NODES = 50
CRAWL_SECONDS = 40.0

EVERYBODYS = {"/kadmesh/kad/1.0.0", "/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"}
OURS = EVERYBODYS | {"/ipfs/id/push/1.0.0", "/meshsub/1.3.0", "/meshsub/1.2.0", "/meshsub/1.1.0",
                     "/meshsub/1.0.0", "/floodsub/1.0.0", "/test/echo/1.0.0", "/test/reset/1.0.0", "/test/sink/1.0.0", "/test/source/1.0.0"}


async def fifty(scene):
    """Of the listener's stack, all entered through the first."""
    await formed(scene, [scene.link.listener] * NODES)
    # A client, so that it is no node itself.
    scene.dialer = await scene.start(scene.link.dialer, "--kad-mode", "client")


@case("kad-fifty-crawled", on=fifty, seconds=60, fresh=True, large=True, dialer="go")
async def crawled(scene):
    """From the first node a crawler finds all fifty and what each speaks, and nobody else."""
    walk = await scene.dialer.ask("kad_crawl", CRAWL_SECONDS, peers=[scene.nodes[0].addr])
    expect(not walk["failed"], f"not walked: {walk['failed']}")
    found, there = {node["peer"]: node for node in walk["found"]}, {node.id for node in scene.nodes}
    expect(found.keys() == there,
           f"{len(found.keys() & there)} of {len(there)} found, and strangers: {sorted(found.keys() - there)}")
    for node in found.values():
        expect(speaks(set(node["protocols"]), scene.link.listener), f"{node['peer']} speaks {node['protocols']}")
    known = sorted(node["knows"] for node in found.values())
    scene.note(f"{len(found)} found, each of which knows {known[0]} to {known[-1]}")


def speaks(protocols, name):
    """Of our own nodes we know all that they speak."""
    return protocols == OURS if name == stack.US else protocols >= EVERYBODYS
