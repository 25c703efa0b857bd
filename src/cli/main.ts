/**
 * The command line's entry: `bin/waypost` runs this file. It alone builds the whole out of the rooms, and it alone knows the process.
 */
import { readFileSync } from 'node:fs'
import { backendCommand } from './backend.ts'
import { configCommand } from './config.ts'
import { createProgram } from './program.ts'
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

const program = createProgram(version, terminal, (run) => [configCommand(run), backendCommand(run)])
process.exitCode = await program.run(process.argv.slice(2))
