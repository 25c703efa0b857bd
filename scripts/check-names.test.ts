import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkNames } from './check-names.ts'

const files = ['src/mail/reply.ts', 'src/mail/dsn/write.ts', 'src/smtp/server/server.ts', 'docs/watching.md']
/** With `|` for a backtick: the check reads this file too. */
const wrongIn = (path: string, ...lines: string[]) =>
  checkNames(path, lines.join('\n').replaceAll('|', '`'), files).map(({ line, message }) => `${line}: ${message}`)

test('a name in a comment is a file of the room, the end of a path, or one from here', () => {
  const text = '/** |write.ts|, |dsn/write.ts|, |server/server.ts|, |../mail/reply.ts|, |docs/watching.md| */'
  assert.deepEqual(wrongIn('src/mail/reply.ts', text), [])
})

test('a file that is gone, another room’s, or not from here is told with its line', () => {
  assert.deepEqual(
    wrongIn('src/mail/reply.ts', '/**', ' * As |replies.ts| says.', ' */', '', '  // |server.ts| asks.'),
    ['2: there is no file `replies.ts` in src/mail/', '5: there is no file `server.ts` in src/mail/'],
  )
  assert.deepEqual(wrongIn('src/mail/reply.ts', 'const one = 1 // |./write.ts|, |eply.ts|, |sn/write.ts|'), [
    '1: there is no file `./write.ts`',
    '1: there is no file `eply.ts` in src/mail/',
    '1: there is no file `sn/write.ts`',
  ])
})

test('code is not read, and what belongs to users and no checkout has', () => {
  assert.deepEqual(wrongIn('src/mail/reply.ts', 'const path = |gone.ts|', '// |waypost.yaml| of a |user|'), [])
})

test('a document is read as a whole, and may name files of every room', () => {
  const text = ['A', '|server.ts| and |write.ts|', '|first-choice-dies.test.ts|']
  assert.deepEqual(wrongIn('ARCHITECTURE.md', ...text), ['3: there is no file `first-choice-dies.test.ts`'])
})
