/** The vectors get-vanilla, get-vanilla-query-order-key-case and post-vanilla of the Signature Version 4 test suite that AWS publishes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signAws } from './sign-aws.ts'

const key = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: undefined,
}
const vanilla = {
  ...{ method: 'GET', host: 'example.amazonaws.com', path: '/', query: [], body: '' },
  ...{ region: 'us-east-1', service: 'service', nowMs: Date.parse('2015-08-30T12:36:00Z') },
}
const signatureOf = (headers: Record<string, string>) =>
  /Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '')?.[1]

test('get-vanilla', () => {
  assert.deepEqual(signAws(vanilla, key), {
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  })
})

test('get-vanilla-query-order-key-case', () => {
  const query = [
    ['Param2', 'value2'],
    ['Param1', 'value1'],
  ] as const
  assert.equal(
    signatureOf(signAws({ ...vanilla, query }, key)),
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  )
})

test('post-vanilla', () => {
  assert.equal(
    signatureOf(signAws({ ...vanilla, method: 'POST' }, key)),
    '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  )
})

test('every part of the request, and a session token, is signed', () => {
  const usual = signatureOf(signAws(vanilla, key))
  const others = [
    signAws({ ...vanilla, body: 'x' }, key),
    signAws({ ...vanilla, path: '/a' }, key),
    signAws({ ...vanilla, host: 'example.com' }, key),
    signAws({ ...vanilla, nowMs: vanilla.nowMs + 1000 }, key),
    signAws(vanilla, { ...key, sessionToken: 'token' }),
  ]
  assert.equal(new Set([usual, ...others.map(signatureOf)]).size, 6)
  assert.equal(others[4]?.['x-amz-security-token'], 'token')
})
