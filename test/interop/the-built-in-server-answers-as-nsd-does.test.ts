/** Random zones in a real NSD and in the built-in server: both say the same to random questions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Random, seededRandom } from '../../src/base/random.ts'
import { typeCodes } from '../../src/dns/types.ts'
import { startAuthority } from '../lab/authority.ts'
import { freePort } from '../lab/loopback.ts'
import { zoneFile, zoneOf } from '../lab/zone-lines.ts'
import { startNsd, theirAddress } from './harness/name-servers.ts'
import { answerOf } from './harness/same-answers.ts'

const zonesInAll = 80
const questionsAZone = 60
const labels = ['a', 'b', 'c', 'mx', '_tcp', '*'] as const
const askedTypes = ['A', 'AAAA', 'MX', 'TXT', 'CNAME', 'NS', 'SOA', 'DS', 'SRV', 'TLSA'] as const

const pick = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random.number() * of.length)] as T

/** Relative to the zone; `@` for its top. */
function randomName(random: Random, most: number): string {
  const count = Math.floor(random.number() * (most + 1))
  return count === 0 ? '@' : Array.from({ length: count }, () => pick(random, labels)).join('.')
}

function randomData(random: Random, type: string): string {
  const inside = randomName(random, 3)
  // An alias of a wildcard's own name leads in circles, which each server ends where it likes.
  const isCircle = type === 'CNAME' && inside.startsWith('*')
  const target = isCircle || random.number() < 0.15 ? 'host.elsewhere.test.' : inside
  const number = Math.floor(random.number() * 250)
  switch (type) {
    case 'A':
      return `192.0.2.${number}`
    case 'AAAA':
      return `2001:db8::${number.toString(16)}`
    case 'MX':
      return `${number} ${target}`
    case 'TXT':
      return `"text ${number}"`
    case 'SRV':
      return `${number} 1 25 ${target}`
    case 'DS':
      return `${number} 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff`
    default:
      return target
  }
}

function randomZone(random: Random): string {
  const lines = ['@ SOA ns hostmaster 7 14400 3600 604800 300', '@ NS ns']
  const hasAlias = new Set<string>()
  const hasData = new Set<string>(['@'])
  for (let count = 3 + Math.floor(random.number() * 14); count > 0; count--) {
    const name = randomName(random, 3)
    const type = pick(random, ['A', 'A', 'AAAA', 'MX', 'MX', 'TXT', 'SRV', 'CNAME', 'CNAME', 'NS', 'NS+DS'])
    if (hasAlias.has(name)) continue
    if (type === 'CNAME') {
      if (hasData.has(name)) continue
      hasAlias.add(name)
    }
    // At a wildcard a cut means nothing; at the top there are servers already.
    if (type.startsWith('NS') && (name.startsWith('*') || name === '@')) continue
    hasData.add(name)
    for (const one of type.split('+')) lines.push(`${name} ${one} ${randomData(random, one)}`)
  }
  return lines.join('\n')
}

/** What the zone has, a label more or less, or anything. */
function randomQuestion(random: Random, lines: string, origin: string): string {
  const owners = lines.split('\n').map((line) => line.split(' ')[0] ?? '@')
  const owner = random.number() < 0.3 ? randomName(random, 4) : pick(random, owners)
  const full = owner === '@' ? origin : `${owner}.${origin}`
  const chance = random.number()
  if (chance < 0.25) return `${pick(random, [...labels, 'x'])}.${full}`
  if (chance < 0.35 && owner.includes('.')) return full.slice(full.indexOf('.') + 1)
  return full
}

test(`${zonesInAll} random zones, ${zonesInAll * questionsAZone} random questions`, async (t) => {
  const random = seededRandom(4592)
  const zones = new Map(
    Array.from({ length: zonesInAll }, (_, index) => [`z${index}.test`, randomZone(random)] as const),
  )
  const port = await freePort(theirAddress)
  const theirs = { address: theirAddress, port }
  const files = new Map(Array.from(zones, ([name, lines]) => [name, zoneFile(`${name}.`, lines)]))
  const last = `z${zonesInAll - 1}.test.`
  const isReady = async () => (await answerOf(theirs, last, typeCodes.SOA, 1_000))?.[0] === 'NOERROR aa'
  await startNsd(t, port, files, isReady)
  const ours = await startAuthority(
    t,
    Array.from(zones, ([name, lines]) => zoneOf(`${name}.`, lines)),
  )

  const seen = new Map<string, number>()
  for (const [zone, lines] of zones) {
    for (let count = 0; count < questionsAZone; count++) {
      const name = randomQuestion(random, lines, `${zone}.`)
      const type = pick(random, askedTypes)
      const [own, their] = await Promise.all([ours, theirs].map((server) => answerOf(server, name, typeCodes[type])))
      assert.deepEqual(own, their, `${name} ${type} in\n${lines}`)
      const kind = `${own?.[0]} ${own?.some((line) => line.startsWith('authority')) ? 'authority' : 'answers'}`
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
  }
  // Each kind of answer came up, or the questions are worth nothing.
  for (const kind of ['NOERROR aa answers', 'NOERROR aa authority', 'NXDOMAIN aa authority', 'NOERROR authority'])
    assert.ok((seen.get(kind) ?? 0) > 50, `${kind}: ${seen.get(kind)}`)
})
