import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../base/clock.ts'
import { type IpAddress, parseIp } from '../../base/ip.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { CreateGateway } from '../../gateway/gateway.ts'
import { askControl, controlPath } from '../../gateway/operate/control.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { openHolding } from '../holding.ts'
import { type ServeOptions, serve } from './serve.ts'

const address = (text: string): IpAddress => parseIp(text) ?? assert.fail()

/** A process to serve in: its folder, its signals, what it said, and a gateway that only listens. */
async function stage(t: TestContext, text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-serve-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'waypost.yaml')
  await writeFile(file, text)
  const events = new EventEmitter()
  const applied: GatewaySettings[] = []
  const gatewayLogs: Log[] = []
  const log: Record<string, unknown>[] = []
  let out = ''
  let err = ''
  const exits: number[] = []
  const release = Promise.withResolvers<void>()
  release.resolve()
  const stopping = { until: release.promise }

  const createGateway: CreateGateway = (settings, deps) => {
    const server = createServer()
    gatewayLogs.push(deps.log)
    return {
      async start() {
        const { address: host, port } = settings.listen[0] ?? assert.fail()
        server.listen(port, host)
        await once(server, 'listening')
        const bound = server.address()
        assert.ok(bound && typeof bound === 'object')
        return [{ address: address(bound.address), port: bound.port }]
      },
      async apply(next) {
        applied.push(next)
        return []
      },
      backends: () => [],
      whyMisconfigured: () => undefined,
      connections: 0,
      dns: undefined,
      setOut: async () => 'unknown',
      leftWithout: () => ({ held: [], deferred: [] }),
      ownProbeWord: () => 'waypost-probe-test',
      tryNow: () => false,
      doubt() {},
      heldMail: undefined,
      async stop() {
        await stopping.until
        if (server.listening) await new Promise((done) => server.close(done))
      },
    }
  }
  const run = (options: Partial<ServeOptions> = {}) =>
    serve(
      {
        config: file,
        log: 'json',
        logLevel: 'info',
        lastGood: undefined,
        stuckAfter: Number.POSITIVE_INFINITY,
        ...options,
      },
      {
        out: (said) => {
          out += said
          events.emit('said')
        },
        err: (said) => {
          err += said
        },
      },
      {
        createGateway,
        openHolding,
        handlers: () => ({ 'backend.list': () => ({ kind: 'done', result: [] }) }),
        signals: { on: (signal, listener) => void events.on(signal, listener), exit: (code) => void exits.push(code) },
        writeLog: (line) => {
          log.push(JSON.parse(line))
          events.emit('logged')
        },
        color: false,
        isWatched: false,
        sendCommand: 'waypost send',
        program: 'waypost',
        version: '0.0.0',
      },
    )
  const logged = async (event: string) => {
    while (!log.some((line) => line.event === event)) await once(events, 'logged')
    return log.find((line) => line.event === event) ?? assert.fail()
  }
  const ready = async () => {
    while (!out.includes('Try:')) await once(events, 'said')
  }
  return {
    folder,
    file,
    events,
    applied,
    gatewayLogs,
    log,
    exits,
    stopping,
    run,
    logged,
    ready,
    get out() {
      return out
    },
    get err() {
      return err
    },
  }
}

const good =
  'state: ./state\nhostname: mx.example.org\nlisten: { smtp: "127.0.0.1:0", http: off }\ndomains: { example.org: { deliver: mx } }\n'

test('serve says where it listens and what to try, keeps its state to itself, and stops on SIGTERM', async (t) => {
  const at = await stage(t, good)
  const running = at.run()
  await at.ready()
  assert.match(
    at.out,
    /^mx\.example\.org takes mail on 127\.0\.0\.1:\d+ for 1 domain\.\nTry: waypost send --server 127\.0\.0\.1:\d+ --to you@example\.org\n$/,
  )
  assert.equal((await stat(join(at.folder, 'state'))).mode & 0o777, 0o700)
  assert.equal(at.log.find((line) => line.event === 'listening')?.level, 'info')
  const socket = controlPath(join(at.folder, 'state'))
  const asked = await askControl(socket, { command: 'backend.list' }, { clock: systemClock, timeoutMs: 5000 })
  assert.deepEqual(asked, { kind: 'done', result: [] })
  for (let time = 0; time < 2; time++) at.gatewayLogs[0]?.info('backend session failed', { backend: 'smtp://a:25' })
  assert.equal(at.log.filter(({ event }) => event === 'backend session failed').length, 1, 'said once while it lasts')

  at.events.emit('SIGTERM')
  assert.equal(await running, 0)
  await assert.rejects(stat(socket))
  await stat(join(at.folder, 'state/last-good-config.json'))
})

