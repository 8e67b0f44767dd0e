// Messages that are counted and not told, and the pump that publishes them: the verb gossip_pump.
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'

const LEAST = 16 // bytes of a message

export class Pump {
  #came = 0
  #delays = []
  #nonce = BigInt(Math.floor(Math.random() * 2 ** 32)) << 32n
  #awaited // { count, ring }

  constructor (pubsub, topic) {
    this.pubsub = pubsub
    this.topic = topic
  }

  onMessage ({ data }) {
    if (data.length < LEAST) return
    this.#came++
    this.#delays.push(now() - Number(Buffer.from(data.buffer, data.byteOffset, 8).readBigUInt64BE()))
    if (this.#came >= this.#awaited?.count) this.#awaited.ring()
  }

  async run ({ count, size, window, others, interval_us: interval }) {
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      await (interval > 0 ? untilTime(start + i * interval / 1000) : this.#await((i - window + 1) * others))
      await this.#publish(size)
    }
    await this.#await(count * others)
    return this.#figures((performance.now() - start) / 1000)
  }

  #publish (size) {
    const data = Buffer.alloc(Math.max(size, LEAST))
    data.writeBigUInt64BE(BigInt(Math.round(now())))
    data.writeBigUInt64BE(this.#nonce++, 8)
    return this.pubsub.publish(this.topic, data)
  }

  // Until so many have come.
  async #await (count) {
    if (this.#came >= count) return
    await new Promise(resolve => { this.#awaited = { count, ring: resolve } })
    this.#awaited = undefined
  }

  // Starts afresh: what comes from now on is the next run's.
  #figures (seconds) {
    const sorted = this.#delays.sort((a, b) => a - b)
    const quantile = percent => sorted[Math.floor(sorted.length * percent / 100)] ?? 0
    this.#came = 0
    this.#delays = []
    return { seconds, p50_us: quantile(50), p99_us: quantile(99) }
  }
}

// Microseconds since 1970.
function now () {
  return (performance.timeOrigin + performance.now()) * 1000
}

export async function untilTime (due) {
  for (let left = due - performance.now(); left > 0; left = due - performance.now()) {
    await (left > 2 ? sleep(left - 1) : setImmediate())
  }
}
