"""The py-libp2p host of the peer, its DHT and its gossip, and the events they tell."""

import contextlib
import functools
import hashlib

import trio
from libp2p import generate_new_ed25519_identity, new_host
from libp2p.abc import INotifee
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key
from libp2p.host.ping import ID as PING
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify_push.identify_push import ID_PUSH, identify_push_handler_for
from libp2p.kad_dht import common, kad_dht, peer_routing, provider_store, value_store
from libp2p.kad_dht.kad_dht import DHTMode, KadDHT
from libp2p.peer.id import ID
from libp2p.pubsub import gossipsub, pubsub
from libp2p.rcmgr import Direction
from libp2p.records.pubkey import PublicKeyValidator
from libp2p.records.validator import NamespacedValidator, Validator
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE, Transport as Noise
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX, Yamux
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr

import services
from counts import Counts, CountingQueue
from lines import say

SHOWN = 64
"""As much of a message as its event shows."""

QUEUED_MESSAGES = 4096
"""py-libp2p drops what its queues cannot hold, 32 messages: a burst must not be lost in the test peer."""

D, D_LOW, D_HIGH = 6, 4, 12
IDENTIFY_SECONDS = 15


class AnyValue(Validator):
    """Of two values the larger by bytes wins; of two that are the same the later, or it would be refused."""

    def validate(self, key, value):
        pass

    def select(self, key, values):
        return max(range(len(values)), key=lambda i: (values[i], i))


class Node(INotifee):
    def __init__(self, arguments):
        self.arguments = arguments
        self.host = make_host(arguments)
        self.dht = make_dht(self.host, arguments)
        self.gossip = make_gossip(arguments)
        self.counts = Counts()
        self.pubsub = make_pubsub(self.host, self.gossip, arguments, self.counts)
        self.nursery = None
        services.serve_all(self.host)
        self.receive_push = identify_push_handler_for(self.host)
        self.host.set_stream_handler(ID_PUSH, self.on_push)
        if arguments.bare:
            self.serve_no_identity()
        self.host.get_network().register_notifee(self)

    @contextlib.asynccontextmanager
    async def run(self):
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.host.run([Multiaddr(self.arguments.listen)]))
            for service in (self.pubsub, self.gossip, self.dht):
                await stack.enter_async_context(background_trio_service(service))
            await self.pubsub.wait_until_ready()
            self.nursery = await stack.enter_async_context(trio.open_nursery())
            yield
            self.nursery.cancel_scope.cancel()

    @property
    def id(self):
        return self.host.get_id().to_base58()

    @property
    def addrs(self):
        return [without_peer(a) for a in self.host.get_transport_addrs()]

    def serve_no_identity(self):
        """The host goes on asking others who they are: that cannot be switched off."""
        for protocol in (IDENTIFY, ID_PUSH, PING):
            self.host.remove_stream_handler(protocol)

    def protocols(self, peer):
        try:
            return list(self.host.get_peerstore().get_protocols(peer))
        except Exception:  # nothing is known of the peer
            return []

    def connections(self, peer=None):
        return [c for c in self.host.get_network().get_connections(peer) if not c.is_closed]

    async def connected(self, network, conn):
        say(event="connected", peer=peer_of(conn), inbound=is_inbound(conn))
        self.nursery.start_soon(self.watch_identify, conn)

    async def disconnected(self, network, conn):
        say(event="disconnected", peer=peer_of(conn))

    async def watch_identify(self, conn):
        """The host identifies every connection by itself and tells nobody; Kademlia does not listen either."""
        peer = conn.muxed_conn.peer_id
        with trio.move_on_after(IDENTIFY_SECONDS):
            while not self.protocols(peer):
                await trio.sleep(0.02)
            await self.dht.add_peer(peer)
            say(event="identified", peer=peer.to_base58(), protocols=self.protocols(peer))

    async def on_push(self, stream):
        peer = stream.muxed_conn.peer_id
        await self.receive_push(stream)
        await self.dht.add_peer(peer)
        say(event="pushed", peer=peer.to_base58(), protocols=self.protocols(peer))

    async def tell_messages(self, subscription):
        async for message in subscription:
            if message.from_id != self.host.get_id().to_bytes():
                tell_message(message, self.pubsub.get_message_id(message))

    async def hold(self, forwarder, message):
        """A validator that has every message of others wait."""
        await trio.sleep(self.arguments.gossip_hold / 1000)
        return True

    async def opened_stream(self, network, stream):
        pass

    async def closed_stream(self, network, stream):
        pass

    async def listen(self, network, multiaddr):
        pass

    async def listen_close(self, network, multiaddr):
        pass


