/** `waypost check` as people run it, a process of its own, pointed at a lab's internet. Ends with the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nameServerText } from '../../src/dns/servers.ts'
import type { CleanDomain } from './clean-domain.ts'

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface CheckCommand {
  readonly folder: string
  run(args: readonly string[], input?: string): Promise<Ran>
  /** The same, still running. */
  start(args: readonly string[]): ChildProcess
}

const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))
const timeoutMs = 180_000

/** @param isPrivate  whether it is told that addresses of private networks are meant; default true, because those of loopback are */
export async function checkCommand(
  t: TestContext,
  lab: CleanDomain,
  { isPrivate = true }: { readonly isPrivate?: boolean } = {},
): Promise<CheckCommand> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-check-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'root.hints'), lab.internet.rootHints.map((at) => `. 3600 A ${at}\n`).join(''))
  await writeFile(join(folder, 'ca.pem'), lab.places.root.pem)
  const port = lab.exchangers.find((exchanger) => exchanger)?.port ?? 1
  const places = [
    ...['--resolver', nameServerText(lab.internet.resolver), '--root-hints', join(folder, 'root.hints')],
    ...['--dns-port', String(lab.internet.port), '--smtp-port', String(port)],
    ...['--https-port', String(lab.policyHost.port), '--ca', join(folder, 'ca.pem')],
    ...(isPrivate ? ['--private'] : []),
    ...['--helo', 'prober.lab', '--validation-zones', 'lab,broken.lab', '--known-exchanger', 'mx.known.lab'],
  ]
  const start = (args: readonly string[]) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(waypost, ['check', ...args, ...places], { cwd: folder, env })
    t.after(() => void child.kill('SIGKILL'))
    return child
  }
  return {
    folder,
    start,
    run(args, input = '') {
      const child = start(args)
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      const [out, err]: [string[], string[]] = [[], []]
      child.stdout?.setEncoding('utf8').on('data', (text: string) => out.push(text))
      child.stderr?.setEncoding('utf8').on('data', (text: string) => err.push(text))
      child.stdin?.on('error', () => {})
      child.stdin?.end(input)
      return new Promise((resolve, reject) => {
        child.once('error', reject)
        child.once('close', (code) => {
          clearTimeout(timer)
          resolve({ code, out: out.join(''), err: err.join('') })
        })
      })
    },
  }
}
