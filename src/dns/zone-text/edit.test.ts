import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Rdata, rdataCode } from '../rdata.ts'
import { parseRdata, rdataText } from '../rdata-text.ts'
import { typeCodeFromName, typeName } from '../types.ts'
import { foldName, nameFromText, nameText, type WireName } from '../wire-name.ts'
import { editZone, type ZoneEdit, type ZoneEditOptions } from './edit.ts'
import { readIncludes } from './includes.ts'
import { parseZone, recordsOf } from './parse.ts'
import type { RrsetEdit } from './rrset-edit.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  return parsed.name
}
const zone = wire('example.com')
const options: ZoneEditOptions = { zone, nowMs: Date.UTC(2026, 10, 24) }

const data = (type: string, text: string): Rdata => {
  const parsed = parseRdata(typeCodeFromName(type) ?? 0, text, zone)
  if (parsed.kind === 'invalid') throw new Error(`${text}: ${parsed.why}`)
  return parsed.data
}
const set = (owner: string, ttlSeconds: number, type: string, ...texts: string[]): RrsetEdit => ({
  name: wire(owner === '@' ? 'example.com' : `${owner}.example.com`),
  code: typeCodeFromName(type) ?? 0,
  ttlSeconds,
  data: texts.map((text) => data(type, text)),
})

const edit = (text: string, ...edits: RrsetEdit[]): ZoneEdit => editZone(Buffer.from(text), edits, options)
const edited = (text: string, ...edits: RrsetEdit[]): string => {
  const result = edit(text, ...edits)
  assert.ok(result.kind === 'edited', JSON.stringify(result))
  return result.bytes.toString()
}

const full = `; the zone of the office
$ORIGIN example.com.
$TTL 3600	; an hour
@	IN	SOA	ns1 hostmaster (
			2026112301 ; serial, raise it!
			7200 600 ; refresh ; retry
			1209600 300 )

; name servers
@	IN	NS	ns1
	IN	NS	ns2.example.net.

; mail
@	IN	MX	10 mx1	; the old one
	IN	MX	20 mx2
	IN	TXT	( "v=spf1 mx" ; who sends
		  " -all" )
mx1	IN	A	192.0.2.1
mx2	7200	IN	A	192.0.2.2

$INCLUDE hosts.zone
$GENERATE 1-9 dhcp$ A 10.0.0.$
last    IN HTTPS 1 . alpn="h2"  ; no end of line`
const included = [{ file: 'hosts.zone', zone: parsed('www A 192.0.2.80\n') }]

function parsed(text: string) {
  const result = parseZone(Buffer.from(text), { origin: zone, others: 'keep', ttlSeconds: 60 })
  assert.ok(result.kind === 'zone')
  return result.zone
}

const editFull = (...edits: RrsetEdit[]) => {
  const result = editZone(Buffer.from(full), edits, { ...options, included })
  assert.ok(result.kind === 'edited', JSON.stringify(result))
  return result.bytes.toString()
}
const raised = full.replace('2026112301', '2026112400')

test('a set that is right already changes nothing', () => {
  const result = editZone(Buffer.from(full), [set('@', 3600, 'MX', '20 MX2', '10 mx1')], { ...options, included })
  assert.deepEqual(result, { kind: 'unchanged', serial: 2026112301 })
})

test('what changes is the data of the record and the serial, and no other octet', () => {
  assert.equal(editFull(set('@', 3600, 'MX', '30 mx1', '20 mx2')), raised.replace('10 mx1', '30 mx1.example.com.'))
  assert.equal(editFull(set('mx2', 7200, 'A', '192.0.2.9')), raised.replace('192.0.2.2', '192.0.2.9'))
  // Parentheses stay around what stands in them now.
  assert.equal(
    editFull(set('@', 3600, 'TXT', '"v=spf1 -all"')),
    raised.replace('"v=spf1 mx" ; who sends\n\t\t  " -all"', '"v=spf1 -all"'),
  )
})

