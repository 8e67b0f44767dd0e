// What each request of ../../../PROTOCOL.md does.
import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { decode as decodeMultihash } from 'multiformats/hashes/digest'
import { setTimeout as sleep } from 'node:timers/promises'
import * as ipns from './ipns.js'
import { withoutPeer } from './node.js'
import { Pump, untilTime } from './pump.js'
import * as services from './services.js'

const RAW = 0x55 // the codec of the CIDs that are made of bare multihashes

export class Unsupported extends Error {}

// node, request, signal -> the fields of the answer
export const verbs = {
  async connect (node, { addr }, signal) {
    const connection = await node.libp2p.dial(multiaddr(addr), { signal })
    const peer = connection.remotePeer.toString()
    return { peer, muxer_early: node.early.get(peer) ?? null }
  },

  async disconnect (node, { peer }, signal) {
    connectionTo(node, peer)
    await node.libp2p.hangUp(peerIdFromString(peer), { signal })
  },

  async connections (node) {
    const peers = node.libp2p.getConnections().map(connection => ({
      peer: connection.remotePeer.toString(),
      addr: withoutPeer(connection.remoteAddr),
      inbound: connection.direction === 'inbound'
    }))
    return { peers }
  },

  async identify (node, { peer }, signal) {
    notBare(node, 'identify')
    await until(() => node.infos.has(peer), signal)
    const info = node.infos.get(peer)
    return {
      agent: info.agentVersion ?? '',
      protocol_version: info.protocolVersion ?? '',
      protocols: info.protocols ?? [],
      addrs: (info.signedPeerRecord?.addresses ?? info.listenAddrs ?? []).map(withoutPeer),
      observed: info.observedAddr?.toString() ?? null
    }
  },

  async push (node, { protocol }) {
    notBare(node, 'identify')
    await services.serve(node.libp2p, protocol)
  },

  async ping (node, { peer, count, interval_ms: interval = 0 }, signal) {
    notBare(node, 'ping')
    const rtts = []
    for (let i = 0; i < count; i++) {
      if (i > 0) await sleep(interval)
      rtts.push(1000 * await node.libp2p.services.ping.ping(peerIdFromString(peer), { signal }))
    }
    return { rtts_us: rtts }
  },

  async echo_serve () {},

  async echo (node, { peer, bytes: count }, signal) {
    await services.askEcho(await open(node, peer, services.ECHO, signal), count)
  },

  async upload (node, { peer, size }, signal) {
    return services.askSink(await open(node, peer, services.SINK, signal), size)
  },

  async download (node, { peer, size }, signal) {
    return services.askSource(await open(node, peer, services.SOURCE, signal), size)
  },

  async duplex (node, { peer, size }, signal) {
    return services.askDuplex(await open(node, peer, services.ECHO, signal), size)
  },

  async streams (node, { peer, count }, signal) {
    for (let i = 0; i < count; i++) {
      await services.finish(await services.touch(await open(node, peer, services.ECHO, signal)))
    }
    return { done: count }
  },

  async streams_open (node, { peer, count }, signal) {
    const held = []
    for (let i = 0; i < count; i++) {
      held.push(await services.touch(await open(node, peer, services.ECHO, signal)))
    }
    for (const touched of held) await services.finish(touched)
    return { done: held.length }
  },

  async reset (node, { peer }, signal) {
    return { seen: await services.askReset(await open(node, peer, services.RESET, signal)) }
  },

  // js-libp2p has no bootstrap call: connect, wait for the table, look ourselves up.
  async kad_bootstrap (node, { peers }, signal) {
    notBare(node, 'Kademlia')
    for (const addr of peers) await node.libp2p.dial(multiaddr(addr), { signal })
    await until(() => node.dht.routingTable.size > 0, signal)
    await drain(node.dht.getClosestPeers(node.libp2p.peerId.toMultihash().bytes, { signal }))
    return { table: node.dht.routingTable.size }
  },

  async kad_table (node) {
    notBare(node, 'Kademlia')
    return { peers: [...node.dht.routingTable.kb.toIterable()].map(({ peerId }) => peerId.toString()) }
  },

  async kad_put (node, { key, value }, signal) {
    notBare(node, 'Kademlia')
    await put(node, bytes(key), bytes(value), signal)
  },

  async kad_get (node, { key }, signal) {
    notBare(node, 'Kademlia')
    let value
    for await (const event of node.dht.get(bytes(key), { signal })) {
      if (event.name === 'VALUE') value = event.value // the last one is the best one
    }
    if (value === undefined) throw new Error('not found')
    return { value: hex(value) }
  },

  async kad_put_pk (node, request, signal) {
    notBare(node, 'Kademlia')
    const { peerId } = node.libp2p
    const key = Buffer.concat([Buffer.from('/pk/'), peerId.toMultihash().bytes])
    await put(node, key, publicKeyToProtobuf(peerId.publicKey), signal)
    return { key: hex(key) }
  },

  async kad_provide (node, { cid_multihash: multihash }, signal) {
    notBare(node, 'Kademlia')
    await drain(node.dht.provide(cid(multihash), { signal }))
  },

  async kad_providers (node, { cid_multihash: multihash, count }, signal) {
    notBare(node, 'Kademlia')
    const found = new Set()
    for await (const event of node.dht.findProviders(cid(multihash), { signal })) {
      if (event.name !== 'PROVIDER') continue
      for (const { id } of event.providers) found.add(id.toString())
      if (found.size >= count) break
    }
    return { peers: [...found] }
  },

  async kad_find (node, { peer }, signal) {
    notBare(node, 'Kademlia')
    for await (const event of node.dht.findPeer(peerIdFromString(peer), { signal })) {
      if (event.name === 'FINAL_PEER') return { addrs: [...new Set(event.peer.multiaddrs.map(withoutPeer))] }
    }
    throw new Error('not found')
  },

  async ipns_seal (node, { path, sequence }) {
    const { key, record } = await ipns.seal(node.privateKey, path, sequence)
    return { key: hex(key), record: hex(record) }
  },

  async ipns_open (node, { peer, record }) {
    return ipns.open(peerIdFromString(peer), bytes(record))
  },

  async gossip_join (node, { topic, quiet }) {
    const hold = node.args.gossipHold
    if (hold > 0) node.pubsub.topicValidators.set(topic, () => sleep(hold, TopicValidatorResult.Accept))
    if (quiet) node.pumps.set(topic, new Pump(node.pubsub, topic))
    node.pubsub.subscribe(topic)
  },

  async gossip_leave (node, { topic }) {
    node.pubsub.unsubscribe(topic)
  },

  async gossip_mesh (node, { topic }) {
    return { peers: node.pubsub.getMeshPeers(topic) }
  },

  async gossip_peers (node, { topic }) {
    return { peers: node.pubsub.getSubscribers(topic).map(String) }
  },

  async gossip_publish (node, { topic, data }) {
    await publish(node, topic, bytes(data))
  },

  async gossip_burst (node, { topic, count, size, interval_us: interval = 0, prefix }) {
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      await untilTime(start + i * interval / 1000)
      await publish(node, topic, Buffer.from(`${prefix}-${i}`.padEnd(size)))
    }
    return { published: count }
  },

  async gossip_counts (node) {
    return node.counts.read()
  },

  async gossip_scores (node) {
    if (node.args.gossipScores === undefined) throw new Unsupported('started without --gossip-scores')
    return { scores: Object.fromEntries(node.pubsub.getPeers().map(id => [id.toString(), node.pubsub.getScore(id.toString())])) }
  },

  async gossip_pump (node, request) {
    const pump = node.pumps.get(request.topic)
    if (pump === undefined) throw new Error('not joined quietly')
    return pump.run(request)
  },

  async quit () {}
}

