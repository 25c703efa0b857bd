/** What silence means: looks at our own way out where something of a family, or every exchanger, did not answer. Called by `collector.ts`. */
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import type { Facts, Vantage } from '../facts.ts'
import { everyAddress } from '../read-facts.ts'
import type { VantagePoint } from './vantage.ts'

interface Sign {
  readonly address: IpAddress
  readonly said: 'heard' | 'silent' | 'nothing'
}

export async function lookAround(facts: Facts, vantage: VantagePoint): Promise<Vantage> {
  const sessions = everyAddress(facts).flatMap(({ at }) =>
    at.smtp.kind === 'probed' ? at.smtp.sessions.map(({ connect }) => ({ address: at.address, connect })) : [],
  )
  const connections = sessions.map(({ address, connect }): Sign => {
    // Refused is an answer from there.
    const isHeard = connect.kind === 'connected' || (connect.kind === 'failed' && connect.fault.kind === 'refused')
    return { address, said: isHeard ? 'heard' : connect.kind === 'failed' ? 'silent' : 'nothing' }
  })
  const signs = [...questions(facts), ...connections]
  const [ipv4, ipv6, port25, validation] = await Promise.all([
    familyOf('ipv4', signs, vantage),
    familyOf('ipv6', signs, vantage),
    port25Of(connections, vantage),
    vantage.validation(),
  ])
  return { ipv4, ipv6, port25, validation }
}

function questions(facts: Facts): readonly Sign[] {
  return facts.zones.flatMap(({ servers }) =>
    servers.flatMap(({ address, asked }) =>
      asked.map(({ outcome: { kind } }): Sign => {
        const isSilent = kind === 'silence' || kind === 'unreachable'
        return { address, said: kind === 'response' ? 'heard' : isSilent ? 'silent' : 'nothing' }
      }),
    ),
  )
}

async function familyOf(family: 'ipv4' | 'ipv6', signs: readonly Sign[], vantage: VantagePoint) {
  const own = signs.filter(({ address }) => isIpv6(address) === (family === 'ipv6'))
  if (own.some(({ said }) => said === 'heard')) return 'works'
  return own.some(({ said }) => said === 'silent') ? vantage.family(family) : 'not-examined'
}

async function port25Of(connections: readonly Sign[], vantage: VantagePoint) {
  if (connections.some(({ said }) => said === 'heard')) return 'open'
  return connections.some(({ said }) => said === 'silent') ? vantage.port25() : 'not-examined'
}
