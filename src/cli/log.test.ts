import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../base/log.ts'
import { createLog, type LogForm, type LogLevel } from './log.ts'

function lines(form: LogForm, level: LogLevel, work: (log: Log) => void, color = false): string[] {
  const written: string[] = []
  work(createLog({ form, level, color, write: (line) => written.push(line) }))
  return written
}

test('json: one object a line, with level, time, event and fields', () => {
  const written = lines('json', 'info', (log) => {
    log.debug('not shown')
    log.with({ id: 'x1' }).info('delivered', { ms: 5, error: new TypeError('odd') })
    log.alert('look')
  })
  assert.equal(written.length, 2)
  const [first, second] = written.map((line) => JSON.parse(line))
  assert.match(first.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(
    [first.level, first.event, first.id, first.ms, first.error.message],
    ['info', 'delivered', 'x1', 5, 'odd'],
  )
  assert.deepEqual([second.level, second.alert], ['error', true])
  assert.ok(written.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1))
})

test('pretty: a line for people, made safe', () => {
  const written = lines('pretty', 'debug', (log) => {
    log.debug('said', { text: 'two words\u001b[31m\nmore', list: [1], name: 'plain' })
    log.alert('look')
  })
  assert.match(
    written[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} debug said {2}text="two words\\u001b\[31m\\nmore" list=\[1\] name=plain\n$/,
  )
  assert.match(written[1] ?? '', / alert look\n$/)
})

test('pretty: what is wrong with a configuration stands below, line by line, made safe', () => {
  const problems = 'w.yaml:2:3: unknown key\n  2 |   \u001b[31mx\n        ^'
  const [written = ''] = lines('pretty', 'info', (log) => log.error('reload refused', { path: '/w.yaml', problems }))
  assert.equal(
    written.slice(13),
    'error reload refused  path=/w.yaml\n    w.yaml:2:3: unknown key\n      2 |   \\x1b[31mx\n            ^\n',
  )
  const [counted = ''] = lines('pretty', 'info', (log) => log.alert('running on', { problems: 3 }))
  assert.match(counted, /problems=3\n$/)
})

test('pretty in colour', () => {
  assert.ok(lines('pretty', 'info', (log) => log.warn('careful'), true)[0]?.includes('\u001b[33mwarn'))
})

test('json: fields in their order, those that are undefined left out, and a field that JSON has no form for costs no event', () => {
  const [line = '', odd = '', bare = ''] = lines('json', 'info', (log) => {
    const bound = log.with({ id: 'x1' }).with({ domain: undefined })
    bound.info('said "so"', { from: '', to: ['a@b'], reply: undefined, text: '\u2028\n', ms: 5 })
    log.warn('odd', { count: 1n })
    bound.error('bare')
  })
  assert.match(
    line,
    /^\{"level":"info","time":"[^"]*","id":"x1","from":"","to":\["a@b"\],"text":"\\u2028\\n","ms":5,"event":"said \\"so\\""\}\n$/,
  )
  assert.deepEqual([JSON.parse(odd).event, JSON.parse(odd).notWritten], ['odd', ['count']])
  assert.match(bare, /"id":"x1","event":"bare"\}\n$/)
})
