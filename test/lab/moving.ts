/** A gateway whose built-in DNS server serves `example.test`, for tests of a domain that moves to other exchangers. */
import assert from 'node:assert/strict'
import type { NameServer } from '../../src/dns/servers.ts'
import type { Lab } from './lab.ts'
import { freeAddress, freePort } from './loopback.ts'
import { labAddress } from './names.ts'
import { callWaypost, type WaypostProcess } from './process.ts'

export interface Moving {
  readonly gateway: WaypostProcess
  /** Where its built-in server listens. */
  readonly dns: NameServer
  /** A command beside it, which must end with this code. @returns what it printed */
  command(code: number, ...words: readonly string[]): Promise<string>
}

/**
 * @param declared  of `example.test`, without where it is published
 * @param others  what the resolver of this machine is told of the rest of the world
 */
export async function startMoving(
  lab: Lab,
  declared: Readonly<Record<string, unknown>>,
  others: Parameters<Lab['dns']>[0] = {},
): Promise<Moving> {
  const { server } = await lab.dns(others)
  const address = labAddress(freeAddress())
  const dns = { address, port: await freePort(address) }
  const backend = await lab.backend()
  const gateway = await lab.process({
    config: JSON.stringify({
      ...{ hostname: 'mx.waypost.test', state: 'STATE' },
      listen: { smtp: ['LISTEN'], dns: [`${dns.address}:${dns.port}`] },
      resolver: { servers: [`${server.address}:${server.port}`] },
      domains: {
        'example.test': { ...declared, publish: 'builtin', ttl: '1h' },
        'other.test': { deliver: backend.url, recipients: 'any' },
      },
    }),
  })
  await lab.until(() => gateway.stdout.includes('DNS for its zones'))
  return {
    gateway,
    dns,
    async command(code, ...words) {
      const called = await callWaypost(gateway, ...words)
      assert.equal(called.code, code, called.stdout + called.stderr)
      return called.stdout + called.stderr
    },
  }
}
