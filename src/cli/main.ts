/**
 * The command line's entry: `bin/waypost` runs this file. It alone builds the whole out of the rooms, and it alone knows the process.
 */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Gateway } from '../gateway/gateway.ts'
import type { ServingDeps } from './demo/gateway.ts'
import { endOnFault } from './fault.ts'
import { createProgram } from './program.ts'
import { programName } from './program-name.ts'
import {
  createAsk,
  createAskHidden,
  createAskLine,
  createKeys,
  createPanel,
  endWhereNobodyReads,
  isOutColored,
  outShape,
  processBytes,
  processTerminal,
  type Run,
} from './terminal.ts'

// What Waypost writes is its owner's alone, whatever made it.
process.umask(0o077)
endWhereNobodyReads(process.argv[2] === 'serve')
const failed = endOnFault(processTerminal)

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** A command's code is read when it is meant, or when all are to be listed: reading the gateway takes longer than a look-up. */
const commands: Readonly<Record<string, (run: Run) => Promise<Command>>> = {
  async serve(run) {
    const [serving, { processDeps }, { serveCommand }] = await Promise.all([
      servingDeps(),
      import('./process.ts'),
      import('./serve/serve.ts'),
    ])
    const { end, ...deps } = processDeps()
    return serveCommand(endingWith(run, end), { ...deps, ...serving })
  },
  async demo(run) {
    const [serving, { systemClock }, { systemDoor }, { systemRandom }, { demoCommand }] = await Promise.all([
      servingDeps(),
      import('../base/clock.ts'),
      import('../base/door.ts'),
      import('../base/random.ts'),
      import('./demo/demo.ts'),
    ])
    return demoCommand(run, {
      clock: systemClock,
      random: systemRandom,
      door: systemDoor,
      serving,
      signals: { on: (signal, run) => void process.on(signal, run), exit: (code) => process.exit(code) },
      createPanel,
      createKeys,
      program: programName,
    })
  },
  send: async () => (await import('./send/send.ts')).sendCommand(),
  lookup: async () => (await import('./lookup/lookup.ts')).lookupCommand(),
  plan: async (run) => (await import('./publish/plan.ts')).planCommand(run, { color: isOutColored() }),
  apply: async (run) =>
    (await import('./publish/apply.ts')).applyCommand(run, { color: isOutColored(), ask: createAsk() }),
  init: async (run) => (await import('./publish/init.ts')).initCommand(run, { askLine: createAskLine() }),
  import: async (run) => (await import('./publish/import.ts')).importDnsCommand(run),
  migrate: async (run) =>
    (await import('./migrate/migrate.ts')).migrateCommand(run, { color: isOutColored(), ask: createAsk() }),
  async check(run) {
    const [{ systemClock }, { systemDoor }, { systemRandom }, { checkCommand }] = await Promise.all([
      import('../base/clock.ts'),
      import('../base/door.ts'),
      import('../base/random.ts'),
      import('./check/check.ts'),
    ])
    return checkCommand(run, { clock: systemClock, random: systemRandom, door: systemDoor })
  },
  config: async (run) => (await import('./config/config.ts')).configCommand(run),
  backend: async (run) => (await import('./backend.ts')).backendCommand(run),
  queue: async (run) =>
    (await import('./queue/queue.ts')).queueCommand(run, {
      bytes: processBytes,
      confirm: createAsk(),
      columns: outShape().columns,
    }),
  async watch(run) {
    const [{ processDeps }, { watchCommand }] = await Promise.all([import('./process.ts'), import('./watch/watch.ts')])
    const { end, ...deps } = processDeps()
    return watchCommand(endingWith(run, end), deps)
  },
  report: async (run) => (await import('./report.ts')).reportCommand(run),
  web: async (run) => (await import('./web.ts')).webCommand(run, createAskHidden()),
  trace: async (run) => (await import('./trace/trace.ts')).traceCommand(run, () => process.stdin),
}

/** Work behind which the process has nothing left to do. */
function endingWith(run: Run, end: () => void): Run {
  return (work) => run((terminal) => work(terminal).finally(end))
}

/** What a gateway is made of. */
async function servingDeps(): Promise<ServingDeps> {
  const [{ createGateway }, { backendHandlers }, { queueHandlers }, { ownProbeHandlers }, { openHolding }] =
    await Promise.all([
      import('../gateway/gateway.ts'),
      import('./backend.ts'),
      import('./queue/handlers.ts'),
      import('./check/own-probe.ts'),
      import('./holding.ts'),
    ])
  const handlers = (gateway: Gateway) => ({
    ...backendHandlers(gateway),
    ...queueHandlers(gateway.heldMail),
    ...ownProbeHandlers(gateway),
  })
  return { version, createGateway, openHolding, handlers }
}

const [word = ''] = process.argv.slice(2)
const wanted = Object.hasOwn(commands, word) ? [word] : Object.keys(commands)
let run: Run | undefined
const made = await Promise.all(wanted.map((name) => commands[name]?.((work) => run?.(work) ?? Promise.resolve())))
const program = createProgram(version, processTerminal, (own) => {
  run = own
  return made.filter((command) => command !== undefined)
})
// The timers of `base/clock.ts` keep no process alive, and a command may wait for nothing but one: for a secondary, say.
const alive = new MessageChannel().port1
alive.ref()
try {
  const exitCode = await program.run(process.argv.slice(2))
  if (exitCode !== 0) process.exitCode = exitCode
} catch (error) {
  failed(error)
} finally {
  alive.close()
}
