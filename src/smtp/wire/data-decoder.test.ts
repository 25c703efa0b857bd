import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DataDecoder, type DataFault } from './data-decoder.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

interface Decoded {
  readonly content: string
  readonly fault: DataFault | undefined
  readonly isEnded: boolean
  readonly rest: string
  readonly has8bit: boolean
  readonly size: number
}

function decode(pieces: readonly string[], bareNewline: 'repair' | 'reject' = 'repair'): Decoded {
  const decoder = new DataDecoder({ bareNewline })
  let content = ''
  let rest = ''
  for (const piece of pieces) {
    if (decoder.isEnded) {
      rest += piece
      continue
    }
    const chunk = bytes(piece)
    content += decoder.decode(chunk).toString('latin1')
    rest += chunk.toString('latin1', decoder.consumed)
  }
  const { fault, isEnded, has8bit, size } = decoder
  return { content: fault ? '' : content, fault, isEnded, rest, has8bit, size: fault ? 0 : size }
}

/** The same by regular expressions over the whole, which no server could afford. Assumes that the true end is there. */
function oracle(wire: string): { content: string; faults: DataFault[]; rest: string } {
  // The CRLF of the DATA command is the first line end.
  const whole = `\r\n${wire}`
  const end = whole.indexOf('\r\n.\r\n')
  assert.ok(end >= 0)
  const text = whole.slice(0, end + 2)
  const faults: DataFault[] = []
  // A dot line is seen with both its ends, so that of the true end is looked at too.
  if (/(?<!\r)\n\.\r?\n|\r\n\.\n/.test(whole.slice(0, end + 5))) faults.push('dot-line')
  if (/\r(?!\n)/.test(text)) faults.push('bare-cr')
  if (text.includes('\0')) faults.push('nul')
  const content = text
    .split('\r\n')
    .slice(1)
    .map((line) => (line.startsWith('.') ? line.slice(1) : line))
    .map((line) => line.replaceAll('\n', '\r\n'))
    .join('\r\n')
  return { content, faults, rest: whole.slice(end + 5) }
}

function assertLikeOracle(wire: string, pieces: readonly string[]): void {
  const expected = oracle(wire)
  const decoded = decode(pieces)
  assert.equal(decoded.isEnded, true)
  assert.equal(decoded.rest, expected.rest)
  if (expected.faults.length > 0) {
    assert.ok(decoded.fault && expected.faults.includes(decoded.fault), `${JSON.stringify(wire)}: ${decoded.fault}`)
    return
  }
  assert.equal(decoded.fault, undefined)
  assert.equal(decoded.content, expected.content)
  assert.equal(decoded.size, expected.content.length)
  assertHarmless(decoded.content)
}

/** What leaves for the next server: stuffed again, it ends once, at its end, however lenient that server is. */
function assertHarmless(content: string): void {
  const wire = `${content.replace(/(^|\r\n)\./g, '$1..')}.\r\n`
  assert.doesNotMatch(wire, /\r(?!\n)|(?<!\r)\n|\0/)
  const ends = [...`\r\n${wire}`.matchAll(/[\r\n]\.[\r\n]/g)]
  assert.equal(ends.length, 1)
  assert.ok(wire.endsWith('.\r\n'))
}

const end = '\r\n.\r\n'
const behind = 'MAIL FROM:<evil@example.com>\r\n'

/** What ended DATA in servers of CVE-2023-51764, -51765 and -51766, and what else was seen in the wild. Each between text, the true end, and commands. */
const forms: readonly [form: string, fault: DataFault | undefined][] = [
  ['\n.\r\n', 'dot-line'],
  ['\r\n.\n', 'dot-line'],
  ['\n.\n', 'dot-line'],
  ['\r.\r', 'bare-cr'],
  ['\r.\r\n', 'bare-cr'],
  ['\r\n.\r', 'bare-cr'],
  ['\n.\r', 'bare-cr'],
  ['\r.\n', 'bare-cr'],
  ['\r\n.\r\r\n', 'bare-cr'],
  ['\r\r\n.\r\n', 'bare-cr'],
  ['\r\r\n', 'bare-cr'],
  ['\r\n\0.\r\n', 'nul'],
  ['\r\n.\0\r\n', 'nul'],
  ['\0', 'nul'],
  ['\r', 'bare-cr'],
  ['\n', undefined],
  ['\n\n', undefined],
  ['\r\n\n', undefined],
  ['\n\r\n', undefined],
  ['\n..\r\n', undefined],
  ['\r\n..\n', undefined],
  ['\n..\n', undefined],
  ['\n.text', undefined],
  ['\r\n.text', undefined],
  ['\r\n..\r\n', undefined],
  ['\r\n...\r\n', undefined],
  ['\r\n. \r\n', undefined],
]