test('a start says of its configuration what is in order and probably not meant', async (t) => {
  const pair = fileURLToPath(new URL('../../../test/fixtures/mx.example.test.pem', import.meta.url))
  const at = await stage(t, `${good}tls: { certificate: ${pair}, key: ${pair} }\n`)
  const running = at.run()
  const told = await at.logged('the configuration is in order, and probably not meant')
  assert.equal(told.level, 'warn')
  assert.match(String(told.problems), /waypost\.yaml:5:21: the certificate in .* is for no DNS name at all/)
  at.events.emit('SIGTERM')
  assert.equal(await running, 0)
})

test('SIGHUP loads again; a wrong file leaves the running configuration and says so', async (t) => {
  const at = await stage(t, good)
  const running = at.run()
  await at.ready()
  await writeFile(at.file, good.replace('deliver', 'delivr'))
  at.events.emit('SIGHUP')
  const refused = await at.logged('reload refused: the running configuration stays')
  assert.equal(refused.level, 'error')
  assert.match(String(refused.problems), /waypost\.yaml:4:27: unknown key "delivr"/)
  assert.equal(at.applied.length, 0)

  await writeFile(at.file, `${good}bareNewline: reject\n`)
  at.events.emit('SIGHUP')
  await at.logged('reloaded')
  assert.equal(at.applied[0]?.bareNewline, 'reject')
  at.events.emit('SIGINT')
  assert.equal(await running, 0)
})

test('config.reload answers how it went: too many removed, then allowed, then a state folder that moved', async (t) => {
  const domains = (count: number) =>
    Array.from({ length: count }, (_, index) => `  d${index}.example: { deliver: mx }\n`).join('')
  const text = (count: number) =>
    `state: ./state\nlisten: { smtp: "127.0.0.1:0", http: off }\ndomains:\n${domains(count)}`
  const at = await stage(t, text(30))
  const running = at.run()
  await at.ready()
  const reload = async (allowRemoval: boolean) => {
    const asked = await askControl(
      controlPath(join(at.folder, 'state')),
      { command: 'config.reload', arguments: { allowRemoval } },
      { clock: systemClock, timeoutMs: 30_000 },
    )
    return asked.kind === 'failed' ? asked.why : asked.kind
  }
  await writeFile(at.file, text(5))
  assert.match(await reload(false), /would drop 25 of 30 domains .*say --allow-removal/)
  assert.equal(at.applied.length, 0)
  assert.equal(await reload(true), 'done')
  assert.equal(at.applied[0]?.destinations.domains.length, 5)
  await writeFile(at.file, text(5).replace('./state', './elsewhere'))
  assert.match(await reload(false), /the state folder changed/)
  at.events.emit('SIGTERM')
  assert.equal(await running, 0)
})

test('a second signal ends it at once', async (t) => {
  const at = await stage(t, good)
  const hold = Promise.withResolvers<void>()
  at.stopping.until = hold.promise
  const running = at.run()
  await at.ready()
  at.events.emit('SIGTERM')
  assert.deepEqual(at.exits, [])
  at.events.emit('SIGINT')
  assert.deepEqual(at.exits, [1])
  hold.resolve()
  await running
})

test('a second gateway on the same state does not start', async (t) => {
  const at = await stage(t, good)
  const first = at.run()
  await at.ready()
  assert.equal(await at.run(), 2)
  const state = join(at.folder, 'state')
  assert.ok(at.err.startsWith(`waypost: the state folder ${state} is in use by process ${process.pid} (`), at.err)
  assert.ok(at.err.endsWith('): stop that first, or name another folder in "state:"\n'), at.err)
  at.events.emit('SIGTERM')
  await first
})

