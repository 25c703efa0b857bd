/**
 * The command line's entry: `bin/waypost` runs this file. It alone builds the whole out of the rooms, and it alone knows the process.
 */
import { readFileSync } from 'node:fs'
import { createGateway } from '../gateway/gateway.ts'
import { backendCommand, backendHandlers } from './backend.ts'
import { configCommand } from './config.ts'
import { lookupCommand } from './lookup.ts'
import { processDeps } from './process.ts'
import { createProgram } from './program.ts'
import { sendCommand } from './send.ts'
import { serveCommand } from './serve.ts'
import type { Terminal } from './terminal.ts'

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
}

// What Waypost writes is its owner's alone, whatever made it (SEMANTICS.md §12).
process.umask(0o077)
// `waypost … | head` ends us quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const program = createProgram(version, terminal, (run) => [
  serveCommand(run, { ...processDeps(), createGateway, handlers: backendHandlers }),
  sendCommand(),
  lookupCommand(),
  configCommand(run),
  backendCommand(run),
])
const exitCode = await program.run(process.argv.slice(2))
if (exitCode !== 0) process.exitCode = exitCode
