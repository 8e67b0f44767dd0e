"""What a peer has sent and received of GossipSub, as its stack counts it."""

import dataclasses

from .case import expect


@dataclasses.dataclass(frozen=True)
class Counts:
    """Messages and ids by name (PROTOCOL.md, gossip_counts). What a stack does not count is not there, and not judged."""

    stack: str
    values: dict

    def __sub__(self, before):
        return Counts(self.stack, {name: value - before.values[name] for name, value in self.values.items()})

    def __str__(self):
        return f"{self.stack} " + ", ".join(f"{name} {value}" for name, value in self.values.items() if value)

    def at_least(self, name, wanted):
        found = self.values.get(name)
        expect(found is None or found >= wanted, f"{self.stack} counts {found} {name} and not at least {wanted}")

    def exactly(self, name, wanted):
        found = self.values.get(name)
        expect(found is None or found == wanted, f"{self.stack} counts {found} {name} and not {wanted}")


async def counts(peer):
    answer = await peer.ask("gossip_counts")
    return Counts(peer.stack, {name: value for name, value in answer.items() if name not in ("id", "ok")})
