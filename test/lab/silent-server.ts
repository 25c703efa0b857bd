/** A name server on loopback that is there and says nothing: what a publisher is that hangs. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { parseIp } from '../../src/base/ip.ts'
import { freeAddress, freePort } from './loopback.ts'

/** It takes every question and answers none; `asked` is what it heard. */
export async function startSilent(t: TestContext) {
  const address = freeAddress()
  const port = await freePort(address)
  let asked = ''
  const hear = (bytes: Buffer) => {
    asked += bytes.toString('latin1')
  }
  const udp = createSocket('udp4', hear)
  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.on('data', hear)
    socket.on('error', () => undefined)
  })
  udp.bind(port, address)
  tcp.listen(port, address)
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  t.after(() => {
    udp.close()
    tcp.close()
    for (const socket of sockets) socket.destroy()
  })
  return { server: { address: parseIp(address) ?? assert.fail(), port }, asked: () => asked }
}
