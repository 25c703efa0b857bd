/** What two authoritative servers must agree on: the code, AA, the answers, and where there are none, what stands in their place. */
import { type DnsRecord, decodeMessage } from '../../../src/dns/message.ts'
import { type Rdata, rdataCode, writeRdata } from '../../../src/dns/rdata.ts'
import { rcodeName, typeName } from '../../../src/dns/types.ts'
import { foldName, nameText, type WireName } from '../../../src/dns/wire-name.ts'
import { Writer } from '../../../src/dns/writer.ts'
import { askTcp, askUdp, framed, question } from '../../lab/ask.ts'

export interface Place {
  readonly address: string
  readonly port: number
}

/** @param type  its number. @returns lines that compare; undefined where the server did not answer */
export async function answerOf(
  server: Place,
  name: string,
  type: number,
  overTcp = false,
): Promise<string[] | undefined> {
  const asked = question(name, type, { edns: { udpBytes: 1232 } })
  const bytes = overTcp ? await tcpAnswer(server, asked) : await askUdp(server, asked, 3_000)
  const decoded = bytes && decodeMessage(bytes)
  if (decoded?.kind !== 'message') return undefined
  const { message } = decoded
  if (message.truncated) return answerOf(server, name, type, true)
  const lines = [
    `${rcodeName(message.rcode)}${message.authoritative ? ' aa' : ''}`,
    ...message.answers.map(lineOf).sort(),
  ]
  if (message.answers.length > 0) return lines
  return [...lines, ...message.authorities.map((record) => `authority ${lineOf(record)}`).sort()]
}

async function tcpAnswer(server: Place, asked: Buffer): Promise<Buffer> {
  const tcp = askTcp(server)
  tcp.write(framed(asked))
  const answer = await tcp.next()
  tcp.socket.destroy()
  return answer
}

const lineOf = ({ name, ttlSeconds, data }: DnsRecord) =>
  `${nameText(foldName(name))} ${ttlSeconds} ${typeName(rdataCode(data))} ${octets(data)}`

/** Names in lower case: servers compress against names that are written in another. */
function octets(data: Rdata): string {
  const writer = new Writer()
  writeRdata(writer, data)
  const text = writer.done().toString('latin1')
  return Buffer.from(
    'target' in data || 'exchange' in data || data.type === 'SOA' ? foldName(text as WireName) : text,
    'latin1',
  ).toString('hex')
}
