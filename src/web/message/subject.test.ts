import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subjectIn } from './subject.ts'

test('a subject is unfolded, its encoded words are read, and it is safe to print', () => {
  assert.equal(subjectIn(['Received: by mx', 'subject: Your', ' order\t2', 'X: y']), 'Your order 2')
  assert.equal(subjectIn(['Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= to you']), 'Grüße to you')
  assert.equal(subjectIn(['Subject: a\u202eb']), 'a\\u202eb')
  assert.equal(subjectIn(['X-Subject: no']), '')
  assert.ok(subjectIn([`Subject: ${'x'.repeat(9_000)}`]).length <= 210)
})
