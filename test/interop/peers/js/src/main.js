// A test peer on js-libp2p. It speaks the line protocol of ../../../PROTOCOL.md on its standard streams.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { readArgs } from './args.js'
import { say } from './lines.js'
import { Node } from './node.js'
import { Unsupported, verbs } from './verbs.js'

const LIFE_MS = 15 * 60_000
const TIMEOUT_MS = 10_000

const pinned = JSON.parse(readFileSync(new URL('../package.json', import.meta.url))).dependencies

// js-libp2p leaves some rejections of connections that broke to nobody; they must not end the peer.
process.on('unhandledRejection', reason => console.error(`nobody waited for: ${reason?.stack ?? reason}`))

const node = await Node.start(readArgs())
say({ event: 'ready', stack: 'js', version: pinned.libp2p, id: node.peer, addrs: node.addrs })

createInterface({ input: process.stdin }).on('line', onLine).on('close', () => process.exit(0))
setTimeout(() => process.exit(0), LIFE_MS)

function onLine (line) {
  let request
  try {
    request = JSON.parse(line)
  } catch (error) {
    return console.error(`not a request: ${error.message}: ${line}`)
  }
  answer(request).then(fields => say({ id: request.id, ...fields }, () => {
    if (request.cmd === 'quit') process.exit(0)
  }))
}

async function answer (request) {
  const signal = AbortSignal.timeout(request.timeout_ms ?? TIMEOUT_MS)
  try {
    if (!Object.hasOwn(verbs, request.cmd)) throw new Unsupported(`no verb ${request.cmd}`)
    return { ok: true, ...await Promise.race([verbs[request.cmd](node, request, signal), failure(signal)]) }
  } catch (error) {
    console.error(`${request.cmd}: ${error?.stack ?? error}`)
    return { ok: false, error: `${error.name}: ${error.message}`, ...(error instanceof Unsupported && { unsupported: true }) }
  }
}

function failure (signal) {
  return new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(new Error('timeout'))))
}
