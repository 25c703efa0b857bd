/**
 * The same faults as others see them: Debian's zonemaster-cli, delv and posttls-finger look at zones that BIND, Knot and NSD serve below a signed
 * root of the laboratory, and so do we. docs/check-compared.md says where we differ on purpose. Port 53 and a view of /etc/resolv.conf of its own
 * need root.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createChecker } from '../../src/checks/check-domain.ts'
import type { RuleId } from '../../src/checks/rule-ids.ts'
import { startExchanger } from '../lab/exchanger.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { freeAddress } from '../lab/loopback.ts'
import { labHost } from '../lab/names.ts'
import { keyDigest, makeCertificate } from '../unit/certificate-maker.ts'
import { run } from './harness/program.ts'
import { type SignedInternet, type SignedZoneWords, startSignedInternet } from './harness/signed-internet.ts'

interface Row {
  readonly zone: SignedZoneWords
  readonly ours: readonly RuleId[]
  /** Beside them, where the resolver has asked the one server and not the other. */
  readonly perhaps?: readonly RuleId[]
  /** The checks of zonemaster that look at it, and what they say at NOTICE or above. */
  readonly zonemaster: readonly [tests: readonly string[], tags: readonly string[]]
  readonly delv: RegExp
}

const mail = '@ MX 10 mx1\n@ MX 20 mx2\n@ TXT "v=spf1 mx -all"\nmx1 A 192.0.2.1\nmx2 A 198.51.100.1\n'
const two = (zone: string) => [`ns1.${zone}`, `ns2.${zone}`]
const unsigned = (name: string, text = mail): SignedZoneWords => ({ name, servers: two(name), text, state: 'unsigned' })
const signatures = ['dnssec02', 'dnssec04', 'dnssec08', 'dnssec09']

const withoutProofs = (signed: string) => signed.replaceAll(/^.*\sRRSIG\s+NSEC\s.*\n/gm, '')

const expired: SignedZoneWords = { name: 'expired.lab', servers: two('expired.lab'), text: mail, state: 'expired' }