def make_host(arguments):
    keys = create_new_key_pair(arguments.seed) if arguments.seed else generate_new_ed25519_identity()
    noise = Noise(keys, noise_privkey=create_noise_key().private_key)
    return new_host(key_pair=keys, sec_opt={NOISE: noise}, muxer_opt={YAMUX: Yamux},
                    listen_addrs=[Multiaddr(arguments.listen)])


def make_dht(host, arguments):
    use_kad_protocol(arguments.kad_protocol)
    mode = DHTMode.SERVER if arguments.kad_mode == "server" else DHTMode.CLIENT
    validator = NamespacedValidator({"pk": PublicKeyValidator(), "v": AnyValue()})
    return KadDHT(host, mode, validator=validator)


def use_kad_protocol(protocol):
    """py-libp2p has no setting for it: every module of the DHT holds a copy of one constant."""
    for module in (common, kad_dht, peer_routing, provider_store, value_store):
        module.PROTOCOL_ID = protocol


def make_gossip(arguments):
    d = arguments.gossip_d
    degrees = (D, D_LOW, D_HIGH) if d is None else (d, d, d)
    protocols = [gossipsub.PROTOCOL_ID_V13, gossipsub.PROTOCOL_ID_V12, gossipsub.PROTOCOL_ID_V11,
                 gossipsub.PROTOCOL_ID]
    router = gossipsub.GossipSub(
        protocols, *degrees, heartbeat_interval=1, adaptive_gossip_enabled=False,
        spam_protection_enabled=False, eclipse_protection_enabled=False)
    router.scorer = None  # with scores it grafts beyond D at every heartbeat
    router.max_iwant_requests_per_second = float("inf")
    router.max_ihave_messages_per_second = float("inf")
    return router


def make_pubsub(host, router, arguments, counts):
    pubsub.SUBSCRIPTION_CHANNEL_SIZE = QUEUED_MESSAGES
    pubsub.RpcQueue = functools.partial(CountingQueue, counts, max_size=QUEUED_MESSAGES)
    made = pubsub.Pubsub(host, router, msg_id_constructor=MESSAGE_IDS[arguments.gossip_id])
    counts.watch(made, router)
    return made


MESSAGE_IDS = {
    "go": lambda m: m.from_id + m.seqno,
    "rust": lambda m: (ID(m.from_id).to_base58() + str(int.from_bytes(m.seqno, "big"))).encode(),
    "js": lambda m: m.from_id[2:] + m.seqno,  # an Ed25519 id embeds the key after two bytes
    "py": pubsub.get_peer_and_seqno_msg_id,  # as go
    "sha256": lambda m: hashlib.sha256(m.data).digest(),
}


def tell_message(message, message_id):
    author = ID(message.from_id).to_base58() if message.from_id else ""
    say(event="message", topic=message.topicIDs[0], data=message.data[:SHOWN].hex(),
        size=len(message.data), message_id=message_id.hex(), **{"from": author})


def without_peer(addr):
    return str(addr).split("/p2p/")[0]


def peer_of(conn):
    return conn.muxed_conn.peer_id.to_base58()


def is_inbound(conn):
    return conn.direction is Direction.INBOUND
