// Reads a stream chunk by chunk, and holds the sender back when nobody takes the chunks.
//
// The stream's own iterator is not used: it ends at the remote's FIN, before data that a paused stream still
// holds, and never ends when the FIN came before the iteration began. Neither is the stream's `onDrain`, which
// after the first time resolves at once.

const HELD = 1 << 20 // pause above this
const IN_FLIGHT = 64 << 20 // a pause takes effect a receive window later; the stream aborts beyond this

export class Reader {
  #stream
  #chunks = []
  #held = 0
  #error
  #wake = () => {}

  constructor (stream) {
    this.#stream = stream
    stream.maxReadBufferLength = IN_FLIGHT
    stream.addEventListener('message', event => this.#take(event.data.subarray()))
    stream.addEventListener('remoteCloseWrite', () => this.#wake())
    stream.addEventListener('close', event => this.#fail(event.error))
  }

  // The next chunk; undefined at the end.
  async next () {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error
      if (this.#atEnd()) return undefined
      await new Promise(resolve => { this.#wake = resolve })
    }
    const chunk = this.#chunks.shift()
    this.#held -= chunk.byteLength
    if (this.#held === 0 && this.#stream.readStatus === 'paused') this.#stream.resume()
    return chunk
  }

  // Exactly n bytes, put back together.
  async exactly (n) {
    const parts = []
    let left = n
    while (left > 0) {
      const chunk = await this.next()
      if (chunk === undefined) throw new Error(`the stream ended ${left} bytes early`)
      const part = chunk.subarray(0, left)
      if (part.length < chunk.length) this.#putBack(chunk.subarray(part.length))
      parts.push(part)
      left -= part.length
    }
    return Buffer.concat(parts)
  }

  async countToEnd () {
    let count = 0
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) {
      count += chunk.byteLength
    }
    return count
  }

  #take (chunk) {
    this.#chunks.push(chunk)
    this.#held += chunk.byteLength
    if (this.#held > HELD && this.#stream.readStatus === 'readable') this.#stream.pause()
    this.#wake()
  }

  #putBack (chunk) {
    this.#chunks.unshift(chunk)
    this.#held += chunk.byteLength
  }

  // `readableEnded` would not do: what the negotiation read ahead is put back after it became true.
  #atEnd () {
    return this.#stream.remoteWriteStatus === 'closed' && this.#stream.readBufferLength === 0
  }

  #fail (error) {
    this.#error ??= error
    this.#wake()
  }
}

export async function write (stream, bytes) {
  if (stream.send(bytes)) return
  if (stream.status !== 'open' || !stream.writableNeedsDrain) return
  await new Promise((resolve, reject) => {
    stream.addEventListener('drain', resolve, { once: true })
    stream.addEventListener('close', event => reject(event.error ?? new Error('closed')), { once: true })
  })
}
