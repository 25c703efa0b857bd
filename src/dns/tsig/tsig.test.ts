import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { encodeMessage, query } from '../message.ts'
import { nameFromText, type WireName } from '../wire-name.ts'
import { createAnswerSigner, createAnswerVerifier } from './answers.ts'
import { macBytes, parseTsigKey, type TsigAlgorithm, type TsigKey, tsigAlgorithms } from './key.ts'
import { appendTsig, findTsig, time48, tsigErrors } from './record.ts'
import { type BadRequest, signRequest, tsigBytes, tsigErrorAnswer, verifyRequest } from './request.ts'

interface Vectors {
  readonly timeSeconds: number
  readonly updates: readonly { algorithm: TsigAlgorithm | null; secret?: string; hex: string; mac?: string }[]
  readonly streams: readonly { signed: readonly number[]; request: string; requestMac: string; messages: string[] }[]
}
/** Written by dnspython 2.3.0. */
const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/tsig-vectors.json', import.meta.url), 'utf8'),
)
const now = vectors.timeSeconds
const hex = (text: string) => Buffer.from(text, 'hex')

function keyOf(name: string, algorithm: string, secret: Buffer | string): TsigKey {
  const parsed = parseTsigKey(name, algorithm, typeof secret === 'string' ? secret : secret.toString('base64'))
  assert.ok(parsed.kind === 'key', parsed.kind === 'invalid' ? parsed.why : '')
  return parsed.key
}
const key = keyOf('way.post', 'hmac-sha256', Buffer.from(Array.from({ length: 32 }, (_, index) => index)))
const otherSecret = keyOf('way.post', 'hmac-sha256', Buffer.alloc(32, 9))
const otherName = keyOf('another', 'hmac-sha256', Buffer.alloc(32, 1))

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  assert.ok(parsed.kind === 'name')
  return parsed.name
}
const message = encodeMessage(
  query(wire('example.test.'), 15, 77, { udpBytes: 1232, version: 0, dnssecOk: false, options: [] }),
)
const answer = (id = 77) => encodeMessage({ ...query(wire('example.test.'), 15, id, undefined), isResponse: true })

for (const vector of vectors.updates.slice(1)) {
  test(`${vector.algorithm}: a signed update is octet for octet that of dnspython, and verified`, () => {
    const own = keyOf('Way.Post.', vector.algorithm ?? '', vector.secret ?? '')
    const bare = hex(vectors.updates[0]?.hex ?? '')
    const signed = signRequest(bare, own, now)
    assert.equal(signed.bytes.toString('hex'), vector.hex)
    assert.equal(signed.mac.toString('hex'), vector.mac)
    assert.equal(signed.bytes.length, bare.length + tsigBytes(own))
    const verified = verifyRequest(hex(vector.hex), [otherName, own], now)
    assert.ok(verified.kind === 'verified')
    assert.deepEqual(verified.message, bare)
    assert.equal(verified.key, own)
  })

  test(`${vector.algorithm}: one bit that is flipped anywhere is noticed`, () => {
    const own = keyOf('way.post.', vector.algorithm ?? '', vector.secret ?? '')
    const bytes = hex(vector.hex)
    // The MAC and the time stay; the case of the names and the id of the header are all that is not signed.
    const tsigAt = bytes.indexOf('\x03Way\x04Post\0', 0, 'latin1')
    for (let bit = 16; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes)
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
      const { kind } = verifyRequest(forged, [own], now)
      if (isCase(bit, tsigAt, bytes)) {
        assert.equal(kind, 'verified', `bit ${bit}`)
        continue
      }
      assert.notEqual(kind, 'verified', `bit ${bit}`)
      // Only where it is no longer TSIG that stands there.
      if (kind === 'unsigned') assert.equal(Math.floor(bit / 8 / 2), Math.floor((tsigAt + 11) / 2), `bit ${bit}`)
    }
  })
}

/** Whether this bit is the case of a letter in the key's name or the algorithm's. */
function isCase(bit: number, tsigAt: number, bytes: Buffer): boolean {
  const at = (bit >> 3) - tsigAt
  const isInName = (at >= 0 && at < 10) || (at >= 20 && at < 33)
  return isInName && (bit & 7) === 2 && /[A-Za-z]/.test(String.fromCharCode(bytes[bit >> 3] ?? 0))
}

