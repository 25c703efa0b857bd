/** Equal lists are one route, but what a domain says of its recipients and of the hold is its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import type { DomainWords } from '../lab/settings.ts'
import type { BackendWords } from '../lab/words.ts'

/** Two domains with one list: what each says of its own. */
async function stage(
  lab: Lab,
  one: Omit<DomainWords, 'deliver'>,
  other: Omit<DomainWords, 'deliver'>,
  words: BackendWords = {},
) {
  const backend = await lab.backend(words)
  const deliver = [backend]
  const domains = { 'one.test': { deliver, ...one }, 'other.test': { deliver, ...other } }
  return { backend, gateway: await lab.gateway({ domains }) }
}

const codes = ({ recipients }: { readonly recipients: readonly { readonly code: number }[] }) =>
  recipients.map(({ code }) => code)

for (const pipelined of [false, true]) {
  const how = pipelined ? 'in one group' : 'one by one'

  test(`alike in all, asked for ${how}: one message for both domains`, async (t) => {
    const lab = await startLab(t)
    const { backend } = await stage(lab, { hold: {} }, { hold: {}, recipients: 'any' })
    const to = ['a@one.test', 'b@other.test', 'c@one.test']
    const sent = await lab.send({ to, pipelined })
    assert.deepEqual([sent.code, codes(sent)], [250, [250, 250, 250]])
    assert.deepEqual(
      backend.messages.map((message) => message.to),
      [to],
    )
  })

  test(`LMTP, the one is not held and the other is, asked for ${how}: two transactions, each with its own answer`, async (t) => {
    const lab = await startLab(t)
    const { backend } = await stage(
      lab,
      {},
      { hold: {} },
      { protocol: 'lmtp', afterDot: ({ asked }) => (asked === 'full@other.test' ? '450 4.2.2 full' : undefined) },
    )
    const both = await lab.send({ to: ['a@one.test', 'full@other.test'], pipelined })
    assert.deepEqual([both.code, codes(both)], [250, [250, 452]])
    const alone = await lab.send({ to: 'full@other.test', pipelined })
    assert.equal(alone.code, 450)
    assert.deepEqual(
      backend.messages.map((message) => message.to),
      [['a@one.test'], ['full@other.test']],
    )
  })

  test(`the backend is away, and any recipient of the first domain is good, asked for ${how}: the other's are not`, async (t) => {
    const lab = await startLab(t)
    const { backend, gateway } = await stage(
      lab,
      { hold: {}, recipients: 'any' },
      { hold: {} },
      { rcpt: (to) => (to.startsWith('bad') ? '550 5.1.1 no such user' : undefined) },
    )
    assert.equal((await lab.send({ to: 'bad@other.test' })).code, 550)
    await backend.kill()
    const strangers = Array.from({ length: 21 }, (_, number) => `stranger${number}@other.test`)
    const sent = await lab.send({ to: ['any@one.test', 'bad@other.test', ...strangers], pipelined })
    assert.deepEqual(codes(sent), [250, 550, ...Array(20).fill(250), 450])
    assert.equal(gateway.held(), 1)
  })

  test(`the backend is away, strangers are kept for one domain and deferred for the other, asked for ${how}`, async (t) => {
    const lab = await startLab(t)
    const { backend } = await stage(lab, { hold: {} }, { hold: { unknownRecipients: 'defer' } })
    await backend.kill()
    const sent = await lab.send({ to: ['stranger@one.test', 'stranger@other.test'], pipelined })
    assert.deepEqual(codes(sent), [250, 451])
    const turned = await lab.send({ to: ['stranger@other.test', 'stranger@one.test'], pipelined })
    assert.deepEqual(codes(turned), [451, 250])
  })
}

for (const first of ['one.test', 'other.test'])
  test(`what was held for both is refused, ${first} declared first: each domain says whether its sender hears of it`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ afterDot: '554 5.6.0 not this' })
    const deliver = [backend]
    const wishes = { 'one.test': 'keep', 'other.test': 'dsn' } as const
    const declared = Object.entries(wishes).map(([name, refusedAfterHold]) => [
      name,
      { deliver, hold: { refusedAfterHold } },
    ])
    if (first !== 'one.test') declared.reverse()
    const gateway = await lab.gateway({ domains: Object.fromEntries(declared) })
    await backend.kill()
    for (const to of ['a@one.test', 'b@other.test']) assert.equal((await lab.send({ to })).code, 250)
    await backend.restart()
    await lab.until(() => gateway.find('refused after hold').length === 2)
    const told = gateway.find('refused after hold').map(({ fields }) => [fields.to, fields.told])
    assert.deepEqual(Object.fromEntries(told), { 'a@one.test': false, 'b@other.test': true })
  })

for (const first of ['one.test', 'other.test'])
  test(`what was held for both arrives, ${first} declared first: each domain says to whom the success that was asked for is told`, async (t) => {
    const lab = await startLab(t)
    const [backend, home] = [await lab.backend(), await lab.backend()]
    const deliver = [backend]
    const declared = Object.entries({ 'one.test': 'proven', 'other.test': 'dsn' } as const).map(
      ([name, refusedAfterHold]) => [name, { deliver, hold: { refusedAfterHold } }],
    )
    if (first !== 'one.test') declared.reverse()
    // Nobody proves anything here: no name server says who may send.
    const gateway = await lab.gateway(
      { domains: Object.fromEntries(declared), outbound: { via: home } },
      { clock: createFastClock(20) },
    )
    await backend.kill()
    for (const to of ['a@one.test', 'b@other.test']) {
      const sender = await lab.connect()
      await sender.hello()
      await sender.command('MAIL FROM:<joe@sender.test>', 250)
      await sender.command(`RCPT TO:<${to}> NOTIFY=SUCCESS`, 250)
      await sender.command('DATA', 354)
      await sender.command('Subject: asked\r\n\r\n.', 250)
      await sender.quit()
    }
    await backend.restart()
    await lab.until(() => backend.messages.length === 2 && home.messages.length === 1)
    assert.match(String(home.messages[0]?.content), /Final-Recipient: rfc822; b@other\.test/)
    await lab.until(() => gateway.held() === 0)
    assert.equal(home.messages.length, 1)
  })