const rows: readonly Row[] = [
  {
    zone: { name: 'good.lab', servers: ['ns1.good.lab'], text: mail, program: 'bind' },
    ours: ['ns-too-few', 'dane-missing'],
    zonemaster: [signatures, []],
    delv: /fully validated/,
  },
  {
    zone: { name: 'nsec3.lab', servers: two('nsec3.lab'), text: mail, nsec3: true, program: 'knot' },
    ours: ['dane-missing'],
    zonemaster: [[...signatures, 'dnssec10'], []],
    delv: /fully validated/,
  },
  {
    zone: expired,
    ours: ['dnssec-bogus'],
    zonemaster: [signatures, ['RRSIG_EXPIRED', 'DS08_DNSKEY_RRSIG_EXPIRED', 'DS09_SOA_RRSIG_EXPIRED']],
    delv: /resolution failed/,
  },
  // The DS above fits no key.
  {
    zone: { name: 'orphan.lab', servers: two('orphan.lab'), text: mail, state: 'orphan' },
    ours: ['dnssec-bogus'],
    zonemaster: [signatures, ['DS02_NO_DNSKEY_FOR_DS']],
    delv: /resolution failed/,
  },
  // What is denied may be an unsigned delegation, so the denial is as good as none (RFC 5155 §9.2), and that is in order.
  {
    zone: { name: 'optout.lab', servers: two('optout.lab'), text: mail, nsec3: 'opt-out' },
    ours: ['dane-missing'],
    zonemaster: [[...signatures, 'dnssec10'], []],
    delv: /fully validated/,
  },
  // Nobody signs for what it denies: the MX record is there, and who asks for TLSA fails.
  {
    zone: {
      ...{ name: 'denial.lab', servers: two('denial.lab'), text: mail },
      differs: { 'ns1.denial.lab': withoutProofs, 'ns2.denial.lab': withoutProofs },
    },
    ours: ['dnssec-denial-broken', 'dane-lookup-fails'],
    zonemaster: [['dnssec10'], ['DS10_MISSING_NSEC_NSEC3']],
    delv: /fully validated/,
  },
  {
    zone: { ...unsigned('lame.lab'), differs: { 'ns2.lame.lab': 'lame' } },
    ours: ['ns-not-authoritative'],
    zonemaster: [['delegation04'], ['IS_NOT_AUTHORITATIVE']],
    delv: /unsigned answer/,
  },
  {
    zone: { ...unsigned('serials.lab'), differs: { 'ns2.serials.lab': (text) => text.replace(' 1 3600', ' 7 3600') } },
    ours: ['ns-serial-differs'],
    zonemaster: [['consistency01'], ['MULTIPLE_SOA_SERIALS']],
    delv: /unsigned answer/,
  },
  {
    zone: unsigned('child.lab', `@ NS ns3\nns3 A 127.0.0.77\n${mail}`),
    ours: ['ns-delegation-differs', 'ns-silent'],
    zonemaster: [['delegation07'], ['EXTRA_NAME_CHILD']],
    delv: /unsigned answer/,
  },
  {
    zone: { ...unsigned('alone.lab'), servers: ['ns1.alone.lab'] },
    ours: ['ns-too-few'],
    zonemaster: [['delegation01'], ['NOT_ENOUGH_NS_DEL', 'NOT_ENOUGH_NS_CHILD']],
    delv: /unsigned answer/,
  },
  {
    zone: { ...unsigned('open.lab'), faults: { 'ns2.open.lab': 'recurses' } },
    ours: ['ns-open-recursor'],
    zonemaster: [['nameserver01'], ['IS_A_RECURSOR']],
    delv: /unsigned answer/,
  },
  {
    zone: { ...unsigned('edns.lab'), faults: { 'ns2.edns.lab': 'drops-edns' } },
    ours: ['ns-edns-breaks'],
    zonemaster: [['nameserver02'], ['BREAKS_ON_EDNS']],
    delv: /unsigned answer/,
  },
  {
    zone: unsigned('nomx.lab', '@ TXT "nothing"\n'),
    ours: ['no-mail-host'],
    zonemaster: [['zone09'], ['Z09_MISSING_MAIL_TARGET']],
    delv: /negative response/,
  },
  {
    zone: unsigned('nullmx.lab', '@ MX 0 .\n@ TXT "v=spf1 -all"\n'),
    ours: ['null-mx'],
    zonemaster: [['zone09'], []],
    delv: /unsigned answer/,
  },
  {
    zone: { name: 'island.lab', servers: two('island.lab'), text: mail, state: 'island' },
    ours: ['dnssec-island'],
    zonemaster: [['dnssec07'], ['DNSKEY_BUT_NOT_DS']],
    delv: /unsigned answer/,
  },
  {
    zone: { name: 'sha1.lab', servers: two('sha1.lab'), text: mail, state: 'sha1' },
    ours: ['dnssec-algorithm-weak', 'dane-missing'],
    zonemaster: [['dnssec01'], ['DS01_DS_ALGO_DEPRECATED']],
    delv: /fully validated/,
  },
  {
    zone: { name: 'iterated.lab', servers: two('iterated.lab'), text: mail, nsec3: 'iterated' },
    ours: ['dnssec-nsec3-iterations', 'dane-missing'],
    zonemaster: [['dnssec03'], []],
    delv: /fully validated/,
  },
  {
    zone: { ...unsigned('tcp.lab'), faults: { 'ns2.tcp.lab': 'drops-tcp' } },
    ours: ['ns-tcp-fails'],
    zonemaster: [['connectivity02'], ['CN02_NO_RESPONSE_TCP']],
    delv: /unsigned answer/,
  },
  {
    zone: unsigned('nsalias.lab', `@ NS ns3\nns3 CNAME ns1\n${mail}`),
    ours: ['ns-name-is-alias', 'ns-delegation-differs'],
    zonemaster: [['delegation05'], ['NS_IS_CNAME']],
    delv: /unsigned answer/,
  },
  {
    zone: unsigned('nullmixed.lab', `@ MX 0 .\n${mail}`),
    ours: ['null-mx-mixed'],
    zonemaster: [['zone09'], ['Z09_NULL_MX_WITH_OTHER_MX']],
    delv: /unsigned answer/,
  },
  {
    zone: unsigned('nullpref.lab', '@ MX 10 .\n@ TXT "v=spf1 -all"\n'),
    ours: ['null-mx-preference'],
    zonemaster: [['zone09'], ['Z09_NULL_MX_NON_ZERO_PREF']],
    delv: /unsigned answer/,
  },
  {
    zone: { ...unsigned('mxdata.lab'), differs: { 'ns2.mxdata.lab': (text) => text.replace('MX 10', 'MX 15') } },
    ours: ['ns-mx-data-differs'],
    zonemaster: [['zone09'], ['Z09_INCONSISTENT_MX_DATA']],
    delv: /unsigned answer/,
  },
  {
    zone: { ...unsigned('mxgone.lab'), differs: { 'ns2.mxgone.lab': (text) => text.replaceAll(/^@ MX .*\n/gm, '') } },
    ours: ['ns-mx-presence-differs'],
    perhaps: ['no-mail-host'],
    zonemaster: [['zone09'], ['Z09_INCONSISTENT_MX']],
    delv: /unsigned answer|negative response/,
  },
  {
    zone: unsigned('underscore.lab', `@ MX 5 _mx\n_mx A 192.0.2.9\n${mail}`),
    ours: ['mx-target-not-hostname'],
    zonemaster: [['syntax08'], ['MX_NON_ALLOWED_CHARS']],
    delv: /unsigned answer/,
  },
  // It looks for an alias in place of the MX record, not behind it: RFC 2181 §10.3 forbids the latter.
  {
    zone: unsigned('alias.lab', '@ MX 10 mx\nmx CNAME host\nhost A 192.0.2.1\n'),
    ours: ['mx-target-is-alias'],
    zonemaster: [['zone08'], []],
    delv: /unsigned answer/,
  },
]

