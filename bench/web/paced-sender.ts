/**
 * A sender that keeps a pace, in a process of its own: so many messages a second over a few connections that stay open. `smtp-source` knows only as fast as it
 * goes. Started by `pace.ts`: ADDRESS PORT MESSAGES-A-SECOND CONNECTIONS OCTETS; says for each line of its
 * standard input, as JSON, how many were taken until now, and ends with it.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const [address = '', port = '', perSecondText = '', connectionsText = '', octetsText = ''] = process.argv.slice(2)
const perSecond = Number(perSecondText)
const everyMs = 10
const line = `${'x'.repeat(70)}\r\n`
const body = `Subject: paced\r\n\r\n${line.repeat(Math.ceil(Number(octetsText) / line.length))}.\r\n`

interface Connection {
  readonly socket: Socket
  /** Replies that are awaited for the message at hand; 0: idle. */
  awaited: number
  rest: string
}

let taken = 0
let begun = 0

async function open(): Promise<Connection> {
  const socket = connect(Number(port), address)
  const connection: Connection = { socket, awaited: 0, rest: '' }
  socket.setNoDelay(true)
  socket.on('error', (error) => fail(`the connection broke: ${error.message}`))
  await once(socket, 'data')
  socket.write('EHLO sender.test\r\n')
  await once(socket, 'data')
  socket.on('data', (chunk) => hear(connection, String(chunk)))
  return connection
}

function hear(connection: Connection, text: string): void {
  const lines = `${connection.rest}${text}`.split('\r\n')
  connection.rest = lines.pop() ?? ''
  for (const reply of lines) {
    if (/^\d{3}-/.test(reply)) continue
    if (!/^[23]/.test(reply)) fail(`it said ${reply}`)
    connection.awaited--
    if (reply.startsWith('354')) connection.socket.write(body)
    if (connection.awaited === 0) taken++
  }
}

function fail(why: string): never {
  process.stderr.write(`${why}\n`)
  process.exit(1)
}

const connections = await Promise.all(Array.from({ length: Number(connectionsText) }, open))
const begunMs = performance.now()
setInterval(() => {
  let due = Math.floor(((performance.now() - begunMs) / 1000) * perSecond) - begun
  for (const connection of connections) {
    if (due <= 0) return
    if (connection.awaited > 0) continue
    // The replies to MAIL, RCPT, DATA and the dot.
    connection.awaited = 4
    connection.socket.write('MAIL FROM:<bench@sender.test>\r\nRCPT TO:<bench@example.test>\r\nDATA\r\n')
    begun++
    due--
  }
}, everyMs)

createInterface({ input: process.stdin })
  .on('line', () => void process.stdout.write(`${JSON.stringify({ taken, ms: performance.now() - begunMs })}\n`))
  .on('close', () => process.exit(0))
