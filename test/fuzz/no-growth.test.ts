/** Octets without end: whatever a stranger sends, no parser keeps more of it than its limits say. */
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { DataDecoder } from '../../src/smtp/wire/data-decoder.ts'
import { DotStuffer } from '../../src/smtp/wire/dot-stuffing.ts'
import { HopCounter } from '../../src/smtp/wire/hop-counter.ts'
import { LineReader } from '../../src/smtp/wire/line-reader.ts'
import { ReplyParser } from '../../src/smtp/wire/reply-parser.ts'
import { until } from '../lab/until.ts'

const mebibyte = 1024 * 1024
const sent = 8 * mebibyte
const mostKept = 4 * mebibyte

/** Octets that somebody still holds. */
function heldOctets(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

/** Takes a piece of what comes; what it holds is what it keeps. */
type Parser = (piece: Buffer) => void

const parsers: Readonly<Record<string, () => Parser>> = {
  'the reader of command lines': () => {
    const reader = new LineReader(2048)
    return (piece) => {
      reader.feed(piece)
      for (let line = reader.next(); line !== undefined; line = reader.next());
    }
  },
  'the decoder of DATA': () => {
    const decoder = new DataDecoder({ bareNewline: 'repair' })
    return (piece) => void decoder.decode(piece)
  },
  'the counter of hops': () => {
    const hops = new HopCounter('mx.example.test')
    return (piece) => hops.push(piece)
  },
  'the stuffer of dots': () => {
    const stuffer = new DotStuffer()
    return (piece) => void stuffer.stuff(piece)
  },
  // Its owner ends the session at the first garbage.
  'the parser of replies': () => {
    const parser = new ReplyParser()
    let isGarbage = false
    return (piece) => {
      if (isGarbage) return
      for (let next = parser.take(piece); next && !isGarbage; next = parser.next()) isGarbage = next.kind === 'garbage'
    }
  },
}

const endless: Readonly<Record<string, string>> = {
  'a line': 'x',
  'a reply': '250-yes\r\n',
  'line ends': '\r\n',
  dots: '.',
  'bare CR': '\r',
  'bare LF': '\n',
  'a header': 'Received: by mx.example.test\r\n',
  'a folded field': ' folded\r\n',
}

for (const [name, create] of Object.entries(parsers))
  test(`${name} keeps nothing of what has no end`, async () => {
    for (const [what, unit] of Object.entries(endless)) {
      const text = unit.repeat(Math.floor(65_536 / unit.length))
      const parser = create()
      const before = heldOctets()
      // Each piece is another buffer, as it is from a socket.
      for (let octets = 0; octets < sent; octets += text.length) parser(Buffer.from(text, 'latin1'))
      // Buffers are swept a little behind the collection.
      await until(() => heldOctets() - before < mostKept, 60_000, `${name} has let go of ${what}`)
      parser(Buffer.from('\r\n'))
    }
  })
