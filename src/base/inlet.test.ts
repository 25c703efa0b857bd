import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { until } from '../../test/lab/until.ts'
import { createInlets } from './inlet.ts'

test('each socket hears its own octets, and what it copies is not written over by the next ones', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (octets) => socket.write(octets))
  })
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const newInlet = createInlets()
  const kept: Buffer[][] = []
  const sockets: Socket[] = []
  for (const index of [0, 1]) {
    const inlet = newInlet()
    const heard: Buffer[] = []
    kept.push(heard)
    inlet.onOctets = (octets) => heard.push(Buffer.from(octets))
    const socket = connect({ port, host: '127.0.0.1', onread: inlet.onread })
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
    sockets.push(socket)
    await once(socket, 'connect')
    socket.write(`first of ${index}`)
    await until(() => heard.length === 1, 5_000, 'the first octets')
  }
  for (const [index, socket] of sockets.entries()) {
    socket.write(`then of ${index}`)
    await until(() => kept[index]?.length === 2, 5_000, 'the next octets')
  }
  assert.deepEqual(
    kept.map((heard) => heard.map(String)),
    [
      ['first of 0', 'then of 0'],
      ['first of 1', 'then of 1'],
    ],
  )
})

test('the end of a socket is told although nobody listens to its data', async (t) => {
  const server = createServer((socket) => socket.end('bye'))
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const inlet = createInlets()()
  let heard = ''
  inlet.onOctets = (octets) => {
    heard += octets.toString()
  }
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', onread: inlet.onread })
  t.after(() => socket.destroy())
  await once(socket, 'end')
  assert.equal(heard, 'bye')
})