test('a comment goes with the record that it speaks of, and is told; what is about the same thing keeps its own', () => {
  const head = '@ 300 SOA ns host 7 2 3 4 5\n'
  const change = (text: string, ...edits: RrsetEdit[]) => {
    const result = edit(head + text, ...edits)
    assert.ok(result.kind === 'edited', JSON.stringify(result))
    return [result.bytes.toString().slice(head.length), result.lost.map(({ line, text }) => `${line}: ${text}`)]
  }
  const mx = '; mail\n@ MX 10 mx1 ; primary\n@ MX 20 mx2\t; Berlin\n; behind\n'
  // Another host: the old comment would speak of one that is gone.
  assert.deepEqual(change(mx, set('@', 300, 'MX', '10 mx9', '20 mx2')), [
    '; mail\n@ MX 10 mx9.example.com.\n@ MX 20 mx2\t; Berlin\n; behind\n',
    ['3: ; primary'],
  ])
  // Each host keeps its line, whatever becomes of its number.
  assert.deepEqual(change(mx, set('@', 300, 'MX', '5 mx2', '30 mx1')), [
    '; mail\n@ MX 30 mx1.example.com. ; primary\n@ MX 5 mx2.example.com.\t; Berlin\n; behind\n',
    [],
  ])
  assert.deepEqual(change(mx, set('@', 300, 'MX', '10 mx1')), [
    '; mail\n@ MX 10 mx1 ; primary\n; behind\n',
    ['4: ; Berlin'],
  ])
  assert.deepEqual(change(mx, set('@', 60, 'MX', '10 mx1', '20 mx2')), [
    '; mail\n@ 60 MX 10 mx1 ; primary\n@ 60 MX 20 mx2\t; Berlin\n; behind\n',
    [],
  ])
  assert.deepEqual(
    change(
      '@ TXT "v=spf1 -all" ; who sends\n@ TXT "t=1;x" ; token\n',
      set('@', 300, 'TXT', '"v=spf1 mx -all"', '"t=2;x"'),
    ),
    ['@ TXT "v=spf1 mx -all" ; who sends\n@ TXT "t=2;x"\n', ['3: ; token']],
  )
  assert.deepEqual(change('a A ( 192.0.2.1 ; office\n) ; here\r\n', set('a', 300, 'A', '192.0.2.2')), [
    'a A ( 192.0.2.2\n)\r\n',
    ['2: ; office', '3: ; here'],
  ])
})

test('a line whose type nobody knows is refused with its place, whatever is to be changed', () => {
  const result = edit('@ 300 SOA ns host 7 2 3 4 5\n@ MX 10 mx1\nwww IM A 192.0.2.1\n', set('@', 300, 'MX', '10 mx2'))
  assert.ok(result.kind === 'invalid', JSON.stringify(result))
  const [problem] = result.problems
  assert.deepEqual([problem?.line, problem?.column], [3, 5])
  assert.match(problem?.message ?? '', /^"IM" is no record type/)
})

test('what is added stands behind its set, in the manner of its neighbour', () => {
  assert.equal(
    editFull(set('@', 3600, 'MX', '10 mx1', '20 mx2', '30 mx3')),
    raised.replace('\tIN\tMX\t20 mx2\n', '\tIN\tMX\t20 mx2\n\tIN\tMX\t30 mx3.example.com.\n'),
  )
  assert.equal(
    editFull(set('mx1', 3600, 'AAAA', '2001:db8::1')),
    raised.replace('192.0.2.1\n', '192.0.2.1\nmx1\tIN\tAAAA\t2001:db8::1\n'),
  )
  // Behind the last line, which has no end, and whose neighbour has columns of blanks.
  assert.equal(editFull(set('_dmarc', 60, 'TXT', '"v=DMARC1"')), `${raised}\n_dmarc  60 IN TXT "v=DMARC1"`)
})

test('another TTL is stated, or replaces the stated one', () => {
  assert.equal(editFull(set('mx2', 60, 'A', '192.0.2.2')), raised.replace('mx2\t7200', 'mx2\t60'))
  assert.equal(
    editFull(set('@', 60, 'MX', '10 mx1', '20 mx2')),
    raised.replace('@\tIN\tMX\t10', '@\t60 IN\tMX\t10').replace('\tIN\tMX\t20', '\t60 IN\tMX\t20'),
  )
})

