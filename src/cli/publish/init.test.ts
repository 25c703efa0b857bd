import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startAuthority } from '../../../test/lab/authority.ts'
import { zoneOf } from '../../../test/lab/zone-lines.ts'
import { createProgram } from '../program.ts'
import { initCommand } from './init.ts'

/** @param answer  of a person; undefined: there is none */
async function start(t: TestContext, answer: ((question: string) => string) | undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-init-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const lines = ['@ SOA ns h 5 14400 3600 604800 300', '@ NS ns.example.net.', '@ 3600 MX 1 smtp.google.com.']
  const { address, port } = await startAuthority(t, [zoneOf('example.test.', lines.join('\n'))])
  const questions: string[] = []
  const said = { out: '', err: '' }
  const terminal = {
    out(text: string) {
      said.out += text
    },
    err(text: string) {
      said.err += text
    },
  }
  const askLine =
    answer &&
    (async (question: string) => {
      questions.push(question)
      return answer(question)
    })
  const program = createProgram('1.2.3', terminal, (run) => [initCommand(run, { askLine })])
  const output = join(folder, 'waypost.yaml')
  const words = ['init', 'example.test', '--server', `${address}:${port}`, '--private', '-o', output]
  return { said, questions, run: (...more: string[]) => program.run([...words, ...more]), output }
}

test('a person is asked what was not said, an empty answer is the usual one, and nothing of it is a guess', async (t) => {
  const { run, questions, said, output } = await start(t, (question) =>
    question.startsWith('The full name') ? 'mx1.example.test' : question.startsWith('Where') ? 'rfc2136' : '',
  )
  assert.equal(await run(), 0, said.err)
  assert.deepEqual(
    questions.map((question) => question.replace(/\[.*/, '').replace(/ \(.*/, '').trim()),
    [
      'The full name of this machine, as mail servers see it?',
      'Where are its DNS records kept',
      'The address of the primary name server?',
    ],
  )
  assert.match(said.err, /^example\.test has 1 smtp\.google\.com\.$/m)
  assert.doesNotMatch(said.err, /guessed/)
  const text = await readFile(output, 'utf8')
  assert.match(text, /^hostname: mx1\.example\.test$/m)
  // The provider is recognised.
  assert.match(text, /^ {4}exchangers: google-workspace/m)
  assert.match(text, /type: rfc2136\n {4}server: "127\.0\.0\.1"\n/)
})

test('what was said is not asked, and an answer that is wrong writes nothing', async (t) => {
  const { run, questions, said } = await start(t, () => 'office')
  assert.equal(await run('--hostname', 'mx1.example.test'), 1)
  assert.equal(questions.length, 1)
  assert.match(said.err, /"office" is none of rfc2136, zonefile, /)
  assert.equal(said.out, '')
})

test('a --hostname that is none is told at once, with why and what is allowed', async (t) => {
  const { run, questions, said } = await start(t, () => '')
  for (const [name, why] of [
    ['BAD', 'has no dot'],
    ['mx_1.example.test', 'has characters that no host name has'],
    ['192.0.2.1', 'is an address'],
    ['mx..example.test', 'is no name: two dots with nothing between them'],
  ] as const) {
    said.err = ''
    assert.equal(await run('--hostname', name), 1)
    assert.ok(said.err.startsWith(`waypost: --hostname: "${name}" is no full host name: it ${why}`), said.err)
    assert.match(said.err, /\. Labels of a-z, 0-9 and "-" with dots between them, such as mx1\.example\.test\n$/)
  }
  assert.equal(questions.length, 0)
})

test('how a name server reads its file again is asked of nobody, and told as a guess', async (t) => {
  const { run, said, output } = await start(t, undefined)
  assert.equal(await run('--publisher', 'zonefile', '--at', '/etc/bind/db', '--hostname', 'mx1.example.test'), 0)
  assert.match(await readFile(output, 'utf8'), /^ {4}path: "\/etc\/bind\/db"\n {4}reload: .* # guessed: /m)
  assert.match(said.err, /guessed, because nobody said it: the command that has the server read its file again/)
})

test('a place for records that have none is refused', async (t) => {
  const { run, said } = await start(t, undefined)
  assert.equal(await run('--publisher', 'builtin', '--at', '192.0.2.53'), 1)
  assert.match(
    said.err,
    /--at says where rfc2136, zonefile, powerdns keep records; with "builtin" there is no such place/,
  )
})
