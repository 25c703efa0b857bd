/** Starts `paced-sender.ts` and ends it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Paced {
  /** @returns messages a second that were taken since the start. Rejects where one was refused */
  stop(): Promise<number>
}

const program = fileURLToPath(new URL('paced-sender.ts', import.meta.url))

export function startPaced(to: { readonly address: string; readonly port: number }, perSecond: number): Paced {
  const given = [to.address, to.port, perSecond, 20, 4096].map(String)
  const child = spawn(process.execPath, [program, ...given], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += String(chunk)
  })
  return {
    async stop() {
      child.stdin.end()
      const [code] = await ended
      if (code !== 0) throw new Error('the paced sender failed')
      const { taken, ms } = JSON.parse(said) as { taken: number; ms: number }
      return (taken / ms) * 1000
    },
  }
}
