/**
 * Judges secrets that somebody says: the right one of whom? Slow by design (scrypt), so what was right is remembered as long as it is used, and few are judged
 * at once. Who guesses is soon not listened to: wrong ones are counted by name and address, so that a program with an old token does not lock out its neighbours
 * on this machine, and by address over all names, and both by network. No network has more than half of the places where one waits to be judged, and names that
 * are not declared have half of them, behind those that are: so nobody who has many addresses keeps out who knows a secret. What is remembered, a cookie, and the link of `waypost web link` come in all the same. Called by `identify.ts`
 * and the login.
 */
import { createHash } from 'node:crypto'
import { BoundedMap } from '../../base/bounded-map.ts'
import type { Clock } from '../../base/clock.ts'
import { clientKey, type IpAddress, networkKey } from '../../base/ip.ts'
import { createKeyedBudget, createRateCounter } from '../../base/limits.ts'
import type { Credential } from './credential.ts'
import { isSecretOf, nobodysHash } from './secret-hash.ts'

export type Judged =
  | { readonly kind: 'right'; readonly access: Credential }
  | { readonly kind: 'wrong' }
  /** Too many wrong ones within a minute: for this name from there, or from there for all names. */
  | { readonly kind: 'too-often' }
  /** More are being judged than we care to. */
  | { readonly kind: 'busy' }

export interface Secrets {
  /** @param from  who says it */
  judge(name: string, secret: string, from: IpAddress): Promise<Judged>
}

interface Waiting {
  readonly network: string
  readonly go: () => void
}

const wrongOfNameAMinute = 10
const wrongOfAllAMinute = 60
/** As `connectionRate` has it: a /24 or /48 may do what four of its addresses may. */
const addressesOfNetwork = 4
const atOnce = 2
const mostWaiting = 20
const mostWaitingOfNetwork = 10
/** Under load it may be seen that a name is none; that a right secret waits for guesses would be worse. */
const mostWaitingUndeclared = 10
/** After the last use. A program that comes now and then is not judged anew while somebody guesses. */
const rememberedMs = 12 * 60 * 60_000
const mostRemembered = 1000
const longestSecret = 1024

/** @param isIt  for tests: scrypt takes its time */
export function createSecrets(clock: Clock, access: () => readonly Credential[], isIt = isSecretOf): Secrets {
  const wrong = createRateCounter(clock, 60_000)
  // Counted while they are judged too, so that many at once are no way around the limit.
  const judgedNow = createKeyedBudget(() => Number.POSITIVE_INFINITY)
  /** When each was last used. */
  const right = new BoundedMap<string, number>(mostRemembered)
  const declared: Waiting[] = []
  const undeclared: Waiting[] = []
  let judging = 0

  async function isRight(secret: string, entry: Credential | undefined, network: string): Promise<boolean> {
    const queue = entry ? declared : undeclared
    if (judging >= atOnce) await new Promise<void>((go) => queue.push({ network, go }))
    else judging++
    try {
      const isRight = await isIt(secret, entry?.hash ?? nobodysHash)
      return isRight && entry !== undefined
    } finally {
      // Its place goes to the next, who does not count anew.
      const next = declared.shift() ?? undeclared.shift()
      if (next) next.go()
      else judging--
    }
  }

  function isBusy(network: string, entry: Credential | undefined): boolean {
    if (judging < atOnce) return false
    if (!entry && undeclared.length >= mostWaitingUndeclared) return true
    const ofNetwork = [...declared, ...undeclared].filter((each) => each.network === network).length
    return declared.length + undeclared.length >= mostWaiting || ofNetwork >= mostWaitingOfNetwork
  }

  const isOver = (key: string, most: number) => wrong.recent(key) + judgedNow.used(key) >= most

  function isRemembered(key: string): boolean {
    const usedMs = right.get(key)
    right.delete(key)
    if (usedMs === undefined || clock.monotonicMs() - usedMs > rememberedMs) return false
    right.set(key, clock.monotonicMs())
    return true
  }

  return {
    async judge(name, secret, from) {
      const entry = access().find((each) => each.name === name)
      // Bound to the hash, so that a secret that was changed is forgotten with it.
      const key = createHash('sha256')
        .update(`${entry?.hash.key ?? ''} ${secret}`)
        .digest('base64')
      if (entry && isRemembered(key)) return { kind: 'right', access: entry }
      const [client, network] = [clientKey(from), networkKey(from)]
      // Whether there is such a name makes no difference, or who guesses names would learn them.
      const limits: readonly (readonly [counted: string, most: number])[] = [
        [`${client} ${name}`, wrongOfNameAMinute],
        [client, wrongOfAllAMinute],
        [`network ${network} ${name}`, wrongOfNameAMinute * addressesOfNetwork],
        [`network ${network}`, wrongOfAllAMinute * addressesOfNetwork],
      ]
      if (limits.some(([counted, most]) => isOver(counted, most))) return { kind: 'too-often' }
      if (isBusy(network, entry)) return { kind: 'busy' }
      for (const [counted] of limits) judgedNow.take(counted, 1)
      try {
        if (secret.length <= longestSecret && (await isRight(secret, entry, network)) && entry) {
          right.set(key, clock.monotonicMs())
          return { kind: 'right', access: entry }
        }
        for (const [counted] of limits) wrong.count(counted)
        return { kind: 'wrong' }
      } finally {
        for (const [counted] of limits) judgedNow.give(counted, 1)
      }
    },
  }
}
