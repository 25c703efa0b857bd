/**
 * How fast DATA content is decoded, beside the least that could be done (`indexOf` from line to line). Run by hand:
 * `node bench/data-decoder.ts`. Prints nanoseconds an octet.
 */
import { DataDecoder } from '../src/smtp/wire/data-decoder.ts'
import { HopCounter } from '../src/smtp/wire/hop-counter.ts'
import { Scratch } from '../src/smtp/wire/scratch.ts'

const line = `${'The quick brown fox jumps over the lazy dog, and so on. '.repeat(2).slice(0, 76)}\r\n`
const end = '.\r\n'
const message = (octets: number, special: string) => {
  const header = `Received: from a.example by b.example; Mon, 1 Jan 2026 00:00:00 +0000\r\nSubject: bench\r\n\r\n`
  const body = line.repeat(Math.ceil((octets - header.length) / line.length / 8)).concat(special)
  return Buffer.from(header + body.repeat(8) + end, 'latin1')
}

const chunksOf = (content: Buffer, size = 65_536) =>
  Array.from({ length: Math.ceil(content.length / size) }, (_, index) =>
    content.subarray(index * size, (index + 1) * size),
  )

const scratch = new Scratch()
let sum = 0

const decode = (chunks: readonly Buffer[]) => {
  const decoder = new DataDecoder({ bareNewline: 'repair' }, scratch)
  const hops = new HopCounter('mx1.example.com')
  for (const chunk of chunks) {
    const piece = decoder.decode(chunk)
    hops.push(piece)
    sum += piece.length
  }
}

/** Finds line ends and first dots, and nothing else: no bare CR, no NUL, no 8-bit. */
const hop = (chunks: readonly Buffer[]) => {
  for (const chunk of chunks) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) {
      if (chunk[at - 1] !== 13 || chunk[at + 1] === 46) sum++
    }
  }
}

const measure = (name: string, chunks: readonly Buffer[], run: (chunks: readonly Buffer[]) => void) => {
  const octets = chunks.reduce((total, chunk) => total + chunk.length, 0)
  const rounds = Math.ceil(200_000_000 / octets)
  for (let round = 0; round < rounds / 10; round++) run(chunks)
  const began = performance.now()
  for (let round = 0; round < rounds; round++) run(chunks)
  const nanoseconds = ((performance.now() - began) * 1e6) / rounds / octets
  console.log(`${name.padEnd(40)} ${nanoseconds.toFixed(2)} ns an octet`)
}

for (const [size, octets] of [
  ['4 KiB', 4096],
  ['1 MiB', 1 << 20],
] as const) {
  const clean = chunksOf(message(octets, ''))
  measure(`${size}, clean: decoder`, clean, decode)
  measure(`${size}, clean: indexOf alone`, clean, hop)
  measure(`${size}, dot lines: decoder`, chunksOf(message(octets, '..dot\r\n')), decode)
  measure(`${size}, bare LF: decoder`, chunksOf(message(octets, 'bare\n')), decode)
}
if (sum === 0) throw new Error('nothing was decoded')
