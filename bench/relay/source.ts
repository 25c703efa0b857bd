/** The sender of all runs: Debian's `smtp-source`, whose every error is an error and never speed. */
import { run } from '../../test/interop/harness/program.ts'

/** `new`: a connection a message. `reused`: as many messages in a connection as there are. */
export type Mode = 'new' | 'reused'

export interface Load {
  readonly mode: Mode
  readonly messages: number
  /** Octets of each. */
  readonly length: number
  /** Connections at once. */
  readonly sessions: number
  readonly timeoutMs: number
}

/** Resolves when the last message has its 250. */
export async function sendAll(
  { name, address, port }: { readonly name: string; readonly address: string; readonly port: number },
  { mode, messages, length, sessions, timeoutMs }: Load,
): Promise<void> {
  const ran = await run(
    'smtp-source',
    [
      ...['-s', String(sessions), '-l', String(length), '-m', String(messages)],
      ...['-f', 'bench@sender.test', '-t', 'bench@example.test', '-M', 'sender.test'],
      ...(mode === 'reused' ? ['-d'] : []),
      `${address}:${port}`,
    ],
    { timeoutMs },
  )
  if (ran.code !== 0) throw new Error(`${name}: smtp-source ended with ${ran.code}: ${ran.stderr}`)
}
