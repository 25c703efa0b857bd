/**
 * A fake backend in a process of its own, where thousands of messages a second must not stand in the way of whoever measures. It tells of each
 * message that it has taken: the gateway's id and the Message-Id, a line each. Run as a program, it is that process.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createSecureContext } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { startBackend } from './backend.ts'
import type { Lab } from './lab.ts'

export interface TakenMessage {
  /** Of the gateway's trace field: the order in which it took them. */
  readonly id: string
  readonly messageId: string
}

export interface BackendProcess {
  readonly url: string
  readonly taken: readonly TakenMessage[]
  /** Nothing listens, every session is reset. */
  kill(): Promise<void>
  restart(): Promise<void>
}

export async function startBackendProcess(lab: Lab): Promise<BackendProcess> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), lab.folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  lab.atEnd(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const taken: TakenMessage[] = []
  const answers: ((text: string) => void)[] = []
  let rest = ''
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [word, id = '', messageId = ''] = line.split(' ')
      if (word === 'taken') taken.push({ id, messageId })
      else answers.shift()?.(line)
    }
  })
  const heard = () => new Promise<string>((resolve) => void answers.push(resolve))
  const tell = async (word: string) => {
    const answer = heard()
    child.stdin.write(`${word}\n`)
    await answer
  }
  const url = await heard()
  return { url, taken, kill: () => tell('kill'), restart: () => tell('restart') }
}

async function main(folder: string): Promise<void> {
  let lines = ''
  const flush = () => {
    process.stdout.write(lines)
    lines = ''
  }
  const backend = await startBackend(
    {
      afterDot({ content }) {
        const head = content.toString('latin1', 0, 1_500)
        const id = /^Received:[^;]*?\bid (\S+)/.exec(head)?.[1] ?? '?'
        const messageId = /^Message-Id: (\S+)\r$/im.exec(head)?.[1] ?? '?'
        if (lines === '') setImmediate(flush)
        lines += `taken ${id} ${messageId}\n`
        return undefined
      },
    },
    { folder, secureContext: createSecureContext(), number: process.pid },
  )
  process.stdout.write(`${backend.url}\n`)
  process.stdin.setEncoding('latin1').on('data', async (word: string) => {
    if (word === 'kill\n') await backend.kill()
    else if (word === 'restart\n') await backend.restart()
    process.stdout.write('done\n')
  })
}

if (import.meta.main) await main(process.argv[2] ?? '')
