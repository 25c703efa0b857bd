/**
 * A small internet on loopback for one test: backends with faults on demand, senders, and the gateway between them. Everything that it
 * started stops with the test. `test/e2e` reads like stories told with it; `words.ts` has the faults, `settings.ts` the gateway's words.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { createSecureContext } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { type FakeBackend, startBackend } from './backend.ts'
import { Dialogue, type DialogueOptions } from './dialogue.ts'
import { type DnsLab, type LabZone, startDns } from './dns.ts'
import { type GatewayParts, type LabGateway, startGateway } from './gateway.ts'
import { freeAddress } from './loopback.ts'
import { type ProcessWords, startProcess, type WaypostProcess } from './process.ts'
import { type Sending, type Sent, sendMessage } from './send.ts'
import { type GatewayWords, settingsOf } from './settings.ts'
import { until } from './until.ts'
import type { BackendWords } from './words.ts'

export interface Lab {
  /** A folder of this lab alone, gone with it. */
  readonly folder: string
  readonly certificate: string
  readonly key: string
  /** A fake backend that behaves as the words say. */
  backend(words?: BackendWords): Promise<FakeBackend>
  /** A name server that knows this zone; a gateway asks it with `resolver: { servers: [dns.server] }`. */
  dns(zone: LabZone): Promise<DnsLab>
  /** A gateway in this process. */
  gateway(words: GatewayWords, parts?: GatewayParts): Promise<LabGateway>
  /** The command line's gateway, in a process of its own. */
  process(words: ProcessWords): Promise<WaypostProcess>
  /** The same, without waiting for it to listen. */
  processThatFails(words: ProcessWords): Promise<WaypostProcess>
  /** Sends one message through the gateway that was started last, and tells what the sender was told. */
  send(sending: Sending): Promise<Sent>
  /** A raw dialogue with the gateway that was started last, or with any other place. */
  connect(options?: Partial<DialogueOptions>): Promise<Dialogue>
  /** Waits until the condition holds; fails after `timeoutMs` (60 s). */
  until(condition: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void>
  /** Runs at the end of the test, before what was started earlier is stopped. */
  atEnd(run: () => unknown): void
}

const certificate = fileURLToPath(new URL('certificate/certificate.pem', import.meta.url))
const key = fileURLToPath(new URL('certificate/key.pem', import.meta.url))

/** @param limitMs  the whole time that the test has: then everything is torn down, so that whatever waits fails */
export async function startLab(t: TestContext, limitMs = 600_000): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-lab-'))
  const secureContext = createSecureContext({ cert: await readFile(certificate), key: await readFile(key) })
  const ends: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })]
  const failures: unknown[] = []
  const end = async () => {
    for (let run = ends.pop(); run; run = ends.pop())
      await Promise.resolve(run()).catch((error) => failures.push(error))
  }
  const limit = setTimeout(() => {
    failures.push(new Error(`the test took longer than its ${limitMs} ms`))
    void end()
  }, limitMs)
  t.after(async () => {
    clearTimeout(limit)
    await end()
    // Where the test has failed already, nobody looks at what is thrown here.
    for (const failure of failures) t.diagnostic(`at the end: ${failure}`)
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '))
  })

  let last: { readonly address: string; readonly port: number } | undefined
  let made = 0
  const via = () => {
    if (!last) throw new Error('no gateway was started, so it must be said where to')
    return last
  }
  const launch = async (words: ProcessWords, waits: boolean) => {
    const own = words.after ? dirname(words.after.configFile) : join(folder, `process-${++made}`)
    await mkdir(own, { recursive: true })
    const running = await startProcess(words, own, waits)
    ends.push(() => running.stop())
    last = running
    return running
  }
  return {
    folder,
    certificate,
    key,
    async backend(words = {}) {
      const backend = await startBackend(words, { folder, secureContext, number: ++made })
      ends.push(() => backend.stop())
      return backend
    },
    dns: (zone) => startDns(t, zone),
    async gateway(words, parts = {}) {
      const state = parts.state ?? join(folder, `state-${++made}`)
      await mkdir(state, { mode: 0o700, recursive: true })
      const place = { state, certificate, key, address: freeAddress() }
      const gateway = await startGateway((chosen) => settingsOf(chosen, place), quickToStop(words), parts)
      ends.push(() => gateway.stop())
      last = gateway
      return gateway
    },
    process: (words) => launch(words, true),
    processThatFails: (words) => launch(words, false),
    send: (sending) => sendMessage(sending.via ?? via(), sending),
    async connect(options = {}) {
      // A backend or a gateway may be handed in whole; its address and port are getters, which no spread copies.
      const { address = '127.0.0.1', port = 0 } = options.port === undefined ? via() : options
      const { source, waitMs = 60_000 } = options
      const dialogue = await Dialogue.open({ address, port, waitMs, ...(source === undefined ? {} : { source }) })
      ends.push(() => dialogue.destroy())
      return dialogue
    },
    until,
    atEnd: (run) => void ends.push(run),
  }
}

/** A test that ends in the middle of a transaction does not wait out a production grace. */
const quickToStop = (words: GatewayWords): GatewayWords => ({
  ...words,
  budgets: { shutdownGraceMs: 500, ...words.budgets },
})