for (const { signed, request, requestMac, messages } of vectors.streams) {
  test(`a stream of five messages of dnspython, of which ${signed.join(', ')} are signed`, () => {
    const asked = signRequest(
      encodeMessage({
        ...query(wire('example.test.'), 252, 0x4321, undefined),
        recursionDesired: false,
        authenticData: false,
      }),
      key,
      now,
    )
    const known = findTsig(hex(request))
    assert.ok(known.kind === 'tsig')
    assert.equal(known.tsig.mac.toString('hex'), requestMac)
    assert.equal(asked.bytes.length, request.length / 2)

    const verifier = createAnswerVerifier(key, hex(requestMac))
    for (const [index, text] of messages.entries()) {
      const verdict = verifier.verify(hex(text), now)
      assert.equal(verdict.kind, signed.includes(index) ? 'verified' : 'unsigned-so-far', `message ${index}`)
      assert.equal(verifier.isCovered, signed.includes(index))
    }
    if (signed.length < messages.length) return
    const signer = createAnswerSigner(key, hex(requestMac))
    for (const [index, text] of messages.entries()) {
      const found = findTsig(hex(text))
      assert.ok(found.kind === 'tsig')
      const bare = hex(text).subarray(0, found.start)
      bare.writeUInt16BE(0, 10)
      assert.equal(signer.sign(bare, now + index).toString('hex'), text)
    }
  })
}

test('the stream of another order, with a message left out or one put in, fails at once', () => {
  const { requestMac, messages } = vectors.streams[0] ?? assert.fail()
  const verdicts = (order: readonly number[]) => {
    const verifier = createAnswerVerifier(key, hex(requestMac))
    return order.map((index) => verifier.verify(hex(messages[index] ?? ''), now).kind)
  }
  assert.deepEqual(verdicts([0, 2]), ['verified', 'bad-signature'])
  assert.deepEqual(verdicts([1]), ['bad-signature'])
  assert.deepEqual(verdicts([0, 0]), ['verified', 'bad-signature'])
  const verifier = createAnswerVerifier(key, hex(requestMac))
  assert.equal(verifier.verify(hex(messages[0] ?? ''), now).kind, 'verified')
  assert.equal(verifier.verify(answer(0x4321), now).kind, 'unsigned-so-far')
  assert.equal(verifier.verify(hex(messages[1] ?? ''), now).kind, 'bad-signature')
})

test('99 unsigned messages in a row are taken, the hundredth is not, and the first must be signed', () => {
  const asked = signRequest(message, key, now)
  const signer = createAnswerSigner(key, asked.mac)
  const verifier = createAnswerVerifier(key, asked.mac)
  assert.equal(verifier.verify(signer.sign(answer(), now), now).kind, 'verified')
  for (let index = 0; index < 99; index++) assert.equal(verifier.verify(answer(), now).kind, 'unsigned-so-far')
  assert.equal(verifier.isCovered, false)
  assert.equal(verifier.verify(answer(), now).kind, 'unsigned')
  assert.equal(createAnswerVerifier(key, asked.mac).verify(answer(), now).kind, 'unsigned')
})

test('a clock that is off: 300 s pass, 301 s are told with the skew, and the answer says the time', () => {
  const { bytes, mac } = signRequest(message, key, now)
  assert.equal(verifyRequest(bytes, [key], now + 300).kind, 'verified')
  assert.equal(verifyRequest(bytes, [key], now - 300).kind, 'verified')
  const late = verifyRequest(bytes, [key], now + 301)
  assert.ok(late.kind === 'bad-time')
  const refusal = tsigErrorAnswer(answer(), late, now + 301)
  assert.deepEqual(createAnswerVerifier(key, mac).verify(refusal, now), { kind: 'bad-time', skewSeconds: 301 })
  // RFC 8945 §5.2.3: the client's time and fudge, and the server's time beside it.
  const found = findTsig(refusal)
  assert.ok(found.kind === 'tsig')
  assert.deepEqual(
    [found.tsig.timeSeconds, found.tsig.fudgeSeconds, found.tsig.error, found.tsig.other],
    [now, 300, tsigErrors.badTime, time48(now + 301)],
  )
  const early = createAnswerVerifier(key, mac).verify(createAnswerSigner(key, mac).sign(answer(), now + 400), now)
  assert.deepEqual(early, { kind: 'bad-time', skewSeconds: 400 })
})