/** What rows do not speak of: the rest of zonemaster's opinions, and ours of what the laboratory is not. */
const judged: ReadonlySet<string> = new Set(rows.flatMap(({ ours }) => ours))
const tagsJudged: ReadonlySet<string> = new Set([
  ...rows.flatMap(({ zonemaster }) => zonemaster[1]),
  ...['MX_RECORD_IS_CNAME', 'DS02_RRSIG_NOT_VALID_BY_DNSKEY', 'DS08_MISSING_RRSIG_IN_RESPONSE'],
])

/** @param broken  one of them, whose signatures are over: that it fails shows that the resolver validates */
async function stage(
  t: TestContext,
  zones: readonly SignedZoneWords[],
  broken: string,
  more: { readonly roots?: readonly string[] } = {},
) {
  const lab = await startLab(t)
  const above: SignedZoneWords[] = [
    { name: '', servers: ['a.root.lab'], text: '' },
    { name: 'lab', servers: ['a.nic.lab'], text: '' },
  ]
  const internet = await startSignedInternet(lab, [...above, ...zones], 53)
  const checker = createChecker(
    {
      resolvers: [internet.resolver],
      rootHints: internet.rootHints,
      isPrivate: true,
      families: 'ipv4',
      dnsPerSecond: 1000,
      dnsTimeoutMs: 10_000,
      timeoutMs: 300_000,
      validation: { signed: labHost('lab'), broken: labHost(broken) },
      knownExchanger: undefined,
      ...more,
    },
    { clock: systemClock, random: systemRandom, door: systemDoor },
  )
  lab.atEnd(() => checker.close())
  const ours = async (domain: string, probe: 'polite' | 'none') => {
    const { outcomes } = await checker.check(labHost(domain), {}, { probe })
    return outcomes.flatMap((one) => (one.kind === 'finding' ? [one.id] : []))
  }
  return { lab, internet, ours }
}

