/**
 * SipHash-2-4 with an output of 64 bits (Aumasson and Bernstein, 2012), which DNS cookies are made with (RFC 9018 §4.4). In halves of
 * 32 bits: BigInt costs twenty times as much.
 */

/** @param key  16 octets. @returns 8 octets, the least significant first, as RFC 9018 wants them */
export function sipHash24(key: Uint8Array, message: Uint8Array): Buffer {
  const state = new State(key)
  const { length } = message
  const whole = length - (length % 8)
  for (let at = 0; at < whole; at += 8) state.compress(word(message, at), word(message, at + 4))
  const tail = new Uint8Array(8)
  tail.set(message.subarray(whole))
  tail[7] = length & 255
  state.compress(word(tail, 0), word(tail, 4))
  return state.finish()
}

function word(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
  return a | (b << 8) | (c << 16) | (d << 24)
}

/** v0 to v3, each as its lower and its upper half. */
class State {
  #v0l: number
  #v0h: number
  #v1l: number
  #v1h: number
  #v2l: number
  #v2h: number
  #v3l: number
  #v3h: number

  constructor(key: Uint8Array) {
    const [k0l, k0h, k1l, k1h] = [word(key, 0), word(key, 4), word(key, 8), word(key, 12)]
    this.#v0l = k0l ^ 0x70736575
    this.#v0h = k0h ^ 0x736f6d65
    this.#v1l = k1l ^ 0x6e646f6d
    this.#v1h = k1h ^ 0x646f7261
    this.#v2l = k0l ^ 0x6e657261
    this.#v2h = k0h ^ 0x6c796765
    this.#v3l = k1l ^ 0x79746573
    this.#v3h = k1h ^ 0x74656462
  }

  compress(low: number, high: number): void {
    this.#v3l ^= low
    this.#v3h ^= high
    this.#round()
    this.#round()
    this.#v0l ^= low
    this.#v0h ^= high
  }

  finish(): Buffer {
    this.#v2l ^= 0xff
    for (let round = 0; round < 4; round++) this.#round()
    const hash = Buffer.allocUnsafe(8)
    hash.writeInt32LE(this.#v0l ^ this.#v1l ^ this.#v2l ^ this.#v3l, 0)
    hash.writeInt32LE(this.#v0h ^ this.#v1h ^ this.#v2h ^ this.#v3h, 4)
    return hash
  }

  #round(): void {
    let [v0l, v0h, v1l, v1h] = [this.#v0l, this.#v0h, this.#v1l, this.#v1h]
    let [v2l, v2h, v3l, v3h] = [this.#v2l, this.#v2h, this.#v3l, this.#v3h]
    let low = 0
    let swap = 0

    // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
    low = (v0l >>> 0) + (v1l >>> 0)
    v0h = (v0h + v1h + (low > 0xffffffff ? 1 : 0)) | 0
    v0l = low | 0
    swap = (v1l << 13) | (v1h >>> 19)
    v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
    v1l = swap ^ v0l
    swap = v0l
    v0l = v0h
    v0h = swap
    // v2 += v3; v3 <<<= 16; v3 ^= v2
    low = (v2l >>> 0) + (v3l >>> 0)
    v2h = (v2h + v3h + (low > 0xffffffff ? 1 : 0)) | 0
    v2l = low | 0
    swap = (v3l << 16) | (v3h >>> 16)
    v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
    v3l = swap ^ v2l
    // v0 += v3; v3 <<<= 21; v3 ^= v0
    low = (v0l >>> 0) + (v3l >>> 0)
    v0h = (v0h + v3h + (low > 0xffffffff ? 1 : 0)) | 0
    v0l = low | 0
    swap = (v3l << 21) | (v3h >>> 11)
    v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
    v3l = swap ^ v0l
    // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
    low = (v2l >>> 0) + (v1l >>> 0)
    v2h = (v2h + v1h + (low > 0xffffffff ? 1 : 0)) | 0
    v2l = low | 0
    swap = (v1l << 17) | (v1h >>> 15)
    v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
    v1l = swap ^ v2l
    swap = v2l
    v2l = v2h
    v2h = swap

    this.#v0l = v0l
    this.#v0h = v0h
    this.#v1l = v1l
    this.#v1h = v1h
    this.#v2l = v2l
    this.#v2h = v2h
    this.#v3l = v3l
    this.#v3h = v3h
  }
}
