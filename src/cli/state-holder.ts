/**
 * Which process has a state folder: the one that holds the store's lock, as the kernel tells it, else the gateway that answers on the control socket.
 * For errors that would otherwise leave a person looking for it. Called by `serve` and `queue`.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { systemClock } from '../base/clock.ts'
import { printable } from '../base/printable.ts'
import { askControl, type ControlHandlers, controlPath } from '../gateway/operate/control.ts'
import { quotedWord } from './quoted-word.ts'

const processAnswer = z.object({ pid: z.number().int().positive() })

/** What a gateway answers who is asked for its process. */
export const processHandlers: ControlHandlers = {
  'process.show': () => ({ kind: 'done', result: { pid: process.pid } satisfies z.output<typeof processAnswer> }),
}

/** @returns `process 4711 (node … serve -c …)`, without the command where it may not be read; undefined where nobody knows */
export async function holderText(state: string): Promise<string | undefined> {
  const pid = (await lockedBy(join(state, 'lock.db'))) ?? (await answeredBy(state))
  if (pid === undefined) return undefined
  const command = await orNothing(readFile(`/proc/${pid}/cmdline`, 'utf8'))
  const words = (command ?? '').split('\0').filter((word) => word !== '')
  return `process ${pid}${words.length === 0 ? '' : ` (${printable(words.map(quotedWord).join(' '), 200)})`}`
}

/** Elsewhere than on Linux, or where the process is in another container, the kernel does not say. */
async function lockedBy(path: string): Promise<number | undefined> {
  const lock = await orNothing(stat(path))
  const lines = (await orNothing(readFile('/proc/locks', 'utf8')))?.split('\n') ?? []
  for (const line of lines) {
    // proc_locks(5): `1: POSIX  ADVISORY  WRITE 4711 fe:00:1647555 1073741824 1073742335`; who waits has a "->" in front.
    const [, kind, , , pid = '', file = ''] = line.split(/\s+/)
    if (kind !== 'POSIX' || !file.endsWith(`:${lock?.ino}`) || !(Number(pid) > 0)) continue
    // Another file system may have the same number, and some tell another device there than `stat`: whoever has it, has it open.
    if (lock && (await hasOpen(pid, lock))) return Number(pid)
  }
  return undefined
}

async function hasOpen(pid: string, { dev, ino }: { readonly dev: number; readonly ino: number }): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  for (const name of (await orNothing(readdir(folder))) ?? []) {
    const open = await orNothing(stat(join(folder, name)))
    if (open?.dev === dev && open.ino === ino) return true
  }
  return false
}

async function answeredBy(state: string): Promise<number | undefined> {
  const options = { clock: systemClock, timeoutMs: 2_000 }
  const asked = await askControl(controlPath(state), { command: 'process.show' }, options)
  return asked.kind === 'done' ? processAnswer.safeParse(asked.result).data?.pid : undefined
}

/** Nothing here is worth an error of its own: without it the error that it belongs to says less. */
async function orNothing<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading
  } catch {
    return undefined
  }
}
