import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { type IpAddress, ipBytes } from '../../base/ip.ts'
import { createCookies } from './cookies.ts'
import { sipHash24 } from './siphash.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

/** @param seconds  since 1970 */
const at = (seconds: number) => ({ ...createFakeClock(), now: () => seconds * 1000 })

test('the vectors of RFC 9018, appendix A', () => {
  const secret = hex('e5e973e5a6b2a43f48e7dc849e37bfcf')
  const four = ipBytes('198.51.100.100' as IpAddress)
  const learnt = createCookies([secret], at(0x5cf79f11)).judge(hex('2464c4abcf10c957'), four)
  assert.deepEqual(learnt, { isGood: false, answer: hex('2464c4abcf10c957010000005cf79f111f8130c3eee29480') })

  const renewed = createCookies([secret], at(0x5cf7a871)).judge(learnt.answer, four)
  assert.deepEqual(renewed, { isGood: true, answer: hex('2464c4abcf10c957010000005cf7a871d4a564a1442aca77') })

  const another = createCookies([secret], at(0x5cf7a9ac)).judge(
    hex('fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5'),
    ipBytes('203.0.113.203' as IpAddress),
  )
  // The reserved octets are not zero, and it is good all the same; it is 6,715 s old there, so only its form is looked at here.
  assert.deepEqual(another.answer, hex('fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e'))

  const rolled = createCookies(
    [hex('445536bcd2513298075a5d379663c962'), hex('dd3bdf9344b678b185a6f5cb60fca715')],
    at(0x5cf7c609),
  )
  const six = ipBytes('2001:db8:220:1:59de:d0f4:8769:82b8' as IpAddress)
  const old = rolled.judge(hex('22681ab97d52c298010000005cf7c57926556bd0934c72f8'), six)
  assert.deepEqual(old, { isGood: true, answer: hex('22681ab97d52c298010000005cf7c609a6bb79d16625507a') })
})

test('reserved octets are taken as they come', () => {
  const secret = hex('e5e973e5a6b2a43f48e7dc849e37bfcf')
  const cookie = hex('fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5')
  const judged = createCookies([secret], at(0x5cf78f71)).judge(cookie, ipBytes('203.0.113.203' as IpAddress))
  assert.deepEqual(judged, { isGood: true, answer: cookie })
})

test('a cookie is good for an hour, five minutes ahead, and for one address', () => {
  const secret = hex('00112233445566778899aabbccddeeff')
  const own = ipBytes('192.0.2.1' as IpAddress)
  const start = 1_700_000_000
  const { answer } = createCookies([secret], at(start)).judge(hex('0102030405060708'), own)
  const isGood = (seconds: number, address = own) => createCookies([secret], at(seconds)).judge(answer, address).isGood
  assert.deepEqual(
    [-301, -300, 0, 3600, 3601].map((later) => isGood(start + later)),
    [false, true, true, true, false],
  )
  assert.equal(isGood(start, ipBytes('192.0.2.2' as IpAddress)), false)
  for (let bit = 0; bit < answer.length * 8; bit++) {
    const bent = Buffer.from(answer)
    bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(createCookies([secret], at(start)).judge(bent, own).isGood, false, `bit ${bit}`)
  }
  assert.throws(() => createCookies([hex('00')], at(start)), RangeError)
})

test('SipHash-2-4 as its authors give it', () => {
  const key = Buffer.from(Array.from({ length: 16 }, (_, index) => index))
  const message = (length: number) => Buffer.from(Array.from({ length }, (_, index) => index))
  assert.equal(sipHash24(key, message(0)).toString('hex'), '310e0edd47db6f72')
  assert.equal(sipHash24(key, message(1)).toString('hex'), 'fd67dc93c539f874')
  assert.equal(sipHash24(key, message(15)).toString('hex'), 'e545be4961ca29a1')
})
