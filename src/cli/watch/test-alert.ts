/** `waypost watch --test-alert`: a message of test each way that waypost.yaml names, at once and without trying again, and what became of it. */
import { readFile } from 'node:fs/promises'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { createHostLookup } from '../../base/host-lookup.ts'
import { printable } from '../../base/printable.ts'
import { createSecretReader } from '../../base/secret.ts'
import type { Loaded } from '../../config/load.ts'
import type { AlertMessage } from '../../watch/alerts/alerting.ts'
import { createChannels } from '../../watch/alerts/channels.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export async function testAlert({ settings, watching }: Loaded, terminal: Terminal): Promise<ExitCode> {
  const channels = createChannels(
    watching.alerts,
    { hostname: settings.hostname },
    {
      clock: systemClock,
      door: systemDoor,
      readSecret: createSecretReader((name) => process.env[name]),
      lookupHost: createHostLookup(systemClock),
      readText: (path) => readFile(path, 'utf8'),
    },
  )
  if (channels.length === 0) {
    terminal.err('waypost: alerts: in waypost.yaml names nobody: no email, no webhook, no command\n')
    return 2
  }
  const message = testMessage(systemClock.now())
  const outcomes = await Promise.all(
    channels.map(async (channel) => {
      const why = (await channel.deliver(message))?.why
      terminal.out(
        `${printable(channel.name, 300)}: ${why === undefined ? 'sent' : `NOT SENT: ${printable(why, 300)}`}\n`,
      )
      return why === undefined
    }),
  )
  return outcomes.every((isSent) => isSent) ? 0 : 1
}

const testMessage = (atMs: number): AlertMessage => ({
  atMs,
  alerts: [
    {
      sinceMs: atMs,
      condition: {
        key: 'test',
        kind: 'finding',
        severity: 'error',
        domain: undefined,
        title: 'this is a test, and nothing is wrong',
        detail: 'Whoever reads this hears of alerts.',
        remedy: 'nothing',
      },
    },
  ],
  reminders: [],
  recoveries: [],
  notes: [],
})
