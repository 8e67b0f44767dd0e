// The libp2p node of the peer and the events it tells.
import { generateKeyPair, generateKeyPairFromSeed, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { serviceCapabilities } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { decode as decodeMultihash } from 'multiformats/hashes/digest'
import { createHash } from 'node:crypto'
import { Counts } from './counts.js'
import { kadIpns } from './ipns.js'
import { say } from './lines.js'
import { readScores } from './scores.js'
import { serveAll } from './services.js'

const IDLE_MS = 3600_000 // longer than any run: nothing is closed for being idle
const SHOWN = 64 // as much of a message as its event shows

export class Node {
  infos = new Map() // peer -> what identify told last
  early = new Map() // peer -> whether its last connection agreed on the muxer inside Noise
  identified = new WeakSet() // connections
  counts = new Counts() // of what gossipsub has sent and received
  pumps = new Map() // topic joined quietly -> its Pump

  static async start (args) {
    const node = new Node()
    node.args = args
    node.privateKey = await node.#identity()
    node.libp2p = await createLibp2p(node.#config())
    if (args.gossipScores !== undefined) spareAuthors(node.pubsub)
    node.#listenToEvents()
    await serveAll(node.libp2p)
    await node.libp2p.start()
    return node
  }

  get peer () {
    return this.libp2p.peerId.toString()
  }

  get dht () {
    return this.libp2p.services.dht
  }

  get pubsub () {
    return this.libp2p.services.pubsub
  }

  get addrs () {
    return this.libp2p.getMultiaddrs().map(withoutPeer)
  }

  #identity () {
    const { seed } = this.args
    return seed === undefined ? generateKeyPair('Ed25519') : generateKeyPairFromSeed('Ed25519', seed)
  }

  #config () {
    const { listen, bare } = this.args
    return {
      start: false,
      privateKey: this.privateKey,
      addresses: { listen: [listen] },
      transports: [tcp({ inboundSocketInactivityTimeout: IDLE_MS, outboundSocketInactivityTimeout: IDLE_MS })],
      connectionEncrypters: [components => this.#watched(noise()(components))],
      streamMuxers: [yamux()],
      connectionManager: { maxConnections: 2000, inboundConnectionThreshold: Infinity, maxIncomingPendingConnections: 1000 },
      // A ping that a busy machine has had no time for does not end a connection.
      connectionMonitor: { enabled: !bare, abortConnectionOnPingFailure: false },
      services: bare ? this.#bareServices() : this.#services()
    }
  }

  // Noise that remembers whether the muxer was agreed on, and does not offer one when told so.
  #watched (encrypter) {
    for (const method of ['secureInbound', 'secureOutbound']) {
      const secure = encrypter[method].bind(encrypter)
      encrypter[method] = async (connection, options) => {
        const skipStreamMuxerNegotiation = !this.args.earlyMuxer
        const secured = await secure(connection, { ...options, skipStreamMuxerNegotiation })
        this.early.set(secured.remotePeer.toString(), secured.streamMuxer !== undefined)
        return secured
      }
    }
    return encrypter
  }

  #services () {
    const ipns = this.args.gullible ? anyRecord : kadIpns
    return {
      identify: identify(),
      identifyPush: identifyPush(),
      // With the default of one stream a ping at the moment of the connection monitor's own aborts the connection.
      ping: ping({ maxInboundStreams: 8, maxOutboundStreams: 8 }),
      dht: kadDHT({
        protocol: this.args.kadProtocol,
        clientMode: !this.args.kadServer,
        peerInfoMapper: passthroughMapper,
        validators: { v: anyRecord.validator, ipns: ipns.validator },
        selectors: { v: anyRecord.selector, ipns: ipns.selector }
      }),
      pubsub: gossipsub(this.#gossipOptions())
    }
  }

  // gossipsub refuses to start without an identify; what stands for it here does nothing. kad-dht is left out:
  // no contact comes into its table unless the ping service has pinged it.
  #bareServices () {
    return {
      identify: () => ({ [serviceCapabilities]: ['@libp2p/identify'] }),
      pubsub: gossipsub(this.#gossipOptions())
    }
  }

  #gossipOptions () {
    const { gossipD: d, gossipId, gossipSigned, gossipScores } = this.args
    const options = {
      globalSignaturePolicy: gossipSigned ? 'StrictSign' : 'StrictNoSign',
      scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
      metricsRegister: this.counts,
      metricsTopicStrToLabel: new Map()
    }
    if (gossipScores !== undefined) Object.assign(options, readScores(gossipScores))
    if (gossipId in messageIds) options.msgIdFn = messageIds[gossipId]
    if (d === undefined) return options
    const mesh = { D: d, Dlo: d, Dhi: d, Dscore: d, Dout: Math.min(2, Math.floor(d / 2)) }
    return { ...options, ...mesh, floodPublish: false }
  }

  #listenToEvents () {
    const told = (event, connection, more) => say({ event, peer: connection.remotePeer.toString(), ...more })
    this.libp2p.addEventListener('connection:open', ({ detail }) =>
      told('connected', detail, { inbound: detail.direction === 'inbound' }))
    this.libp2p.addEventListener('connection:close', ({ detail }) => {
      if (this.libp2p.getConnections(detail.remotePeer).length === 0) this.infos.delete(detail.remotePeer.toString())
      told('disconnected', detail)
    })
    // A push is told like an answer: whatever follows the first of a connection is one.
    this.libp2p.addEventListener('peer:identify', ({ detail }) => {
      const peer = detail.peerId.toString()
      const info = { ...this.infos.get(peer), ...present(detail) }
      this.infos.set(peer, info)
      told(this.identified.has(detail.connection) ? 'pushed' : 'identified', detail.connection, { protocols: info.protocols ?? [] })
      this.identified.add(detail.connection)
    })
    this.pubsub.addEventListener('gossipsub:message', ({ detail: { msg, msgId } }) => {
      const pump = this.pumps.get(msg.topic)
      pump === undefined ? tellMessage(msg, msgId) : pump.onMessage(msg)
    })
  }
}

