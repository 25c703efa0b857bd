/** Canonical content, cut anywhere: what leaves ends once, at its end, and comes out as it was. Kept cases: corpus/dot-stuffing/. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { DotStuffer, stuffWhole } from '../../src/smtp/wire/dot-stuffing.ts'
import { Scratch } from '../../src/smtp/wire/scratch.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'
import { watched } from './watchdog.ts'

const folder = new URL('./corpus/dot-stuffing/', import.meta.url)
const corpus = readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), 'latin1') }))

const check = (text: string) => watched('body', text, () => checkCut(text))

function checkCut(text: string): void {
  // The contract of a body: CRLF alone ends lines.
  const canonical = text.replace(/\r\n|\r|\n/g, '\r\n').replace(/(?<!\r\n)$/, '\r\n')
  const bytes = Buffer.from(canonical, 'latin1')
  const whole = stuffWhole([bytes], new Scratch()).toString('latin1')
  assert.equal(`\r\n${whole}`.indexOf('\r\n.\r\n'), whole.length - 3)
  assert.equal(whole.slice(0, -3).replace(/(^|\r\n)\.\./g, '$1.'), canonical)
  assert.equal(/\r(?!\n)|(?<!\r)\n/.test(whole), false)
  for (const cutEvery of [1, 2, 3, 5]) {
    const stuffer = new DotStuffer()
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length; at += cutEvery) parts.push(stuffer.stuff(bytes.subarray(at, at + cutEvery)))
    assert.equal(Buffer.concat([...parts, stuffer.end()]).toString('latin1'), whole)
  }
}

for (const { name, text } of corpus) test(`corpus: ${name}`, () => check(text))

test('mutations of the corpus', () => {
  const random = fuzzRandom(1)
  const pick = (below: number) => Math.floor(random.number() * below)
  const tokens = ['.', '\r\n', '\r', '\n', '..', '\r\n.\r\n', '\n.\r\n', 'x', '\0']
  for (let run = 0; run < fuzzRounds(3_000); run++) {
    let text = corpus[pick(corpus.length)]?.text ?? ''
    for (let change = pick(8); change >= 0; change--) {
      const at = pick(text.length + 1)
      text = text.slice(0, at) + (tokens[pick(tokens.length)] ?? '') + text.slice(at + pick(3))
    }
    check(text)
  }
})
