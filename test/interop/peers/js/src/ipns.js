// Records of this stack's own IPNS package.
import { createIPNSRecord, marshalIPNSRecord, multihashToIPNSRoutingKey, unmarshalIPNSRecord } from 'ipns'
import { ipnsSelector } from 'ipns/selector'
import { ipnsValidator } from 'ipns/validator'

const LIFE_MS = 3600_000

export async function seal (privateKey, path, sequence) {
  const record = await createIPNSRecord(privateKey, path, BigInt(sequence), LIFE_MS)
  return { key: nameKey(privateKey.publicKey), record: marshalIPNSRecord(record) }
}

export async function open (peerId, bytes) {
  await ipnsValidator(nameKey(peerId), bytes)
  const { value, sequence } = unmarshalIPNSRecord(bytes)
  return { path: value, sequence: Number(sequence) }
}

// What kad-dht is given for the namespace `ipns`.
export const kadIpns = { validator: ipnsValidator, selector: ipnsSelector }

function nameKey (named) {
  return multihashToIPNSRoutingKey(named.toMultihash())
}