for (const [form, fault] of forms) {
  test(`${JSON.stringify(form)} in DATA, cut at every place, gives the same: ${fault ?? 'content'}`, () => {
    const wire = `Subject: x\r\n\r\nfirst${form}${behind}second${end}QUIT\r\n`
    // A form that holds the true end ends there, and that is right: it is CRLF.CRLF.
    const whole = decode([wire])
    assert.equal(whole.fault, fault)
    for (let first = 0; first <= wire.length; first++) {
      assertLikeOracle(wire, [wire.slice(0, first), wire.slice(first)])
      assert.deepEqual(decode([wire.slice(0, first), wire.slice(first)]), whole)
    }
    assert.deepEqual(decode([...wire]), whole)
  })
}

test('every mixture of CR, LF, dot and text up to seven octets long is judged as the oracle does', () => {
  const alphabet = ['\r', '\n', '.', 'a']
  for (let length = 0; length <= 7; length++) {
    for (let number = 0; number < alphabet.length ** length; number++) {
      let form = ''
      for (let rest = number, count = 0; count < length; count++, rest = Math.floor(rest / 4))
        form += alphabet[rest % 4]
      const wire = `${form}${end}Q`
      assertLikeOracle(wire, [wire])
      assertLikeOracle(wire, [...wire])
    }
  }
})

const wireText = fc.string({
  unit: fc.constantFrom('\r\n', '\r\n', '\r\n.', '\r', '\n', '.', 'a', 'text that is longer', '\0', '\xe9', ' ', '-'),
  maxLength: 60,
})

test('any content, cut anyhow, comes out as the oracle says', () => {
  fc.assert(
    fc.property(wireText, fc.array(fc.nat(80), { maxLength: 8 }), (text, cuts) => {
      const wire = `${text}${end}NOOP\r\n`
      const pieces: string[] = []
      let at = 0
      for (const cut of cuts) {
        pieces.push(wire.slice(at, at + cut))
        at += cut
      }
      pieces.push(wire.slice(at))
      assertLikeOracle(wire, pieces)
    }),
    { numRuns: 3000 },
  )
})

test('clean content passes as a part of the chunk, in one piece', () => {
  const chunk = bytes(`Subject: x\r\n\r\n${'text\r\n'.repeat(500)}.\r\nQUIT\r\n`)
  const decoder = new DataDecoder({ bareNewline: 'repair' })
  const piece = decoder.decode(chunk)
  assert.equal(piece.buffer, chunk.buffer)
  assert.equal(piece.byteOffset, chunk.byteOffset)
  assert.equal(piece.length, chunk.length - '.\r\nQUIT\r\n'.length)
  assert.equal(chunk.toString('latin1', decoder.consumed), 'QUIT\r\n')
})

test('an empty body is content of no octets', () => {
  assert.deepEqual(decode(['.\r\n']), {
    content: '',
    fault: undefined,
    isEnded: true,
    rest: '',
    has8bit: false,
    size: 0,
  })
})

test('a bare LF under "reject" is a fault, and all is eaten to the true end', () => {
  const decoded = decode([`a\nb\r\n.\n${behind}${end}QUIT\r\n`], 'reject')
  assert.equal(decoded.fault, 'bare-lf')
  assert.equal(decoded.rest, 'QUIT\r\n')
})

test('8-bit octets are noticed, in content only', () => {
  assert.equal(decode([`caf\xe9${end}`]).has8bit, true)
  assert.equal(decode([`cafe${end}caf\xe9`]).has8bit, false)
  assert.equal(decode(['\r\n', '.', '\xe9', end]).has8bit, true)
})
