/** What only one test of the machine can have at a time, whichever process it runs in. */
import { createServer } from 'node:net'
import { until } from '../../lab/until.ts'
import type { Home } from './postfix.ts'

const waitMs = 500_000

/** Waits until nobody else has it, and has it until the end of the lab, or of the process however that ends. */
export async function takeAlone(home: Pick<Home, 'atEnd'>, what: string): Promise<void> {
  // An abstract socket: it is gone with whoever listens, and no file is left.
  const path = `\0waypost-test ${what}`
  const server = createServer()
  home.atEnd(() => server.close())
  const listens = () =>
    new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true))
      server.once('error', () => resolve(false))
      server.listen(path)
    }).finally(() => server.removeAllListeners())
  await until(listens, waitMs, `${what} is free`)
}
