/**
 * Takes out of the facts what only says that we ourselves have no IPv4, no IPv6 or no way to port 25: those become "not examined", so that no
 * rule can blame others for it. Pure; the last step of `collector.ts`.
 */
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import type { Direct, ExchangerAddress, Facts, NotExamined, SmtpFacts, Vantage } from '../facts.ts'
import { notExamined } from './inquiry.ts'

export function withoutOwnFaults(facts: Facts, vantage: Vantage): Facts {
  return {
    ...facts,
    vantage,
    zones: facts.zones.map((zone) => ({
      ...zone,
      servers: zone.servers.map((server) => {
        const why = whyNoFamily(server.address, vantage)
        return why ? { ...server, asked: server.asked.map((direct) => unheard(direct, why)) } : server
      }),
    })),
    exchangers: facts.exchangers.map((exchanger) => ({
      ...exchanger,
      addresses: exchanger.addresses.map((at) => judged(at, vantage)),
    })),
  }
}

function whyNoFamily(address: IpAddress, vantage: Vantage): NotExamined | undefined {
  const [family, state] = isIpv6(address) ? (['IPv6', vantage.ipv6] as const) : (['IPv4', vantage.ipv4] as const)
  return state === 'broken' ? notExamined('no-family', `There is no way out over ${family} from here.`) : undefined
}

function unheard(direct: Direct, why: NotExamined): Direct {
  const { kind } = direct.outcome
  return kind === 'silence' || kind === 'unreachable' ? { ...direct, outcome: why } : direct
}

function judged(at: ExchangerAddress, vantage: Vantage): ExchangerAddress {
  const blocked = notExamined('port-25-blocked', 'Connections to the SMTP port do not get out from here.')
  const why = whyNoFamily(at.address, vantage) ?? (vantage.port25 === 'blocked' ? blocked : undefined)
  return why && wasNotReached(at.smtp) ? { ...at, smtp: why, ownNames: why } : at
}

/** Refused is an answer from there: it says that packets get through. */
const wasNotReached = (smtp: SmtpFacts) =>
  smtp.kind === 'probed' &&
  smtp.sessions.every(({ connect }) => connect.kind === 'failed' && connect.fault.kind !== 'refused')
