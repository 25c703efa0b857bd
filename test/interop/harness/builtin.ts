/** The built-in authoritative server in the place of a real one: the same words, within the test's own process. */
import { parseIp } from '../../../src/base/ip.ts'
import { parseZone, recordsOf } from '../../../src/dns/zone-text/parse.ts'
import { startAuthority } from '../../lab/authority.ts'
import { labName } from '../../lab/names.ts'
import type { Home, NameServerWords } from './name-server.ts'

export async function startBuiltin(
  home: Pick<Home, 'atEnd'>,
  { zones }: NameServerWords,
  at: { readonly address: string; readonly port: number },
): Promise<void> {
  const address = parseIp(at.address)
  if (address === undefined) throw new TypeError(`not an address: ${at.address}`)
  const sources = zones.map(({ name, text = '' }) => {
    const origin = labName(name === '.' ? '' : name)
    const parsed = parseZone(Buffer.from(text, 'latin1'), { origin, others: 'refuse' })
    if (parsed.kind !== 'zone') throw new TypeError(`${name}: ${JSON.stringify(parsed)}`)
    return { origin, records: recordsOf(parsed.zone) }
  })
  await startAuthority({ after: (stop) => home.atEnd(stop as () => unknown) }, sources, {
    listen: [{ address, port: at.port }],
  })
}