async function zonemaster(internet: SignedInternet, tests: readonly string[], domain: string): Promise<string[]> {
  const module = (test: string) => `${modules[test.replace(/\d+$/, '')]}/${test}`
  const { stdout, stderr, code } = await run('/usr/bin/zonemaster-cli', [
    ...['--no-ipv6', '--hints', internet.hintsFile, '--raw', '--no-progress', '--no-time', '--level', 'NOTICE'],
    ...tests.flatMap((test) => ['--test', module(test)]),
    domain,
  ])
  assert.equal(code, 0, stderr)
  return [
    ...new Set(
      Array.from(stdout.matchAll(/^[\d.\s]*(?:NOTICE|WARNING|ERROR|CRITICAL)\s+(\w+)/gm), ([, tag]) => `${tag}`),
    ),
  ]
}

const modules: Readonly<Record<string, string>> = {
  dnssec: 'DNSSEC',
  delegation: 'Delegation',
  consistency: 'Consistency',
  nameserver: 'Nameserver',
  zone: 'Zone',
  connectivity: 'Connectivity',
  syntax: 'Syntax',
}

/** The root's key, in the words of named.conf(5). */
async function anchorFor(lab: Lab, { anchorFile }: SignedInternet): Promise<string> {
  const [, flags, protocol, algorithm, key] =
    /DNSKEY\s+(\d+) (\d+) (\d+) (.*)/.exec(await readFile(anchorFile, 'latin1')) ?? []
  const path = join(lab.folder, 'delv.keys')
  const anchor = `. static-key ${flags} ${protocol} ${algorithm} "${key?.replaceAll(/\s/g, '')}";`
  await writeFile(path, `trust-anchors { ${anchor} };\n`)
  return path
}

test('zones in order and with a fault each: zonemaster-cli, delv and we say the same', async (t) => {
  const { lab, internet, ours } = await stage(
    t,
    rows.map(({ zone }) => zone),
    'expired.lab',
  )
  const anchor = await anchorFor(lab, internet)
  for (const row of rows) {
    const { name } = row.zone
    await t.test(name, async () => {
      const [tests, tags] = row.zonemaster
      const found = new Set((await ours(name, 'none')).filter((id) => judged.has(id)))
      for (const id of row.perhaps ?? []) found.delete(id)
      assert.deepEqual([...found].sort(), [...row.ours].sort())
      const all = await zonemaster(internet, tests, name)
      const said = all.filter((tag) => tagsJudged.has(tag))
      for (const tag of tags) assert.ok(said.includes(tag), `zonemaster does not say ${tag}: ${all}`)
      if (tags.length === 0) assert.deepEqual(said, [], `${all}`)
      const delv = await run('/usr/bin/delv', [`@${internet.resolver.address}`, '-a', anchor, '+root=.', 'MX', name])
      assert.match(delv.stdout + delv.stderr, row.delv)
    })
  }
})

test('DANE: posttls-finger and we say the same of a right and of a wrong TLSA record', async (t) => {
  const root = makeCertificate({ name: 'Root of the lab', isCa: true })
  const hosts = ['mx1.dane.lab', 'mx1.wrong.lab'].map((name) => {
    return { name, address: freeAddress(), leaf: makeCertificate({ name, issuer: root }) }
  })
  for (const { name, address, leaf } of hosts) await startExchanger(t, { name, chain: [leaf, root] }, address, 25)
  const zones = hosts.map(({ name, address, leaf }): SignedZoneWords => {
    const zone = name.slice('mx1.'.length)
    const digest = zone === 'wrong.lab' ? 'ab'.repeat(32) : keyDigest(leaf).toString('hex')
    return {
      name: zone,
      servers: two(zone),
      text: `@ MX 10 mx1\nmx1 A ${address}\n_25._tcp.mx1 TLSA 3 1 1 ${digest}\n`,
    }
  })
  const { lab, internet, ours } = await stage(t, [...zones, expired], 'expired.lab')
  const posttls = await postfixView(lab, internet)
  assert.match(await posttls('dane.lab'), /Verified TLS connection established to mx1\.dane\.lab/)
  assert.ok(!(await ours('dane.lab', 'polite')).some((id) => id.startsWith('dane-mismatch')))
  assert.doesNotMatch(await posttls('wrong.lab'), /Verified TLS connection/)
  assert.ok((await ours('wrong.lab', 'polite')).includes('dane-mismatch'))
})