function tellMessage (message, id) {
  say({
    event: 'message',
    topic: message.topic,
    from: message.from?.toString() ?? '',
    data: Buffer.from(message.data.subarray(0, SHOWN)).toString('hex'),
    size: message.data.length,
    message_id: Buffer.from(id, 'base64').toString('hex')
  })
}

// The ids that are not this stack's own. (`js` without signatures is SHA-256 of the data too.)
const messageIds = {
  go: message => Buffer.concat([message.from.toMultihash().bytes, seqno(message)]),
  rust: message => Buffer.from(`${message.from}${message.sequenceNumber}`),
  js: message => message.type === 'signed'
    ? Buffer.concat([publicKeyToProtobuf(message.from.publicKey ?? message.key), seqno(message)])
    : messageIds.sha256(message),
  py: message => messageIds.go(message),
  sha256: message => createHash('sha256').update(message.data).digest()
}

function seqno (message) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(message.sequenceNumber)
  return bytes
}

// gossipsub forwards a message to its author too, when somebody else brings it. go and rust take that for a forgery
// (P4), so that with scores no mesh of theirs keeps a js peer.
function spareAuthors (pubsub) {
  const forward = pubsub.forwardMessage.bind(pubsub)
  pubsub.forwardMessage = (id, message, source, excluded = []) =>
    forward(id, message, source, new Set([...excluded, peerIdFromMultihash(decodeMultihash(message.from)).toString()]))
}

const anyRecord = { validator: async () => {}, selector: (key, records) => largest(records) }

function largest (records) {
  return records.reduce((best, record, i) => Buffer.compare(record, records[best]) > 0 ? i : best, 0)
}

export function withoutPeer (addr) {
  return addr.toString().replace(/\/p2p\/[^/]+$/, '')
}

// A push leaves fields out; they must not erase what is known.
function present (fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value.length !== 0))
}
