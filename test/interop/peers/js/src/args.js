// The command line of a test peer, as ../../../PROTOCOL.md lists it.
import { parseArgs } from 'node:util'

const options = {
  listen: { type: 'string', default: '/ip4/127.0.0.1/tcp/0' },
  'kad-protocol': { type: 'string', default: '/kadmesh/kad/1.0.0' },
  'kad-mode': { type: 'string', default: 'server' },
  gullible: { type: 'boolean', default: false },
  seed: { type: 'string' },
  'no-early-muxer': { type: 'boolean', default: false },
  bare: { type: 'boolean', default: false },
  'gossip-id': { type: 'string' },
  'gossip-sign': { type: 'string', default: 'strict' },
  'gossip-d': { type: 'string' },
  'gossip-hold': { type: 'string', default: '0' },
  'gossip-rpc': { type: 'string' }, // gossipsub takes RPCs of 4 MiB as it is
  'gossip-scores': { type: 'string' }
}

const choices = {
  'kad-mode': ['server', 'client'],
  'gossip-id': ['go', 'rust', 'js', 'py', 'sha256'],
  'gossip-sign': ['strict', 'none']
}

export function readArgs () {
  const { values } = parseArgs({ options })
  for (const [name, allowed] of Object.entries(choices)) {
    if (values[name] !== undefined && !allowed.includes(values[name])) {
      throw new Error(`--${name} ${values[name]}: not one of ${allowed}`)
    }
  }
  return {
    listen: values.listen,
    kadProtocol: values['kad-protocol'],
    kadServer: values['kad-mode'] === 'server',
    gullible: values.gullible,
    seed: values.seed === undefined ? undefined : Buffer.from(values.seed, 'hex'),
    earlyMuxer: !values['no-early-muxer'],
    bare: values.bare,
    gossipId: values['gossip-id'],
    gossipSigned: values['gossip-sign'] === 'strict',
    gossipD: values['gossip-d'] === undefined ? undefined : Number(values['gossip-d']),
    gossipHold: Number(values['gossip-hold']),
    gossipScores: values['gossip-scores']
  }
}
