/**
 * What an answer takes in memory, by which the resolver's cache counts, and what checks share: octets on the way say little of it. An empty string of a TXT record is one
 * octet there and would be a Buffer here, and a name that is a pointer of two octets has up to 255. Pure.
 */
import type { DnsRecord } from './message.ts'
import type { Resolution } from './resolution.ts'

/** Octets of the heap of Node 24, by measure; without the entry itself, which is the same for every answer. */
const octetsOf = { record: 80, string: 24, array: 150, element: 12, buffer: 210, number: 8 } as const

export function memoryOf(resolution: Resolution): number {
  if (resolution.kind === 'failed') return 0
  let sum = 0
  for (const alias of resolution.aliases) sum += octetsOf.string + alias.length
  return resolution.kind === 'answer' ? sum + memoryOfRecords(resolution.records) : sum
}

export function memoryOfRecords(records: readonly DnsRecord[]): number {
  let sum = 0
  // Equal names need not be one string: whoever writes the message may see to it that they are not.
  for (const { name, data } of records) {
    sum += octetsOf.record + name.length
    for (const field of Object.values(data)) sum += valueOctets(field)
  }
  return sum
}

function valueOctets(value: string | number | Buffer | readonly (number | Buffer)[]): number {
  if (typeof value === 'string') return octetsOf.string + value.length
  if (typeof value === 'number') return octetsOf.number
  // All that are empty are one (`reader.ts`).
  if (Buffer.isBuffer(value)) return value.length === 0 ? 0 : octetsOf.buffer + value.length
  let sum = octetsOf.array + octetsOf.element * value.length
  for (const element of value) if (typeof element !== 'number') sum += valueOctets(element)
  return sum
}
