/**
 * `waypost send`: a small SMTP client, to try a gateway or any other server. Exit codes: 0 sent, 1 the server refused, 2 it could not be tried.
 * The replies go to standard output, the dialogue (`-v`) and what went wrong to standard error.
 */
import { fstatSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { Command } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { errorCode } from '../../base/error-code.ts'
import { createHostLookup } from '../../base/host-lookup.ts'
import { type IpAddress, parseIp } from '../../base/ip.ts'
import { printable } from '../../base/printable.ts'
import { systemRandom } from '../../base/random.ts'
import { runningConfigOption } from '../config-path.ts'
import { Misuse } from '../misuse.ts'
import { processTerminal } from '../terminal.ts'
import type { SendIo } from './io.ts'
import { parseOptions, type RawOptions, type SendOptions, splitList, usualServer } from './options.ts'
import { sendAll } from './run.ts'

/** @returns the command for `cli/main.ts`; it sets `process.exitCode` */
export function sendCommand(io: SendIo = systemIo()): Command {
  const collect = (text: string, sofar: string[] = []) => [...sofar, ...splitList(text)]
  return new Command('send')
    .description('Send a test message to an SMTP server and print what it answers.')
    .option(
      '-s, --server <host:port>',
      `where to send it; without a port 25 (default: the first of listen.smtp in the configuration, or ${usualServer} without one)`,
    )
    .addOption(runningConfigOption())
    .option('-f, --from <address>', 'the envelope sender; "<>" for none (default: you at this machine)')
    .option('-t, --to <address>', 'a recipient; may be repeated, or a list with commas', collect)
    .option('--subject <text>', 'the subject (default: "Test from waypost send")')
    .option('--body <text>', 'the text; without it, a text or a whole message is read from standard input')
    .option('--tls', 'use STARTTLS, and send nothing where it cannot be had')
    .option('--helo <name>', 'our name in EHLO (default: the name of this machine)')
    .option('--count <number>', 'how many messages', '1')
    .option('--concurrency <number>', 'over how many connections at once', '1')
    .option('-v, --verbose', 'show the dialogue, C: what we say, S: what the server says')
    .addHelpText(
      'after',
      '\nExample:\n  waypost send --to you@example.test --subject Hello --body "Is anybody there?" -v\n\nExit codes: 0 sent, 1 refused by the server, 2 could not be tried.',
    )
    .action(async (raw: RawOptions) => {
      process.exitCode = await runSend(raw, io)
    })
}

/** The command without its command line. @returns the exit code; throws a `Misuse` where the options are wrong */
export async function runSend(raw: RawOptions, io: SendIo): Promise<0 | 1 | 2> {
  const parsed = parseOptions(raw, raw.server ?? (await io.findServer(raw.config)), io.machine)
  if (parsed.kind === 'invalid') throw new Misuse(printable(parsed.why))
  const { options } = parsed
  const addresses = await addressesOf(options, io)
  if (addresses.length === 0) return 2
  const content = options.body === undefined ? await io.readInput() : Buffer.from(options.body, 'utf8')
  return sendAll(options, addresses, content, io)
}

async function addressesOf({ server }: SendOptions, io: SendIo): Promise<readonly IpAddress[]> {
  const address = parseIp(server.host)
  if (address) return [address]
  try {
    return await io.lookupHost(server.host)
  } catch (error) {
    const code = errorCode(error) ?? 'unknown error'
    fail(io, `${server.host} has no address (${code}). Is the name right? Try: waypost lookup ${server.host}`)
    return []
  }
}

function fail(io: SendIo, why: string): 2 {
  io.err(`waypost: ${printable(why)}`)
  return 2
}

const mostInput = 256 * 1024 * 1024

function systemIo(): SendIo {
  return {
    clock: systemClock,
    random: systemRandom,
    door: systemDoor,
    machine: { hostname: hostname(), user: userName(), npmScript: process.env.npm_lifecycle_event },
    lookupHost: createHostLookup(systemClock),
    async findServer(config) {
      const { findServer } = await import('./find-server.ts')
      return await findServer(config, (line) => processTerminal.err(`${line}\n`))
    },
    readInput: () => readInput(),
    out: (line) => processTerminal.out(`${line}\n`),
    err: (line) => processTerminal.err(`${line}\n`),
  }
}

/** A terminal and what is not there are no input; /dev/null and an empty file are none either. */
async function readInput(): Promise<Buffer | undefined> {
  if (process.stdin.isTTY) return undefined
  try {
    fstatSync(0)
  } catch {
    return undefined
  }
  const hint = systemClock.after(2_000, () => {
    processTerminal.err('waypost: reading the message from standard input; --body says it on the command line\n')
  })
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of process.stdin) {
      hint.cancel()
      chunks.push(chunk)
      size += chunk.length
      if (size > mostInput) throw new RangeError(`more than ${mostInput} octets on standard input`)
    }
  } catch (error) {
    // A descriptor that cannot be read (a folder, a closed one) holds no message.
    if (errorCode(error) === undefined) throw error
  } finally {
    hint.cancel()
  }
  return size === 0 ? undefined : Buffer.concat(chunks)
}

/** Who runs this; a container may know no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'sender'
  }
}