test('lines that inherited from a removed one state what they inherited', () => {
  assert.equal(
    editFull(set('@', 3600, 'MX')),
    // The name servers before it are of the same owner.
    raised.replace('@\tIN\tMX\t10 mx1\t; the old one\n\tIN\tMX\t20 mx2\n', ''),
  )
  const text = `@ 300 SOA ns host 7 2 3 4 5
a 60 A 192.0.2.1
  A 192.0.2.2
b  MX 10 mx
     TXT "b's"
c A 192.0.2.3
`
  assert.equal(
    edited(text, set('a', 60, 'A')),
    `@ 300 SOA ns host 8 2 3 4 5
b  60 MX 10 mx
     TXT "b's"
c A 192.0.2.3
`,
  )
  assert.equal(
    edited(text, set('b', 60, 'MX')),
    `@ 300 SOA ns host 8 2 3 4 5
a 60 A 192.0.2.1
  A 192.0.2.2
b    TXT "b's"
c A 192.0.2.3
`,
  )
})

test('a new set with another TTL does not change those of the lines behind it', () => {
  assert.equal(
    edited('@ 300 SOA ns host 7 2 3 4 5\na A 192.0.2.1\n TXT "x"\n', set('a', 60, 'A', '192.0.2.1', '192.0.2.2')),
    '@ 300 SOA ns host 8 2 3 4 5\na 60 A 192.0.2.1\na A 192.0.2.2\n 300 TXT "x"\n',
  )
})

test('records written in odd ways', () => {
  const head = '@ 300 SOA ns host 7 2 3 4 5\n'
  const change = (line: string, edit: RrsetEdit) => edited(head + line, edit).slice(head.length)
  // A parenthesis that opens within the data: the line is written anew.
  assert.equal(change('@ MX 10 (\n mx1 ) ; c\n', set('@', 300, 'MX', '5 x')), '@ 300 IN MX 5 x.example.com.\n')
  assert.equal(change('@ MX 10 ( mx1\n )\n', set('@', 300, 'MX', '5 x')), '@ 300 IN MX 5 x.example.com.\n')
  assert.equal(change('( @ MX 10 mx1 )\n', set('@', 300, 'MX', '5 x')), '( @ MX 5 x.example.com. )\n')
  assert.equal(change('@ MX \\# 3 000A 00\r\n', set('@', 300, 'MX', '5 x')), '@ MX 5 x.example.com.\r\n')
  assert.equal(
    change('$ORIGIN sub\nx MX 1 y\r\n', set('new', 300, 'MX', '5 x')),
    '$ORIGIN sub\nx MX 1 y\r\nnew.example.com. MX 5 x.example.com.\r\n',
  )
  // Twice the same is once the same.
  assert.equal(change('@ MX 1 y\n@ MX 1 Y\n', set('@', 300, 'MX', '1 y')), '@ MX 1 y\n')
  assert.equal(change('x CNAME y', set('@', 300, 'MX', '1 y')), '@ 300 MX 1 y.example.com.\nx CNAME y')
  assert.equal(change('x CNAME y', { ...set('x', 300, 'CNAME') }), '')
})

test('an alias gives way to addresses in one edit', () => {
  const text = '@ 300 SOA ns host 7 2 3 4 5\nx CNAME y\n'
  assert.equal(
    edited(text, set('x', 300, 'CNAME'), set('x', 300, 'A', '192.0.2.1')),
    '@ 300 SOA ns host 8 2 3 4 5\nx A 192.0.2.1\n',
  )
})

