// A register of gossipsub's own metrics that keeps those that tell what it has sent and received.

const TOLD = {
  copies_in: 'gossipsub_rpc_recv_message_total',
  copies_out: 'gossipsub_rpc_sent_message_total',
  ihave_in: 'gossipsub_rpc_recv_ihave_total',
  ihave_out: 'gossipsub_rpc_sent_ihave_total',
  iwant_in: 'gossipsub_rpc_recv_iwant_total',
  iwant_out: 'gossipsub_rpc_sent_iwant_total',
  idontwant_in: 'gossipsub_idontwant_rcv_msgids_total',
  idontwant_out: 'gossipsub_rpc_sent_idontwant_total' // each has one id
}

export class Counts {
  #values = new Map()

  // None of these has labels.
  gauge ({ name }) {
    const inc = (value = 1) => this.#values.set(name, (this.#values.get(name) ?? 0) + value)
    return { inc: Object.values(TOLD).includes(name) ? inc : nothing, set: nothing, addCollect: nothing }
  }

  histogram () {
    return { startTimer: () => nothing, observe: nothing, reset: nothing }
  }

  avgMinMax () {
    return { set: nothing }
  }

  read () {
    return Object.fromEntries(Object.entries(TOLD).map(([field, name]) => [field, this.#values.get(name) ?? 0]))
  }
}

function nothing () {}
