"""identify and identify/push."""

from ..case import case, expect
from ..peer import Unsupported
from ..scene import connected, together

KAD = "/kadmesh/kad/1.0.0"


@case("identify", on=connected)
async def identify(scene):
    """Agent, protocols and addresses, each told the other."""
    for one, other in scene.ends:
        told = await one.ask("identify", peer=other.id)
        expect(told["agent"], f"{other.stack} names no agent")
        wanted = {"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", KAD, "/test/echo/1.0.0"}
        missing = wanted - set(told["protocols"])
        expect(not missing, f"{other.stack} does not list {sorted(missing)}")
        expect(any(p.startswith("/meshsub/") for p in told["protocols"]), f"{other.stack} lists no meshsub")
        expect(other.addrs[0] in [bare(a) for a in told["addrs"]],
               f"{other.stack} listens on {other.addrs[0]} and tells {told['addrs']}")
        scene.note(f"{other.stack} is {told['agent']} ({told.get('protocol_version')})")


def bare(addr):
    return addr.split("/p2p/")[0]


@case("identify-observed", on=connected)
async def observed(scene):
    """Each is told the address that the other sees for this very connection."""
    for one, other in scene.ends:
        told = (await one.ask("identify", peer=other.id)).get("observed")
        if not told:
            raise Unsupported(f"{one.stack}: does not say what it was told of itself")
        seen = [c["addr"] for c in (await other.ask("connections"))["peers"] if c["peer"] == one.id]
        expect(bare(told) in [bare(a) for a in seen], f"{other.stack} sees {seen} and told {told}")


@case("identify-push", on=connected)
async def push(scene):
    """A protocol that begins to be served is pushed to the other side."""
    await together(*(one.ask("identify", peer=other.id) for one, other in scene.ends))
    for one, other in scene.ends:
        protocol = f"/test/pushed-by-{'dialer' if one is scene.dialer else 'listener'}/1.0.0"
        await one.ask("push", protocol=protocol)
        pushed = await other.wait(
            lambda e: e["event"] == "pushed" and e["peer"] == one.id and protocol in e["protocols"], 10,
            f"push of {protocol} by {one.stack}")
        expect(KAD in pushed["protocols"], f"the push of {one.stack} forgot {KAD}")
