import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whyNoSocket } from './why-no-socket.ts'

test('a socket that cannot be used says what to do about it', () => {
  const path = '/run/dovecot/lmtp'
  assert.match(whyNoSocket(path, 'ENOENT') ?? '', /^there is no \/run\/dovecot\/lmtp: start the server that makes it/)
  assert.match(whyNoSocket(path, 'ENOTSOCK') ?? '', /^\/run\/dovecot\/lmtp is no socket$/)
  assert.match(whyNoSocket(path, 'EACCES') ?? '', /closed to this user: .*unix_listener's user, group and mode/)
  assert.equal(whyNoSocket(path, 'EIO'), undefined)
})
