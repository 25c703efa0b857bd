/**
 * The addresses of hosts as their zone has them where it is kept, whatever the resolver of this machine sees of it by now. They are what is live and
 * not what is declared: one that was never published leads nobody anywhere. Called for the exchangers of migrations.
 */
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { typeCodes } from '../../dns/types.ts'
import { isAtOrBelow, nameFromHost, sameName } from '../../dns/wire-name.ts'
import type { ExamineDeps, ExamineOptions, Unit } from '../plan/examine.ts'
import { createTarget } from '../targets/create-target.ts'

/** @returns those that have one there; empty also where the place cannot be read, which the plan of the step tells */
export async function publishedAddresses(
  { publisher, zone }: Pick<Unit, 'publisher' | 'zone'>,
  exchangers: readonly HostName[],
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<ReadonlyMap<HostName, readonly IpAddress[]>> {
  const said = publisher === undefined ? undefined : options.publishers[publisher]
  const hosts = exchangers.filter((host) => isAtOrBelow(nameFromHost(host), zone))
  if (publisher === undefined || said === undefined || hosts.length === 0) return new Map()
  const created = await createTarget(publisher, said, zone, deps)
  if (created.kind !== 'target') return new Map()
  const { target } = created
  try {
    const read = await target.read(
      hosts.flatMap((host) => [typeCodes.A, typeCodes.AAAA].map((code) => ({ name: nameFromHost(host), code }))),
    )
    if (read.kind !== 'read') return new Map()
    const found = hosts.map((host) => {
      const sets = read.sets.filter(({ name }) => sameName(name, nameFromHost(host)))
      const data = sets.flatMap((set) => set.data)
      return [host, data.flatMap((each) => ('address' in each ? [each.address] : []))] as const
    })
    return new Map(found.filter(([, addresses]) => addresses.length > 0))
  } finally {
    target.close()
  }
}
