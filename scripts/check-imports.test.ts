import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCircles, checkFile, checkFolders } from './check-imports.ts'

const messages = (path: string, text: string) => checkFile(path, text).map(({ line, message }) => `${line}: ${message}`)

test('a room imports what stands behind its arrow and nothing else, types too', () => {
  assert.deepEqual(
    messages('smtp/server/a.ts', "import { x } from '../../mail/reply.ts'\nimport type { Y } from '../wire/y.ts'\n"),
    [],
  )
  assert.deepEqual(messages('smtp/a.ts', "\nimport type { Route } from '../routing/backend.ts'\n"), [
    '2: smtp imports routing; it may import base, mail',
  ])
  assert.deepEqual(messages('base/a.ts', "export { z } from '../dns/name.ts'"), [
    '1: base imports dns; it may import no other room',
  ])
  assert.deepEqual(messages('dns/a.ts', "const x = await import('../cli/main.ts')"), [
    '1: dns imports cli; it may import base',
  ])
  assert.deepEqual(messages('mail/a.ts', "import {\n  a,\n  b,\n} from '../gateway/gateway.ts'"), [
    '1: mail imports gateway; it may import base, dns',
  ])
  assert.match(messages('elsewhere/a.ts', '')[0] ?? '', /"elsewhere" is no room/)
})

test('imports end in .ts and stay within src', () => {
  assert.deepEqual(messages('mail/a.ts', "import { a } from './b'"), ['1: the import of "./b" does not end in .ts'])
  assert.deepEqual(messages('mail/a.ts', "import { a } from '../../test/lab/lab.ts'"), [
    '1: src/ imports "../test/lab/lab.ts", which does not ship',
  ])
})

test('no file needs one that needs it, types too', () => {
  const a = "import type { B } from './b/b.ts'"
  assert.deepEqual(checkCircles(new Map([['mail/a.ts', a]])), [])
  assert.deepEqual(
    checkCircles(
      new Map([
        ['mail/a.ts', a],
        ['mail/b/b.ts', "import { a } from '../a.ts'"],
      ]),
    ),
    [{ file: 'src/mail/a.ts', line: 1, message: 'it needs itself: mail/a.ts → mail/b/b.ts → mail/a.ts' }],
  )
})

test('no folder of a room needs one that needs it, nor a file beside them', () => {
  const above = ['gateway/drain/drain.ts', "import { a } from '../hold/a.ts'"] as const
  const notices = ['gateway/notices/n.ts', "import { pause } from '../pauses.ts'"] as const
  const within = ['gateway/hold/a.ts', "import { b } from './b.ts'\nimport type { N } from '../notices/n.ts'"] as const
  assert.deepEqual(checkFolders(new Map([above, notices, within])), [])
  const back = ['gateway/hold/b.ts', "import type { Drain } from '../drain/drain.ts'"] as const
  assert.deepEqual(checkFolders(new Map([above, back])), [
    {
      file: 'src/gateway/drain/drain.ts',
      line: 1,
      message:
        'its folder needs itself: gateway/drain → gateway/hold → gateway/drain, by gateway/drain/drain.ts, gateway/hold/b.ts',
    },
  ])
  const beside = ['gateway/pauses.ts', "import type { N } from './notices/n.ts'"] as const
  assert.equal(checkFolders(new Map([notices, beside])).length, 1)
})

test('only the door connects', () => {
  assert.deepEqual(messages('base/door.ts', "import { connect } from 'node:net'"), [])
  assert.deepEqual(messages('smtp/a.ts', "import { createServer } from 'node:net'"), [])
  const named = "import { createServer, connect as open } from 'node:net'"
  assert.deepEqual(messages('smtp/a.ts', named), ['1: "connect" of node:net is for base/door.ts alone: take a Door'])
  assert.equal(messages('smtp/a.ts', "import net from 'node:net'").length, 1)
  assert.equal(messages('smtp/a.ts', "import * as net from 'node:net'").length, 1)
})

test('time, chance, process and console have their places', () => {
  assert.equal(messages('smtp/a.ts', 'const now = Date.now()\nsetTimeout(run, 1)\nMath.random()').length, 3)
  assert.equal(messages('gateway/a.ts', 'console.log(process.pid)').length, 2)
  assert.deepEqual(messages('cli/terminal.ts', 'console.log(process.pid)'), [])
  assert.deepEqual(messages('base/clock.ts', 'const now = Date.now()'), [])
  assert.deepEqual(messages('smtp/a.ts', 'new Date(clock.now())'), [])
})