test('what must not be edited is refused, with its place', async () => {
  const head = '@ 300 SOA ns host 7 2 3 4 5\n'
  const mx = set('@', 300, 'MX', '10 mx')
  const refused = (text: string, ...edits: RrsetEdit[]) => {
    const result = edit(text, ...edits)
    assert.ok(result.kind === 'refused', `${text}: ${JSON.stringify(result)}`)
    return [result.reason, result.place && `${result.place.line}:${result.place.column}`]
  }
  assert.deepEqual(refused('@ 300 NS ns\n', mx), ['soa', undefined])
  assert.deepEqual(refused(`${head}${head}`, mx), ['soa', '2:1'])
  assert.deepEqual(refused(`sub${head.slice(1)}`, mx), ['soa', '1:1'])
  assert.deepEqual(refused('@ 300 SOA \\# 22 00 00 00000001 00000002 00000003 00000004 00000005\n', mx), ['soa', '1:1'])
  assert.deepEqual(refused(head, set('@', 300, 'SOA', 'ns host 1 2 3 4 5')), ['soa', undefined])
  assert.deepEqual(refused(head, { ...mx, name: wire('example.net') }), ['outside', undefined])
  assert.deepEqual(refused(`${head}$INCLUDE x\n`, mx), ['included', '2:1'])
  assert.deepEqual(refused(`${head}@ HTTPS 1 .\n`, { ...mx, code: 65 }), ['unreadable', '2:1'])
  assert.deepEqual(refused(`${head}  RRSIG A 5 3 1 20260101000000 20260101000000 1 @ AAAA\n`, mx), ['signed', '2:3'])
  assert.deepEqual(refused(`${head}a CNAME b\n`, set('a', 5, 'A', '192.0.2.1')), ['alias', '2:1'])
  assert.deepEqual(refused(`${head}a A 192.0.2.1\n`, set('a', 5, 'CNAME', 'b')), ['alias', '2:1'])
  assert.deepEqual(refused(head, set('a', 5, 'CNAME', 'b', 'c')), ['alias', undefined])
  assert.deepEqual(refused(head, set('a', 5, 'CNAME', 'b'), set('a', 5, 'TXT', 'c')), ['alias', undefined])
  assert.deepEqual(refused(`${head}$GENERATE 1-3 h$ A 192.0.2.$\n`, set('h2', 5, 'A', '192.0.2.9')), [
    'generated',
    '2:1',
  ])
  assert.deepEqual(editZone(Buffer.from(head), [mx], { ...options, liveSerial: 7 + 2 ** 31 }).kind, 'refused')
  // Neither the type nor the name is one that it makes.
  edited(`${head}$GENERATE 1-3 h$ A 192.0.2.$\n`, set('g2', 5, 'A', '192.0.2.9'), set('h2', 5, 'MX', '1 x'))

  const main = parsed(`${head}$INCLUDE mail sub\n`)
  const files = new Map([['mail', 'x MX 10 mx\n']])
  const read = await readIncludes(main, async (path) => {
    const text = files.get(path)
    return text === undefined
      ? { kind: 'unreadable', why: 'not there' }
      : { kind: 'read', file: `/etc/${path}`, bytes: Buffer.from(text) }
  })
  assert.ok(read.kind === 'read')
  const wanted = { ...mx, name: wire('x.sub.example.com') }
  const result = editZone(Buffer.from(`${head}$INCLUDE mail sub\n`), [wanted], { ...options, included: read.included })
  assert.ok(result.kind === 'refused')
  assert.deepEqual([result.reason, result.place], ['included', { line: 1, column: 1, file: '/etc/mail' }])
})

test('files that include themselves, or are not there, or wrong', async () => {
  const main = parsed('@ 300 SOA ns host 7 2 3 4 5\n$INCLUDE a\n')
  const read = (text: string) =>
    readIncludes(main, async (path) => ({ kind: 'read', file: path, bytes: Buffer.from(text) }))
  const loop = await read('$INCLUDE a\n$INCLUDE a\n')
  assert.ok(loop.kind === 'unreadable')
  assert.match(loop.why, /more than 100 files/)
  const wrong = await read('a A x\n')
  assert.ok(wrong.kind === 'invalid' && wrong.file === 'a' && wrong.problems[0]?.line === 1)
  const absent = await readIncludes(main, async () => ({ kind: 'unreadable', why: 'it is not there' }))
  assert.deepEqual(absent, { kind: 'unreadable', path: 'a', why: 'it is not there' })
})

test('a text that is no zone comes back with its problems', () => {
  const result = edit('@ 300 SOA ns host 7 2 3 4\n', set('@', 5, 'A', '192.0.2.1'))
  assert.ok(result.kind === 'invalid' && result.problems[0]?.line === 1)
  assert.throws(() => edit(full, set('@', 5, 'MX'), set('@', 5, 'MX')), RangeError)
})