test('unknown key, other algorithm, wrong secret: each is told apart, and answered without a signature', () => {
  const { bytes, mac } = signRequest(message, key, now)
  const sha512 = keyOf('way.post', 'hmac-sha512', Buffer.alloc(64, 1))
  const bad = (keys: readonly TsigKey[]) => verifyRequest(bytes, keys, now)
  assert.equal(bad([]).kind, 'bad-key')
  assert.equal(bad([otherName]).kind, 'bad-key')
  assert.equal(bad([sha512]).kind, 'bad-key')
  assert.equal(bad([otherSecret]).kind, 'bad-signature')
  for (const [keys, error] of [
    [[otherName], 17],
    [[otherSecret], 16],
  ] as const) {
    const refusal = tsigErrorAnswer(answer(), bad(keys) as BadRequest, now)
    assert.deepEqual(createAnswerVerifier(key, mac).verify(refusal, now), { kind: 'unsigned-error', error })
  }
})

test('what comes back from somebody else: other key, other algorithm, wrong secret, nothing', () => {
  const { mac } = signRequest(message, key, now)
  const verdict = (bytes: Buffer) => createAnswerVerifier(key, mac).verify(bytes, now).kind
  const by = (signer: TsigKey, requestMac = mac) => createAnswerSigner(signer, requestMac).sign(answer(), now)
  assert.equal(verdict(by(key)), 'verified')
  assert.equal(verdict(by(otherName)), 'other-key')
  assert.equal(verdict(by(keyOf('way.post', 'hmac-sha384', Buffer.alloc(48)))), 'other-algorithm')
  assert.equal(verdict(by(otherSecret)), 'bad-signature')
  assert.equal(verdict(by(key, Buffer.alloc(32))), 'bad-signature', 'an answer to another request')
  assert.equal(verdict(answer()), 'unsigned')
})

test('a MAC that is cut: impossible lengths are malformed, possible ones are not enough for us', () => {
  const { bytes } = signRequest(message, key, now)
  const found = findTsig(bytes)
  assert.ok(found.kind === 'tsig')
  const { tsig } = found
  const cutTo = (length: number) => {
    const mac = Buffer.concat([tsig.mac, Buffer.alloc(40)]).subarray(0, length)
    return verifyRequest(appendTsig(message, { ...tsig, mac }), [key], now)
  }
  for (const length of [0, 1, 9, 10, 15, 33, 64]) assert.equal(cutTo(length).kind, 'malformed', `${length}`)
  for (const length of [16, 31]) {
    const cut = cutTo(length)
    assert.ok(cut.kind === 'bad-truncation', `${length}`)
    // RFC 8945 §5.2.4, §5.3.2: signed, and over the MAC as it was sent.
    const refusal = tsigErrorAnswer(answer(), cut, now)
    const verdict = createAnswerVerifier(key, cut.tsig.mac).verify(refusal, now)
    assert.deepEqual(verdict, { kind: 'signed-error', error: tsigErrors.badTrunc })
  }
  assert.equal(cutTo(32).kind, 'verified')
  const wrong = Buffer.alloc(16, 1)
  assert.equal(verifyRequest(appendTsig(message, { ...tsig, mac: wrong }), [key], now).kind, 'bad-signature')
})

test('a forwarded request has another id: the original one is signed, the one it came with is answered', () => {
  const { bytes } = signRequest(message, key, now)
  bytes.writeUInt16BE(0xffff, 0)
  const verified = verifyRequest(bytes, [key], now)
  assert.ok(verified.kind === 'verified')
  assert.equal(verified.message.readUInt16BE(0), 0xffff)
  assert.equal(verified.tsig.originalId, 77)
})

