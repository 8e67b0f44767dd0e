"""What a pubsub service has sent and received."""

import collections

from libp2p.pubsub.rpc_queue import RpcQueue


class Counts(collections.Counter):
    """By the names of PROTOCOL.md; copies, and ids of the three kinds."""

    def watch(self, service, router):
        """Every message that comes passes through the one, all control through the other."""
        push, handle = service.push_msg, router.handle_rpc

        async def push_msg(forwarder, message):
            self["copies_in"] += forwarder != service.my_id
            await push(forwarder, message)

        async def handle_rpc(rpc, sender):
            self.add(rpc.control, "in")
            await handle(rpc, sender)

        service.push_msg, router.handle_rpc = push_msg, handle_rpc

    def add(self, control, way):
        for kind in ("ihave", "iwant", "idontwant"):
            self[f"{kind}_{way}"] += sum(len(entry.messageIDs) for entry in getattr(control, kind))

    def read(self):
        return {f"{kind}_{way}": self[f"{kind}_{way}"]
                for kind in ("copies", "ihave", "iwant", "idontwant") for way in ("in", "out")}


class CountingQueue(RpcQueue):
    """A peer's queue that tells what passes into it."""

    def __init__(self, counts, **settings):
        super().__init__(**settings)
        self.counts = counts

    def push(self, rpc, priority=False):
        taken = super().push(rpc, priority)
        if taken:
            self.counts["copies_out"] += len(rpc.publish)
            self.counts.add(rpc.control, "out")
        return taken
