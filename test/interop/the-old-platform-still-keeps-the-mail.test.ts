/**
 * A domain has moved, and its old platform, a real Postfix, goes on to think that the domain is its own: what a mailbox there sends to the domain
 * never leaves it, whatever the MX records say. Waypost finds that and says what to do there; once that is done the next message arrives. Needs
 * Debian's bind9, unbound, postfix, and root for port 25 and for Postfix's resolver.
 */
import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandFolder } from '../lab/command.ts'
import { startLab } from '../lab/lab.ts'
import { freeAddress } from '../lab/loopback.ts'
import { startBind } from './harness/bind.ts'
import { newKey } from './harness/name-server.ts'
import { startPostfix } from './harness/postfix.ts'
import { startUnbound } from './harness/unbound.ts'

test('a mailbox on the old platform writes to the domain: it stays there, Waypost says so, and the remedy helps', async (t) => {
  const lab = await startLab(t, 600_000)
  const key = newKey('waypost')
  const fresh = await lab.backend({ port: 25 })
  const at = { address: freeAddress(), port: 25 }
  const text = `$ORIGIN example.test.
$TTL 2
@ SOA ns hostmaster 1 3600 600 86400 2
@ NS ns
@ MX 10 old
ns A 127.0.0.1
old A ${at.address}
new A ${fresh.address}
`
  const bind = await startBind(lab, { keys: [key], zones: [{ name: 'example.test', text, updateKeys: [key.name] }] })
  const unbound = await startUnbound(lab, ['example.test'], bind)
  const platform = await startPostfix(lab, {
    ...{ at, users: ['you', 'postmaster', 'colleague'], resolver: unbound.address },
    // Who comes by SMTP may not relay: else it would take mail for everybody's domains.
    main: { smtp_dns_support_level: 'enabled', smtp_host_lookup: 'dns', mynetworks: '192.0.2.0/32' },
  })
  const inOldMailbox = async () => (await readdir(join(platform.maildir('you'), 'new')).catch(() => [])).length

  const { folder, run } = await commandFolder(t, { KEY: key.secret })
  const publisher = {
    ...{ type: 'rfc2136', server: `${bind.address}:${bind.port}`, servers: `${bind.address}:${bind.port}` },
    tsig: { name: key.name, secret: '$' + '{KEY}' },
  }
  await writeFile(
    join(folder, 'waypost.yaml'),
    JSON.stringify({
      ...{ hostname: 'waypost.example.test', state: join(folder, 'state'), publishers: { here: publisher } },
      resolver: { servers: [`${unbound.address}:53`] },
      domains: {
        'example.test': { exchangers: [{ preference: '10', host: 'new.example.test' }], ttl: '2s', publish: 'here' },
      },
    }),
  )
  const migrate = (...words: string[]) => run('migrate', 'example.test', '--private', ...words)
  const begun = await migrate('--to', 'declared', '--low-ttl', '2s')
  assert.equal(begun.code, 0, begun.err)
  const stateOf = async (): Promise<string> => JSON.parse((await migrate('--json')).out).state
  let end = await run('apply', '--yes', '--private')
  await lab.until(async () => {
    const state = await stateOf()
    if (state === 'apply') end = await run('apply', '--yes', '--private')
    assert.equal(end.code, 0, end.out + end.err)
    return state === 'done'
  }, 240_000)

  // The MX records lead to the new side, and yet it never leaves the platform.
  await platform.submit('colleague@example.test', 'you@example.test', 'the first')
  await lab.until(async () => (await inOldMailbox()) === 1)
  assert.equal(fresh.accepted.length, 0)
  const told = await migrate()
  assert.equal(told.code, 0)
  assert.match(
    told.err,
    /old\.example\.test still takes mail for example\.test: what others there send .* does not come/,
  )
  assert.match(told.err, /Remove the domain there, or have it taken for one elsewhere \(in cPanel: /)

  await platform.set('virtual_mailbox_domains', '')
  await lab.until(async () => {
    const { err } = await migrate()
    return !err.includes('still takes mail')
  })
  await platform.submit('colleague@example.test', 'you@example.test', 'the second')
  await lab.until(() => fresh.accepted.length === 1)
  assert.match(fresh.accepted[0]?.content.toString('latin1') ?? '', /the second/)
  assert.equal(await inOldMailbox(), 1)
})
