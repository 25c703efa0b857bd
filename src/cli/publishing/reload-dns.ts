/**
 * Has the built-in server of a running gateway read its zones again, through the control socket. For `apply`, which changes many of them at about
 * the same time; the other end is `serve/dns-service.ts`.
 */

import { systemClock } from '../../base/clock.ts'
import { createSharedRun } from '../../base/shared-run.ts'
import { nameText, type WireName } from '../../dns/wire-name.ts'
import { askControl, controlPath } from '../../gateway/operate/control.ts'
import type { CommandOutcome } from '../../publish/targets/zone-file/command.ts'
import { anotherUserText } from '../another-user.ts'

const timeoutMs = 60_000
/** Of names in one request: the socket takes 64 KiB. More, and the server looks at all of its files. */
const mostNameChars = 32_000

/**
 * What has the server read a zone that was written, together with those of others who ask meanwhile.
 * @param state  the state folder
 */
export function createDnsReloader(state: string): (zone: WireName) => Promise<CommandOutcome> {
  const waiting = new Set<string>()
  const run = createSharedRun(async () => {
    const zones = [...waiting]
    waiting.clear()
    const outcome = await reload(state, zones)
    // Whoever asks next asks for these, too.
    if (outcome.kind !== 'done') for (const zone of zones) waiting.add(zone)
    return outcome
  })
  return (zone) => {
    waiting.add(nameText(zone))
    return run()
  }
}

async function reload(state: string, zones: readonly string[]): Promise<CommandOutcome> {
  const chars = zones.reduce((sum, zone) => sum + JSON.stringify(zone).length + 1, 0)
  const asked = await askControl(
    controlPath(state),
    { command: 'dns.reload', ...(chars > mostNameChars ? {} : { arguments: { zones } }) },
    { clock: systemClock, timeoutMs },
  )
  switch (asked.kind) {
    case 'done':
    // It will read them when it starts.
    case 'not-running':
      return { kind: 'done' }
    case 'failed':
    case 'no-answer':
      return { kind: 'failed', why: asked.why }
    case 'forbidden':
      return { kind: 'failed', why: `the gateway on ${state} belongs to ${await anotherUserText(state)}` }
  }
}
