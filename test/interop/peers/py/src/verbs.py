"""What each request of ../../../PROTOCOL.md does. A verb takes the node and the request; it returns the answer."""

import time

import trio
from libp2p.host.ping import PingService
from libp2p.identity.identify.identify import ID as IDENTIFY, parse_identify_response
from libp2p.identity.identify_push.identify_push import push_identify_to_peers
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.utils.varint import read_length_prefixed_protobuf
from multiaddr import Multiaddr

import services
from node import is_inbound, peer_of, without_peer

POLL = 0.02


class Unsupported(Exception):
    """py-libp2p has no API for it."""


async def connect(node, request):
    if "/p2p/" not in request["addr"]:
        raise Unsupported("the host dials peers, not bare addresses")
    info = info_from_p2p_addr(Multiaddr(request["addr"]))
    await node.host.connect(info)
    return {"peer": info.peer_id.to_base58(), "muxer_early": False}


async def disconnect(node, request):
    await node.host.disconnect(connected_peer(node, request))


async def connections(node, request):
    return {"peers": [{"peer": peer_of(c), "addr": remote_addr(c), "inbound": is_inbound(c)}
                      for c in node.connections()]}


def remote_addr(conn):
    address = conn.muxed_conn.get_remote_address()
    return "" if address is None else f"/ip4/{address[0]}/tcp/{address[1]}"


async def identify(node, request):
    """The host keeps less than it was told, so it is asked once more, when it has had its own answer."""
    not_bare(node)
    peer = connected_peer(node, request)
    while not node.protocols(peer):
        await trio.sleep(POLL)
    stream = await node.host.new_stream(peer, [IDENTIFY])
    told = parse_identify_response(await read_length_prefixed_protobuf(stream, True))
    await stream.close()
    return {"agent": told.agent_version, "protocol_version": told.protocol_version,
            "protocols": list(told.protocols), "addrs": [str(Multiaddr(a)) for a in told.listen_addrs],
            "observed": str(Multiaddr(told.observed_addr)) if told.observed_addr else None}


async def push(node, request):
    """The host does not notice new protocols; it pushes when it is told to."""
    not_bare(node)
    node.host.set_stream_handler(request["protocol"], services.echo)
    await push_identify_to_peers(node.host)


async def ping(node, request):
    not_bare(node)
    peer, interval = connected_peer(node, request), request.get("interval_ms", 0) / 1000
    rtts = []
    for i in range(request["count"]):
        if i > 0:
            await trio.sleep(interval)
        rtts += [ms * 1000 for ms in await PingService(node.host).ping(peer)]
    return {"rtts_us": rtts}


async def nothing(node, request):
    pass


async def echo(node, request):
    await services.ask_echo(await opened(node, request, services.ECHO), request["bytes"])


async def upload(node, request):
    return await services.ask_sink(await opened(node, request, services.SINK), request["size"])


async def download(node, request):
    return await services.ask_source(await opened(node, request, services.SOURCE), request["size"])


async def duplex(node, request):
    return await services.ask_duplex(await opened(node, request, services.ECHO), request["size"])


async def streams(node, request):
    for _ in range(request["count"]):
        stream = await opened(node, request, services.ECHO)
        await services.touch(stream)
        await services.finish(stream)
    return {"done": request["count"]}


async def streams_open(node, request):
    held = []
    for _ in range(request["count"]):
        held.append(await opened(node, request, services.ECHO))
        await services.touch(held[-1])
    for stream in held:
        await services.finish(stream)
    return {"done": len(held)}


async def reset(node, request):
    return {"seen": await services.ask_reset(await opened(node, request, services.RESET))}


async def kad_bootstrap(node, request):
    for addr in request["peers"]:
        await connect(node, {"addr": addr})
        await node.dht.add_peer(info_from_p2p_addr(Multiaddr(addr)).peer_id)
    while not node.dht.get_routing_table_size():
        await trio.sleep(POLL)
    await node.dht.refresh_routing_table()
    return {"table": node.dht.get_routing_table_size()}


