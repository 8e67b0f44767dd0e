// The four `/test/…` protocols, both ends.
import { randomBytes } from 'node:crypto'
import { Reader, write } from './reader.js'

export const ECHO = '/test/echo/1.0.0'
export const SINK = '/test/sink/1.0.0'
export const SOURCE = '/test/source/1.0.0'
export const RESET = '/test/reset/1.0.0'

// js-libp2p refuses more streams of a protocol on a connection than it was told.
export const LIMITS = { maxInboundStreams: 2000, maxOutboundStreams: 2000 }

const CHUNK = Buffer.alloc(64 * 1024, 0x5a)

export async function serveAll (libp2p) {
  await serve(libp2p, ECHO, echo)
  await serve(libp2p, SINK, sink)
  await serve(libp2p, SOURCE, source)
  await serve(libp2p, RESET, reset)
}

export async function serve (libp2p, protocol, handler = echo) {
  await libp2p.handle(protocol, stream => {
    handler(stream).catch(error => {
      console.error(`${protocol}: ${error}`)
      stream.abort(error)
    })
  }, LIMITS)
}

async function echo (stream) {
  const reader = new Reader(stream)
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
    await write(stream, chunk)
  }
  await stream.close()
}

async function sink (stream) {
  const count = Buffer.alloc(8)
  count.writeBigUInt64BE(BigInt(await new Reader(stream).countToEnd()))
  await write(stream, count)
  await stream.close()
}

async function source (stream) {
  const size = (await new Reader(stream).exactly(8)).readBigUInt64BE()
  await send(stream, Number(size))
  await stream.close()
}

async function reset (stream) {
  await new Reader(stream).exactly(1)
  stream.abort(new Error('reset was asked for'))
}

export async function askEcho (stream, count) {
  const sent = randomBytes(count)
  const reader = new Reader(stream)
  const back = reader.exactly(sent.length)
  await Promise.all([write(stream, sent).then(() => stream.close()), back])
  if (await reader.next() !== undefined || !sent.equals(await back)) throw new Error('other bytes came back')
}

export async function askSink (stream, size) {
  const start = performance.now()
  const answer = new Reader(stream).exactly(8)
  await Promise.all([send(stream, size).then(() => stream.close()), answer])
  return moved(Number((await answer).readBigUInt64BE()), start)
}

export async function askSource (stream, size) {
  const start = performance.now()
  const reader = new Reader(stream)
  const wanted = Buffer.alloc(8)
  wanted.writeBigUInt64BE(BigInt(size))
  await write(stream, wanted)
  await stream.close()
  return moved(await reader.countToEnd(), start)
}

export async function askDuplex (stream, size) {
  const start = performance.now()
  const back = new Reader(stream).countToEnd()
  await Promise.all([send(stream, size).then(() => stream.close()), back])
  return moved(await back, start)
}

// Eight bytes there and back; the stream stays open until `finish`.
export async function touch (stream) {
  const reader = new Reader(stream)
  const sent = Buffer.from('kadmesh!')
  await write(stream, sent)
  if (!sent.equals(await reader.exactly(8))) throw new Error('other bytes came back')
  return { stream, reader }
}

export async function finish ({ stream, reader }) {
  await stream.close()
  if (await reader.next() !== undefined) throw new Error('data came after the echo')
}

export async function askReset (stream) {
  const reader = new Reader(stream)
  await write(stream, Buffer.from([1]))
  try {
    if (await reader.next() === undefined) return 'eof'
  } catch (error) {
    console.error(`reset seen as: ${error}`)
    return 'reset'
  }
  throw new Error('data came instead of a reset')
}

function moved (bytes, start) {
  return { bytes, seconds: (performance.now() - start) / 1000 }
}

async function send (stream, size) {
  for (let left = size; left > 0; left -= CHUNK.length) {
    await write(stream, CHUNK.subarray(0, Math.min(left, CHUNK.length)))
  }
}