test('certificates: posttls-finger that wants good ones and we say the same of each fault', async (t) => {
  const root = makeCertificate({ name: 'Root of the lab', isCa: true })
  const stranger = makeCertificate({ name: 'Nobody’s root', isCa: true })
  const dayMs = 86_400_000
  const hosts = [
    { zone: 'fine.lab', leaf: {}, ours: undefined, said: /Verified TLS connection/ },
    {
      zone: 'old.lab',
      leaf: { notBeforeMs: Date.now() - 90 * dayMs, notAfterMs: Date.now() - dayMs },
      ours: 'tls-certificate-expired',
      said: /certificate has expired/,
    },
    {
      zone: 'other.lab',
      leaf: { name: 'www.elsewhere.lab' },
      ours: 'tls-certificate-name',
      said: /Trusted TLS connection|not match|hostname mismatch/i,
    },
    { zone: 'strange.lab', leaf: { issuer: stranger }, ours: 'tls-certificate-untrusted', said: /Untrusted|untrusted/ },
    // It tells of connections with TLS alone.
    { zone: 'plain.lab', leaf: undefined, ours: 'smtp-no-starttls', said: /^(?!.*TLS connection established)/s },
  ] as const
  const zones: SignedZoneWords[] = []
  for (const { zone, leaf } of hosts) {
    const [name, address] = [`mx1.${zone}`, freeAddress()]
    const issuer = leaf && 'issuer' in leaf ? leaf.issuer : root
    const chain = leaf && { chain: [makeCertificate({ name, issuer, ...leaf }), issuer] }
    await startExchanger(t, { name, ...chain }, address, 25)
    zones.push(unsigned(zone, `@ MX 10 mx1\nmx1 A ${address}\n`))
  }
  const { lab, internet, ours } = await stage(t, [...zones, expired], 'expired.lab', { roots: [root.pem] })
  const rootFile = join(lab.folder, 'root.pem')
  await writeFile(rootFile, root.pem)
  const posttls = await postfixView(lab, internet, ['-l', 'secure', '-F', rootFile])
  const judged = new Set<string>(hosts.flatMap((host) => host.ours ?? []))
  for (const { zone, ours: wanted, said } of hosts) {
    assert.match(await posttls(zone), said, zone)
    const found = new Set((await ours(zone, 'polite')).filter((id) => judged.has(id)))
    assert.deepEqual([...found], wanted ? [wanted] : [], zone)
  }
})

/** posttls-finger asks the resolver of /etc/resolv.conf, so it gets a mount of its own. */
async function postfixView(
  lab: Lab,
  internet: SignedInternet,
  level: readonly string[] = ['-l', 'dane'],
): Promise<(domain: string) => Promise<string>> {
  const resolv = join(lab.folder, 'resolv.conf')
  await writeFile(resolv, `nameserver ${internet.resolver.address}\noptions trust-ad\n`)
  await writeFile(join(lab.folder, 'main.cf'), 'compatibility_level = 3.7\n')
  const script =
    'mount --bind "$1" /etc/resolv.conf && shift && exec posttls-finger -c -L summary,untrusted,certmatch -T 60 -t 60 "$@"'
  return async (domain) => {
    const env = [`MAIL_CONFIG=${lab.folder}`]
    const ran = await run('/usr/bin/env', [...env, 'unshare', '-m', 'sh', '-c', script, 'sh', resolv, ...level, domain])
    return ran.stdout + ran.stderr
  }
}