async def kad_table(node, request):
    return {"peers": [peer.to_base58() for peer in node.dht.routing_table.get_peer_ids()]}


async def kad_put(node, request):
    await node.dht.put_value(text_key(request), bytes.fromhex(request["value"]))


async def kad_get(node, request):
    value = await node.dht.get_value(text_key(request))
    if value is None:
        raise LookupError("not found")
    return {"value": value.hex()}


def text_key(request):
    try:
        return bytes.fromhex(request["key"]).decode()
    except UnicodeDecodeError:
        raise Unsupported("keys are text: the binary key of a /pk record is none") from None


async def kad_put_pk(node, request):
    raise Unsupported("keys are text: the binary key of a /pk record is none")


async def ipns_seal(node, request):
    raise Unsupported("no API seals an IPNS record, and keys are text: the binary key of one is none")


async def ipns_open(node, request):
    raise Unsupported("keys are text: the binary key of an IPNS record is none")


async def kad_provide(node, request):
    """`KadDHT.provide` takes text that it guesses the meaning of; its store takes the multihash."""
    if not await node.dht.provider_store.provide(bytes.fromhex(request["cid_multihash"])):
        raise LookupError("no peer was told")


async def kad_providers(node, request):
    key = bytes.fromhex(request["cid_multihash"])
    found = await node.dht.provider_store.find_providers(key, request["count"])
    return {"peers": [info.peer_id.to_base58() for info in found]}


async def kad_find(node, request):
    info = await node.dht.find_peer(ID.from_base58(request["peer"]))
    if info is None:
        raise LookupError("not found")
    return {"addrs": [without_peer(a) for a in info.addrs]}


async def gossip_join(node, request):
    if request["topic"] in node.pubsub.topic_ids:
        return
    if node.arguments.gossip_hold:
        node.pubsub.set_topic_validator(request["topic"], node.hold, is_async_validator=True)
    subscription = await node.pubsub.subscribe(request["topic"])
    node.nursery.start_soon(node.tell_messages, subscription)


async def gossip_leave(node, request):
    await node.pubsub.unsubscribe(request["topic"])


async def gossip_mesh(node, request):
    return {"peers": [p.to_base58() for p in node.gossip.mesh.get(request["topic"], ())]}


async def gossip_peers(node, request):
    return {"peers": [p.to_base58() for p in node.pubsub.peer_topics.get(request["topic"], ())]}


async def gossip_publish(node, request):
    await node.pubsub.publish(request["topic"], bytes.fromhex(request["data"]))


async def gossip_burst(node, request):
    start, interval = time.monotonic(), request.get("interval_us", 0) / 1e6
    for i in range(request["count"]):
        await trio.sleep(max(0, start + i * interval - time.monotonic()))
        data = f"{request['prefix']}-{i}".ljust(request["size"])
        await node.pubsub.publish(request["topic"], data.encode())
    return {"published": request["count"]}


async def gossip_counts(node, request):
    return node.counts.read()


async def gossip_scores(node, request):
    raise Unsupported("scores are off: with them it grafts beyond D at every heartbeat")


def not_bare(node):
    if node.arguments.bare:
        raise Unsupported("--bare leaves identify and ping out")


def connected_peer(node, request):
    peer = ID.from_base58(request["peer"])
    if not node.connections(peer):
        raise LookupError("not connected")
    return peer


async def opened(node, request, protocol):
    return await node.host.new_stream(connected_peer(node, request), [protocol])


VERBS = {verb.__name__: verb for verb in (
    connect, disconnect, connections, identify, push, ping, echo, upload, download, duplex, streams,
    streams_open, reset, kad_bootstrap, kad_table, kad_put, kad_get, kad_put_pk, kad_provide, kad_providers,
    kad_find, ipns_seal, ipns_open, gossip_join, gossip_leave, gossip_mesh, gossip_peers, gossip_publish,
    gossip_burst, gossip_counts, gossip_scores)}
VERBS["echo_serve"] = VERBS["quit"] = nothing
