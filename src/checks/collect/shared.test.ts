import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mxData, soaData } from '../../../test/unit/facts/records.ts'
import { response } from '../../../test/unit/facts/servers.ts'
import { answer, noData } from '../../../test/unit/facts/views.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { directSharing } from './inquiry.ts'
import { viewSharing } from './views.ts'

/** 60 KiB on the way. */
const strings: Rdata = { type: 'TXT', strings: Array.from({ length: 30_000 }, () => Buffer.from('x')) }

test('what is kept for others counts by the memory that it takes', () => {
  assert.equal(viewSharing.cost(noData('example.com')), 1)
  assert.equal(viewSharing.cost(answer('example.com', [mxData(10, 'mx1.example.com')])), 1)
  assert.ok(viewSharing.cost(answer('example.com', [strings])) > 5_000)
  const wordy = { ...answer('example.com', [mxData(10, 'mx1.example.com')]), bytes: 50 * 1024 }
  assert.equal(viewSharing.cost(wordy), 51)
})

test('of what a server said, every section counts', () => {
  const cost = (authorities: readonly Rdata[]) =>
    directSharing.cost(response('example.com', 'HINFO', [], { authorities }))
  assert.ok(cost([soaData()]) <= 2)
  assert.ok(cost([strings]) > 5_000)
})
