/** The faultless domain with other demands on TLS: MTA-STS in another mode or absent, other TLSA records or none. */
import type { Facts } from '../../src/checks/facts.ts'
import type { RdataOf } from '../../src/dns/rdata.ts'
import { changeExchanger } from './facts/change.ts'
import { wire } from './facts/names.ts'
import { answer, noSuchName } from './facts/views.ts'

export interface Demands {
  readonly sts: 'enforce' | 'testing' | 'none' | 'absent'
  /** Of the first exchanger; those of the others are taken away. */
  readonly tlsa: readonly RdataOf<'TLSA'>[] | 'absent'
}

export function demanding(facts: Facts, { sts, tlsa }: Demands): Facts {
  return withTlsa(withSts(facts, sts), tlsa)
}

function withSts(facts: Facts, mode: Demands['sts']): Facts {
  const { mtaSts } = facts
  if (mode === 'absent') return { ...facts, mtaSts: { ...mtaSts, txt: noSuchName('_mta-sts.example.com') } }
  if (mtaSts.https.kind !== 'response') throw new Error('the facts have no policy')
  const body = Buffer.from(mtaSts.https.body.toString('latin1').replace('enforce', mode))
  return { ...facts, mtaSts: { ...mtaSts, https: { ...mtaSts.https, body } } }
}

function withTlsa(facts: Facts, tlsa: Demands['tlsa']): Facts {
  return facts.exchangers.reduce((changed, _, index) => {
    const name = `mx${index + 1}.example.com`
    const owner = `_25._tcp.${name}`
    const view = tlsa === 'absent' || index > 0 ? noSuchName(owner) : answer(owner, tlsa)
    return changeExchanger(changed, index, { tlsa: [{ base: wire(name), place: 'target', view }] })
  }, facts)
}

/** Nothing demands TLS. */
export const opportunistic = (facts: Facts): Facts => demanding(facts, { sts: 'absent', tlsa: 'absent' })
