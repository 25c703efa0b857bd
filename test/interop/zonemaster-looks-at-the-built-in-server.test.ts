/**
 * Debian's zonemaster-cli looks at one zone at BIND and at the same at the built-in server, with all that it knows of servers, delegations, zones and
 * syntax, and says of ours what it says of BIND's. Port 53 needs root.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { run } from './harness/program.ts'
import { type SignedInternet, type SignedZoneWords, startSignedInternet } from './harness/signed-internet.ts'

/** All that need no network of others: `Connectivity` asks who has which addresses, `DNSSEC` speaks of what neither of them does here. */
const modules = ['Basic', 'Consistency', 'Delegation', 'Nameserver', 'Syntax', 'Zone']

/** BIND can only listen at 127.0.0.1 here, which a public name server should not have. */
const ofTheLab = 'WARNING Z01_MNAME_HAS_LOCALHOST_ADDR'

const mail = '@ MX 10 mx1\n@ MX 20 mx2\n@ TXT "v=spf1 mx -all"\nmx1 A 192.0.2.1\nmx2 A 198.51.100.1\n'
const zone = (name: string, program: 'bind' | 'waypost'): SignedZoneWords => ({
  ...{ name, program, text: mail, state: 'unsigned', servers: [`ns1.${name}`] },
})

async function said(internet: SignedInternet, domain: string): Promise<string[]> {
  const { stdout, stderr, code } = await run('/usr/bin/zonemaster-cli', [
    ...['--no-ipv6', '--hints', internet.hintsFile, '--raw', '--no-progress', '--no-time', '--level', 'INFO'],
    ...modules.flatMap((module) => ['--test', module]),
    domain,
  ])
  assert.equal(code, 0, stderr)
  const lines = Array.from(stdout.matchAll(/^[\d.\s]*(INFO|NOTICE|WARNING|ERROR|CRITICAL)\s+(\w+)/gm))
  return [...new Set(lines.map(([, level, tag]) => `${level} ${tag}`))].filter((line) => line !== ofTheLab).sort()
}

test('zonemaster says of a zone at the built-in server what it says of one at BIND', async (t) => {
  const lab = await startLab(t, 600_000)
  const internet = await startSignedInternet(
    lab,
    [
      { name: '', servers: ['a.root.lab'], text: '' },
      { name: 'lab', servers: ['a.nic.lab'], text: '' },
      zone('bind.lab', 'bind'),
      zone('ours.lab', 'waypost'),
    ],
    53,
  )
  const [theirs, ours] = [await said(internet, 'bind.lab'), await said(internet, 'ours.lab')]
  assert.ok(theirs.length > 20, theirs.join(', '))
  assert.deepEqual(ours, theirs)
})
