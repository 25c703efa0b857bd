import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notify } from '../../../test/unit/dsn.ts'
import { isOwed } from './report.ts'
import type { DsnAction } from './status.ts'

// RFC 3461 §5.2.2, §5.2.3, §5.2.5, §5.2.6
const table: readonly [notify: string | undefined, owed: readonly DsnAction[]][] = [
  [undefined, ['failed', 'delayed']],
  ['NEVER', []],
  ['FAILURE', ['failed']],
  ['DELAY', ['delayed']],
  ['SUCCESS', ['relayed', 'delivered']],
  ['DELAY,FAILURE', ['failed', 'delayed']],
  ['SUCCESS,FAILURE,DELAY', ['failed', 'delayed', 'relayed', 'delivered']],
]

for (const [asked, owed] of table) {
  test(`with NOTIFY ${asked}, ${owed.join(' and ') || 'nothing'} is owed`, () => {
    for (const action of ['failed', 'delayed', 'relayed', 'delivered'] as const)
      assert.equal(isOwed(action, asked === undefined ? undefined : notify(asked)), owed.includes(action), action)
  })
}