test('where a command has the store of the stopped gateway, it is waited for', async (t) => {
  const at = await stage(t, good)
  const state = join(at.folder, 'state')
  const command = await openHolding(state, {
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    limits: () => ({ holdBytes: undefined, freeBytes: undefined }),
  })
  assert.ok(command.kind === 'opened')
  const running = at.run()
  await at.logged('the store is in use, waiting for it')
  await command.close()
  await at.ready()
  at.events.emit('SIGTERM')
  assert.equal(await running, 0)
})

test('a port that is taken is one clear line', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const bound = taken.address()
  assert.ok(bound && typeof bound === 'object')
  const at = await stage(t, good.replace('127.0.0.1:0', `127.0.0.1:${bound.port}`))
  assert.equal(await at.run(), 2)
  const said = `127.0.0.1:${bound.port} is taken by another process: name another place here, in listen`
  const [head, line, caret] = at.err.split('\n')
  assert.equal(head, `${at.file}:3:17: ${said}.smtp`)
  assert.ok(
    line?.startsWith('  3 | listen: { smtp: "127.0.0.1:') &&
      caret?.trim() === '^'.repeat(`"127.0.0.1:${bound.port}"`.length),
    at.err,
  )
  assert.equal(existsSync(join(at.folder, 'state')), false, 'nothing is left behind')

  // Where there is a state folder already, nothing listens before all can.
  await mkdir(join(at.folder, 'state'))
  await writeFile(at.file, good.replace(/listen:.*/, `listen:\n  smtp: 127.0.0.1:0\n  http: [127.0.0.1:${bound.port}]`))
  assert.equal(await at.run(), 2)
  assert.ok(at.err.includes(`${at.file}:5:10: ${said}.http\n`), at.err)
  assert.deepEqual(
    at.log.filter(({ event }) => event === 'smtp listening' || event === 'listening'),
    [],
  )
})

test('a start with a wrong file is refused; --last-good runs on the copy and says so loudly', async (t) => {
  const at = await stage(t, good)
  const first = at.run()
  await at.ready()
  await at.logged('listening')
  at.events.emit('SIGTERM')
  await first

  await writeFile(at.file, `${good}nonsense: true\n`)
  assert.equal(await at.run(), 2)
  assert.match(at.err, /waypost\.yaml:5:1: unknown key "nonsense"/)
  at.events.removeAllListeners('SIGTERM')
  const again = at.run({ lastGood: true })
  const alert = await at.logged('running on the last good configuration')
  assert.equal(alert.alert, true)
  assert.match(at.err, /LAST GOOD/)
  while (at.log.filter((line) => line.event === 'listening').length < 2) await once(at.events, 'logged')
  at.events.emit('SIGTERM')
  assert.equal(await again, 0)
})

test('a state folder that cannot be ours is one clear line', async (t) => {
  const at = await stage(t, good)
  await writeFile(join(at.folder, 'state'), 'a file')
  assert.equal(await at.run(), 2)
  assert.match(
    at.err,
    /^\S+:\d+:\d+: the state folder .*\/state is not a folder: name another with "state:", or move what is there away\n/,
  )
  await writeFile(at.file, good.replace('./state', `./${'x'.repeat(100)}`))
  const again = await at.run()
  assert.equal(again, 2)
  assert.match(at.err, /too long for the socket/)
})

test('a log file that cannot be written is told at its place, with what to do', async (t) => {
  const at = await stage(t, `${good}\nlog: { file: none/there/mail.log }\n`)
  assert.equal(await at.run(), 2)
  assert.match(at.err, /^\S+:\d+:14: the log file \S+ cannot be made: there is no folder .*mkdir -p/)
})

test('a reload that comes while the gateway starts waits for it', async (t) => {
  const at = await stage(t, good)
  const running = at.run()
  while (at.events.listenerCount('SIGHUP') === 0) await new Promise((done) => setImmediate(done))
  at.events.emit('SIGHUP')
  await at.logged('reloaded')
  assert.ok(
    at.log.findIndex((line) => line.event === 'listening') < at.log.findIndex((line) => line.event === 'reloaded'),
  )
  at.events.emit('SIGTERM')
  assert.equal(await running, 0)
})

test('--last-good without a copy does not start', async (t) => {
  const at = await stage(t, 'domains: [')
  assert.equal(await at.run({ lastGood: true }), 2)
  assert.match(at.err, /holds no last good configuration/)
})
