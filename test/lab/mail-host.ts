/** A mail server over TLS that takes mail from who says the right password (RFC 8314, RFC 4954), and keeps what it took. Stopped with the test. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'

/** For 127.0.0.1; who trusts it must be told to. */
export const labCertificate = fileURLToPath(new URL('certificate/certificate.pem', import.meta.url))
export const labPair = () => ({
  cert: readFileSync(labCertificate),
  key: readFileSync(new URL('certificate/key.pem', import.meta.url)),
})

export interface MailHost {
  readonly port: number
  /** `name password`, of those that came in and of those that did not. */
  readonly said: readonly string[]
  readonly messages: readonly string[]
}

export async function startMailHost(t: TestContext, user: string, password: string): Promise<MailHost> {
  const said: string[] = []
  const messages: string[] = []
  const open = new Set<TLSSocket>()
  const server = createServer(labPair(), (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => undefined)
    let isIn = false
    let body: string[] | undefined
    let rest = ''
    const answer = (line: string): string | undefined => {
      if (body) {
        if (line !== '.') {
          body.push(line)
          return undefined
        }
        messages.push(body.join('\n'))
        body = undefined
        return '250 2.0.0 taken'
      }
      const [verb = ''] = line.toUpperCase().split(' ')
      if (verb === 'EHLO') return '250-mail.test\r\n250 AUTH PLAIN'
      if (verb === 'AUTH') {
        const [, name = '', secret = ''] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
          .toString('utf8')
          .split('\0')
        said.push(`${name} ${secret}`)
        isIn = name === user && secret === password
        return isIn ? '235 2.7.0 welcome' : '535 5.7.8 no'
      }
      if (verb === 'QUIT') return '221 2.0.0 bye'
      if (!isIn) return '530 5.7.0 who are you?'
      if (verb === 'DATA') body = []
      return verb === 'DATA' ? '354 go on' : '250 2.0.0 fine'
    }
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const reply = answer(line)
        if (reply !== undefined) socket.write(`${reply}\r\n`)
      }
    })
    socket.write('220 mail.test ESMTP\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const place = server.address()
  if (place === null || typeof place === 'string') throw new Error('the mail host listens nowhere')
  t.after(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { port: place.port, said, messages }
}