const owner = fc.constantFrom('@', 'a', 'b', 'A', 'sub.x', '')
const recordLine = fc
  .tuple(
    owner,
    fc.constantFrom('', '60', '1h', 'IN', '60 IN', 'IN 60'),
    fc.constantFrom(
      'A 192.0.2.1',
      'A 192.0.2.2',
      'MX 10 a',
      'MX ( 20\n  b )',
      'MX 30 (c)',
      'TXT "x;" ; c',
      'AAAA ::1',
      'HTTPS 1 .',
    ),
    fc.constantFrom(' ', '\t', '   '),
  )
  .map((parts) => parts.join(parts[3]).trimEnd())
const otherLine = fc.constantFrom(
  '',
  ' ',
  '; comment',
  '$TTL 60',
  '$TTL 5',
  '$ORIGIN sub',
  '$ORIGIN example.com.',
  '$GENERATE 1-2 z$ A 192.0.2.$',
)
const zoneLines = fc.array(fc.oneof({ weight: 3, arbitrary: recordLine }, otherLine), { maxLength: 12 })
const anyText = fc
  .tuple(fc.constantFrom('@ 300 ', '$TTL 9\n@ ', '@ '), zoneLines, fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(
    ([head, lines, lineEnd, isOpenEnd]) =>
      [`${head}IN SOA ns host 7 2 3 4 5`, ...lines].join(lineEnd) + (isOpenEnd ? '' : lineEnd),
  )
const anySets = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom('@', 'a', 'b', 'x.sub', 'new'),
    fc.constantFrom(5, 60, 300),
    fc.constantFrom(
      ['A', '192.0.2.1', '192.0.2.3', '192.0.2.4'],
      ['MX', '10 a', '20 b', '99 z'],
      ['TXT', '"x;"', '"new"', '"other"'],
    ),
    fc.subarray([1, 2, 3]),
  ),
  { maxLength: 3, selector: ([owner, , [type]]) => `${owner} ${type}` },
)

test('any edit: the sets are as they were wanted, all other records and comments as they were, twice is once', () => {
  let done = 0
  fc.assert(
    fc.property(anyText, anySets, (text, sets) => {
      const edits = sets.map(([owner, ttl, [type = '', ...texts], chosen]) =>
        set(owner, ttl, type, ...chosen.map((index) => texts[index - 1] ?? '')),
      )
      const result = edit(text, ...edits)
      if (result.kind !== 'edited') return
      done++
      const isEdited = (record: { name: WireName; data: Rdata }) =>
        record.data.type === 'SOA' ||
        edits.some((one) => one.code === rdataCode(record.data) && one.name === foldName(record.name))
      const show = (name: WireName, ttl: number, data: Rdata) =>
        `${nameText(foldName(name))} ${ttl} ${typeName(rdataCode(data))} ${rdataText(data)}`
      const others = (from: string) =>
        recordsOf(parsedAs(from))
          .filter((record) => !isEdited(record))
          .map((record) => show(record.name, record.ttlSeconds, record.data))
      const after = result.bytes.toString()
      assert.deepEqual(others(after), others(text))
      const wanted = edits.flatMap((one) => one.data.map((data) => show(one.name, one.ttlSeconds, data)))
      const present = recordsOf(parsedAs(after))
        .filter((record) => isEdited(record) && record.data.type !== 'SOA')
        .map((record) => show(record.name, record.ttlSeconds, record.data))
      assert.deepEqual(present.sort(), wanted.sort())
      const comments = (from: string) => from.split('\n').filter((line) => line.startsWith(';') || line.startsWith('$'))
      assert.deepEqual(comments(after), comments(text))
      assert.equal(edit(after, ...edits).kind, 'unchanged')
    }),
    { numRuns: 3000 },
  )
  assert.ok(done > 500, String(done))
})

function parsedAs(text: string) {
  const result = parseZone(Buffer.from(text), { origin: zone, others: 'keep' })
  assert.ok(result.kind === 'zone', text)
  return result.zone
}
