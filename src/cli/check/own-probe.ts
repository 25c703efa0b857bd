/**
 * How `waypost check` tells the gateway of its own waypost.yaml that it is its owner who looks: the word is asked of the running gateway over
 * the control socket, by `run.ts`, and answered by the handler here, which `main.ts` adds. A gateway that does not run here, or belongs
 * to another user, is looked at as by anybody.
 */
import type { Clock } from '../../base/clock.ts'
import type { HostName } from '../../dns/name.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import { askControl, type ControlHandlers, controlPath } from '../../gateway/operate/control.ts'

const timeoutMs = 5_000

export const ownProbeHandlers = (gateway: Gateway): ControlHandlers => ({
  'probe.word': () => ({ kind: 'done', result: gateway.ownProbeWord() }),
})

/** @param own  the gateway's name and its state folder */
export function introduceTo(
  own: { readonly hostname: HostName; readonly state: string },
  clock: Clock,
): (greetedBy: string) => Promise<string | undefined> {
  return async (greetedBy) => {
    // A word is worth something to whoever hears it, so only the gateway itself does.
    if (greetedBy.toLowerCase() !== own.hostname) return undefined
    const asked = await askControl(controlPath(own.state), { command: 'probe.word' }, { clock, timeoutMs })
    if (asked.kind !== 'done' || typeof asked.result !== 'string') return undefined
    return /^[\w-]{1,100}$/.test(asked.result) ? asked.result : undefined
  }
}
