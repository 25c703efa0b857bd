/** What two authoritative servers must agree on: the code, AA, the answers, and where there are none, what stands in their place. */
import { type DnsRecord, decodeMessage, type Message } from '../../../src/dns/message.ts'
import { type Rdata, rdataCode, writeRdata } from '../../../src/dns/rdata.ts'
import { rcodeName, typeName } from '../../../src/dns/types.ts'
import { foldName, nameText, type WireName } from '../../../src/dns/wire-name.ts'
import { Writer } from '../../../src/dns/writer.ts'
import { askTcp, askUdp, framed, question } from '../../lab/ask.ts'

export interface Place {
  readonly address: string
  readonly port: number
}

/**
 * @param type  its number
 * @param waitMs  shorter for a server that may not be there yet
 * @returns lines that compare; undefined where the server did not answer
 */
export async function answerOf(
  server: Place,
  name: string,
  type: number,
  waitMs = 30_000,
): Promise<string[] | undefined> {
  const asked = question(name, type, { edns: { udpBytes: 1232 } })
  const overUdp = read(await askUdp(server, asked, waitMs))
  const message = overUdp?.truncated ? read(await tcpAnswer(server, asked)) : overUdp
  if (!message) return undefined
  const lines = [
    `${rcodeName(message.rcode)}${message.authoritative ? ' aa' : ''}`,
    ...message.answers.map(lineOf).sort(),
  ]
  if (message.answers.length > 0) return lines
  return [...lines, ...message.authorities.map((record) => `authority ${lineOf(record)}`).sort()]
}

function read(bytes: Buffer | undefined): Message | undefined {
  const decoded = bytes && decodeMessage(bytes)
  return decoded?.kind === 'message' ? decoded.message : undefined
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