test('TSIG twice, elsewhere, in another class, cut off or too long is malformed', () => {
  const { bytes } = signRequest(message, key, now)
  const found = findTsig(bytes)
  assert.ok(found.kind === 'tsig')
  const record = bytes.subarray(found.start)
  const counted = (whole: Buffer, at: number, change: number) => {
    const copy = Buffer.from(whole)
    copy.writeUInt16BE(copy.readUInt16BE(at) + change, at)
    return copy
  }
  const cases: Record<string, Buffer> = {
    twice: appendTsig(bytes, found.tsig),
    'before another record': counted(
      Buffer.concat([bytes, Buffer.from([0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 2, 1, 65])]),
      10,
      1,
    ),
    'among the answers': counted(counted(appendTsig(answer(), found.tsig), 10, -1), 6, 1),
    'with octets behind it': Buffer.concat([bytes, Buffer.alloc(1)]),
    'cut off': bytes.subarray(0, -1),
    'half a header': bytes.subarray(0, 11),
  }
  const classAt = found.start + key.name.length + 2
  for (const [what, at] of [
    ['class IN', classAt + 1],
    ['a TTL', classAt + 5],
    ['a longer MAC', classAt + 8 + 13 + 9],
  ] as const) {
    const changed = Buffer.from(bytes)
    changed[at] = 1
    cases[what] = changed
  }
  assert.ok(record.length > 60)
  for (const [what, octets] of Object.entries(cases)) {
    assert.equal(findTsig(octets).kind, 'malformed', what)
    assert.equal(verifyRequest(octets, [key], now).kind, 'malformed', what)
  }
  assert.deepEqual(findTsig(message), { kind: 'none' })
})

test('keys from text', () => {
  const field = (...[name, algorithm, secret]: [string, string, string]) => {
    const parsed = parseTsigKey(name, algorithm, secret)
    return parsed.kind === 'invalid' ? parsed.field : 'good'
  }
  const secret = Buffer.alloc(32, 7).toString('base64')
  assert.equal(field('waypost.', 'HMAC-SHA256.', secret), 'good')
  assert.equal(field('waypost', 'hmac-sha512', ` ${secret.slice(0, 9)}\n${secret.slice(9)} `), 'good')
  assert.equal(field('way..post', 'hmac-sha256', secret), 'name')
  for (const algorithm of ['hmac-md5', 'hmac-sha1', 'hmac-md5.sig-alg.reg.int', 'gss-tsig', ''])
    assert.equal(field('waypost', algorithm, secret), 'algorithm')
  for (const wrong of ['', 'not base64!', secret.slice(0, -1), `${secret}=`, 'YQ='])
    assert.equal(field('waypost', 'hmac-sha256', wrong), 'secret')
})

test('a key prints no secret', () => {
  const secret = Buffer.from('hunter2-hunter2-hunter2-hunter2!')
  const own = keyOf('waypost', 'hmac-sha256', secret)
  const printed = `${inspect(own, { depth: 9 })}${JSON.stringify(own)}${own.secret}`
  for (const encoding of ['latin1', 'base64', 'hex'] as const) assert.ok(!printed.includes(secret.toString(encoding)))
})

test('whatever is signed is verified by who has the key, and by nobody else', () => {
  const octets = (least: number, most: number) =>
    fc.uint8Array({ minLength: least, maxLength: most }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(
      fc.constantFrom(...tsigAlgorithms),
      octets(1, 100),
      octets(1, 100),
      fc.nat(0xffff),
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      (algorithm, secret, wrong, id, timeSeconds) => {
        const own = keyOf('k', algorithm, secret)
        const { bytes, mac } = signRequest(
          encodeMessage(query(wire('example.test.'), 15, id, undefined)),
          own,
          timeSeconds,
        )
        const verified = verifyRequest(bytes, [own], timeSeconds)
        assert.ok(verified.kind === 'verified')
        assert.equal(verified.tsig.mac.length, macBytes[algorithm])
        assert.equal(verified.tsig.timeSeconds, timeSeconds)
        // HMAC fills a short secret up with zeros, so that some differ only in text.
        const isSame = secret.toString('hex').replace(/(00)+$/, '') === wrong.toString('hex').replace(/(00)+$/, '')
        if (!isSame)
          assert.equal(verifyRequest(bytes, [keyOf('k', algorithm, wrong)], timeSeconds).kind, 'bad-signature')
        const back = createAnswerSigner(own, mac).sign(answer(id), timeSeconds)
        assert.equal(createAnswerVerifier(own, mac).verify(back, timeSeconds).kind, 'verified')
      },
    ),
    { numRuns: 200 },
  )
})
