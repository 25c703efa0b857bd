import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameOfProgram } from './program-name.ts'

test('lines to type call Waypost as it was called', () => {
  const PATH = '/usr/bin:/opt/waypost/bin'
  const name = (WAYPOST_CALLED?: string) =>
    nameOfProgram({ PATH, ...(WAYPOST_CALLED ? { WAYPOST_CALLED } : {}) }, 'usual')
  assert.equal(name('/opt/waypost/bin/waypost'), 'waypost')
  assert.equal(name('/srv/waypost/bin/waypost'), '/srv/waypost/bin/waypost')
  assert.equal(name('../bin/waypost'), '../bin/waypost')
  assert.equal(name('/srv/my mail/waypost'), "'/srv/my mail/waypost'")
  assert.equal(name(), 'usual')
})
