/** Sends the oracle's messages through the lab's gateway and tells it what was heard. */
import type { Random } from '../../src/base/random.ts'
import type { Lab } from './lab.ts'
import type { Numbered, Oracle } from './oracle.ts'

/** @returns what was heard; 0 where the connection ended without a word */
export async function sendNumbered(lab: Lab, oracle: Oracle, message: Numbered, from?: string): Promise<number> {
  const sent = await lab
    .send({
      to: message.to,
      message: message.content,
      mailParameters: 'BODY=8BITMIME',
      waitMs: 60_000,
      ...(from === undefined ? {} : { from }),
    })
    .catch(() => undefined)
  if (sent && sent.code >= 200) oracle.heard(message, sent.code)
  if (sent === undefined || (sent.code === 0 && sent.step === 'dot')) oracle.unheard(message)
  return sent?.code ?? 0
}

/** So many, one after the other. @returns what each heard */
export async function sendMany(
  lab: Lab,
  oracle: Oracle,
  count: number,
  random: Random,
  words: { readonly to?: string; readonly size?: number; readonly from?: string } = {},
): Promise<number[]> {
  const codes: number[] = []
  for (let number = 0; number < count; number++) {
    const to = words.to ?? `user${number}@example.test`
    codes.push(await sendNumbered(lab, oracle, oracle.next([to], words.size ?? 900, random), words.from))
  }
  return codes
}