async function publish (node, topic, data) {
  if (node.args.gossipD === 0) {
    throw new Unsupported('with D=0 gossipsub publishes to every subscriber as fanout: gossip alone carries nothing of ours')
  }
  await node.pubsub.publish(topic, data)
}

// Put by the number of peers that stored the record: the call itself does not say.
async function put (node, key, value, signal) {
  let stored = 0
  for await (const event of node.dht.put(key, value, { signal })) {
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') stored++
    if (event.name === 'QUERY_ERROR') console.error(`put: ${event.error}`)
  }
  if (stored === 0) throw new Error('no peer stored the record')
}

async function open (node, peer, protocol, signal) {
  const stream = await connectionTo(node, peer).newStream(protocol, { signal, ...services.LIMITS })
  signal.addEventListener('abort', () => stream.abort(signal.reason))
  return stream
}

function connectionTo (node, peer) {
  const [connection] = node.libp2p.getConnections(peerIdFromString(peer))
  if (connection === undefined) throw new Error('not connected')
  return connection
}

function notBare (node, what) {
  if (node.args.bare) throw new Unsupported(`--bare leaves ${what} out`)
}

async function until (condition, signal) {
  while (!condition()) {
    await sleep(20)
    signal.throwIfAborted()
  }
}

async function drain (events) {
  for await (const event of events) {
    if (event.name === 'QUERY_ERROR') console.error(`query: ${event.error}`)
  }
}

function cid (multihash) {
  return CID.createV1(RAW, decodeMultihash(bytes(multihash)))
}

function bytes (text) {
  return Buffer.from(text, 'hex')
}

function hex (data) {
  return Buffer.from(data).toString('hex')
}
