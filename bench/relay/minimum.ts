/**
 * The least that Node can do to take a message in and relay it over pooled sessions: no limits, no safety, hardly any parsing. It is
 * a yardstick for what the runtime itself costs, and never an example. Started by `run.ts`: node minimum.ts ADDRESS PORT SINK-PORT
 */
import { connect, createServer, type Socket } from 'node:net'

const [address = '127.0.0.1', port = '2600', sinkPort = '2601'] = process.argv.slice(2)
const trace = 'Received: from x by minimum; Mon, 1 Jan 2024 00:00:00 +0000\r\n'
const idle: Outward[] = []

/** One session to the sink; replies are handed to whoever asked, in order. */
class Outward {
  readonly socket: Socket
  readonly #waiting: ((line: string) => void)[] = []
  #text = ''

  constructor() {
    this.socket = connect({ host: address, port: Number(sinkPort), noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1')
      for (let end = this.#text.indexOf('\r\n'); end >= 0; end = this.#text.indexOf('\r\n')) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        if (line[3] !== '-') this.#waiting.shift()?.(line)
      }
    })
  }

  reply(): Promise<string> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  ask(text: string): Promise<string> {
    const answer = this.reply()
    this.socket.write(text, 'latin1')
    return answer
  }
}

async function take(): Promise<Outward> {
  const pooled = idle.pop()
  if (pooled) return pooled
  const made = new Outward()
  await made.reply()
  await made.ask('EHLO minimum\r\n')
  return made
}

/** One sender. Lines are answered in order; data is everything up to a chunk that ends in the dot. */
function serve(socket: Socket): void {
  let outward: Outward | undefined
  let mail = ''
  let chunks: Buffer[] | undefined
  let order = Promise.resolve()
  const say = (text: string) => socket.write(text, 'latin1')

  async function command(line: string): Promise<void> {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO') say('250-minimum\r\n250-PIPELINING\r\n250 8BITMIME\r\n')
    else if (verb === 'MAIL') {
      mail = line
      say('250 2.1.0 fine\r\n')
    } else if (verb === 'RCPT') {
      const first = outward === undefined
      outward ??= await take()
      if (!first) say(`${await outward.ask(`${line}\r\n`)}\r\n`)
      else {
        const answer = outward.ask(`${mail}\r\n${line}\r\n`)
        const second = outward.reply()
        await answer
        say(`${await second}\r\n`)
      }
    } else if (verb === 'DATA') {
      chunks = []
      say('354 go on\r\n')
    } else if (verb === 'QUIT') socket.end('221 bye\r\n')
    else say('250 fine\r\n')
  }

  async function deliver(body: readonly Buffer[]): Promise<void> {
    const to = outward
    if (!to) return
    await to.ask('DATA\r\n')
    const verdict = to.reply()
    to.socket.cork()
    to.socket.write(trace, 'latin1')
    for (const chunk of body) to.socket.write(chunk)
    to.socket.uncork()
    say(`${await verdict}\r\n`)
    outward = undefined
    idle.push(to)
  }

  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    if (!chunks) {
      for (const line of chunk.toString('latin1').split('\r\n')) if (line) order = order.then(() => command(line))
      return
    }
    chunks.push(chunk)
    const tail = chunk.length >= 5 ? chunk.subarray(-5) : Buffer.concat(chunks).subarray(-5)
    if (tail.toString('latin1') !== '\r\n.\r\n') return
    const body = chunks
    chunks = undefined
    order = order.then(() => deliver(body))
  })
  say('220 minimum ESMTP\r\n')
}

createServer({ noDelay: true }, serve).listen({ host: address, port: Number(port), backlog: 1024 })