test('comments, strings and regular expressions are no code', () => {
  const text = [
    "// import { x } from '../cli/main.ts' and Date.now()",
    "/* process.exit() */ const a = 'Math.random()'",
    'const quotes = /["\'`]/.test(b) // Date.now()',
    "import { c } from '../mail/c.ts'",
    'const half = a / 2 / b',
  ].join('\n')
  assert.deepEqual(messages('smtp/a.ts', text), [])
})

test('TLS is spoken over a socket that the door has opened, in the files named; HTTP goes through the door too', () => {
  const secure = "import { type TLSSocket, connect as tlsConnect } from 'node:tls'"
  assert.deepEqual(messages('smtp/client/open.ts', secure), [])
  assert.deepEqual(messages('smtp/client/session.ts', secure), [
    '1: "connect" of node:tls is for base/door.ts, base/http-client.ts, base/https.ts, smtp/client/open.ts alone: take a Door',
  ])
  assert.deepEqual(messages('smtp/server/tls.ts', "import { type SecureContext, TLSSocket } from 'node:tls'"), [])
  assert.equal(messages('web/a.ts', "import * as tls from 'node:tls'").length, 1)
  for (const module of ['node:http', 'node:https'])
    for (const name of ['request', 'get', 'Agent'])
      assert.equal(messages('checks/a.ts', `import { ${name} } from '${module}'`).length, 1, `${name} of ${module}`)
  assert.equal(messages('checks/a.ts', "import http2 from 'node:http2'").length, 1)
  assert.equal(messages('checks/a.ts', "import { connect } from 'node:http2'").length, 1)
  assert.equal(messages('checks/a.ts', "const { get } = await import('node:https')").length, 1)
  assert.deepEqual(messages('web/a.ts', "import { createServer } from 'node:http'"), [])
  // Without "node:" it is the same module.
  assert.equal(messages('checks/a.ts', "import { connect } from 'net'").length, 1)
})

test('a socket that is made by hand connects as well', () => {
  assert.deepEqual(messages('smtp/a.ts', "import { Socket } from 'node:net'\nconst socket = new Socket()"), [
    '2: "new Socket" is for base/door.ts alone: take a Door',
  ])
  assert.deepEqual(messages('smtp/a.ts', "import type { Socket } from 'node:net'"), [])
})

test('nobody fetches; a method or a function of that name is something else', () => {
  assert.deepEqual(messages('watch/a.ts', 'await fetch(url)'), ['1: "fetch(" is for base/door.ts alone: take a Door'])
  assert.equal(messages('watch/a.ts', 'const get = globalThis.fetch').length, 1)
  assert.deepEqual(messages('watch/a.ts', 'store.fetch(row)\nthis.#fetch(row)\nprefetch(row)'), [])
  assert.deepEqual(messages('gateway/a.ts', 'fetch(host)\nasync function fetch(host: string) {}'), [])
})

test('datagrams are for the resolver', () => {
  assert.deepEqual(messages('dns/udp.ts', "import { createSocket } from 'node:dgram'"), [])
  assert.deepEqual(messages('dns/tcp.ts', "import { createSocket } from 'node:dgram'"), [
    '1: "createSocket" of node:dgram is for dns/udp.ts, dns/authoritative/udp-server.ts alone: take a Door',
  ])
})

test("the machine's resolver is asked in one place", () => {
  const lookup = "import { lookup } from 'node:dns/promises'"
  assert.deepEqual(messages('base/host-lookup.ts', lookup), [])
  assert.deepEqual(messages('gateway/a.ts', lookup), [
    '1: "lookup" of node:dns/promises is for base/host-lookup.ts alone: take a HostLookup, or a Resolver',
  ])
  assert.equal(messages('cli/a.ts', "import dns from 'node:dns'").length, 1)
  assert.equal(messages('cli/a.ts', "import { promises } from 'dns'").length, 1)
})

test('one file alone writes to the terminal', () => {
  for (const way of [
    'process.stdout.write(text)',
    'const { stderr } = process',
    "import { stdout } from 'node:process'",
    'console.log(text)',
    'writeSync(2, text)',
  ]) {
    assert.equal(messages('cli/a.ts', way).length, 1, way)
    assert.deepEqual(messages('cli/terminal.ts', way), [], way)
  }
  assert.deepEqual(messages('cli/a.ts', "terminal.err('on stderr')\nprocess.exit(1)"), [])
})
