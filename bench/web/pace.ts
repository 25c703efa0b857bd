/** Starts `paced-sender.ts`, asks how far it is, and ends it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Messages that were taken since its start, and its time since then. */
export interface Progress {
  readonly taken: number
  readonly ms: number
}

export interface Paced {
  /** Rejects where one was refused. */
  progress(): Promise<Progress>
  /** @returns messages a second that were taken since the start. Rejects where one was refused */
  stop(): Promise<number>
}

const program = fileURLToPath(new URL('paced-sender.ts', import.meta.url))

export function startPaced(to: { readonly address: string; readonly port: number }, perSecond: number): Paced {
  const given = [to.address, to.port, perSecond, 20, 4096].map(String)
  const child = spawn(process.execPath, [program, ...given], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const failed = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error('the paced sender failed')
  })
  // Whoever asks next hears it.
  failed.catch(() => undefined)

  async function progress(): Promise<Progress> {
    const said = once(lines, 'line')
    child.stdin.write('\n')
    const [line] = (await Promise.race([said, failed])) ?? []
    return JSON.parse(String(line)) as Progress
  }

  return {
    progress,
    async stop() {
      const { taken, ms } = await progress()
      child.stdin.end()
      await failed
      return (taken / ms) * 1000
    },
  }
}
