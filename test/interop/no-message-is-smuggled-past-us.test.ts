/**
 * SMTP smuggling (CVE-2023-51764, -51765, -51766): a message that holds what some server takes for the end of data and then a second
 * transaction. The backend is a Postfix with its protection off; each form goes uncut, and cut once at every octet inside it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Lab, startLab } from '../lab/lab.ts'
import { countMaildir, readMaildir } from './harness/maildir.ts'
import { startPostfix } from './harness/postfix.ts'

const unprotected = { smtpd_forbid_bare_newline: 'no', smtpd_forbid_unauth_pipelining: 'no' }

/** Between two lines of text: everything near an end of data that is not the one end. */
const forms = [
  '\n.\r\n',
  '\r\n.\n',
  '\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\n.\r',
  '\r.\n',
  '\r\r\n.\r\r\n',
  '\r\n.\r\r\n',
  '\n\r.\r\n',
  '\r\n\n.\r\n',
  '\n..\r\n',
  '\r\n..\n',
  '\n..\n',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\0\n.\r\n',
  '\n\n.\n\n',
]

const inner =
  'MAIL FROM:<smuggler@sender.test>\r\nRCPT TO:<you@example.test>\r\nDATA\r\nSubject: inner\r\n\r\ninner\r\n.\r\n'
const outer = 'Subject: outer\r\n\r\nouter'

/** @returns the codes that the sender heard to all that it wrote behind 354, QUIT's left out */
async function smuggle(lab: Lab, via: { address: string; port: number }, form: string, cut: number): Promise<number[]> {
  const sender = await lab.connect({ address: via.address, port: via.port })
  await sender.hello()
  await sender.untilData('outer@sender.test', 'you@example.test')
  await sender.writeCut(`${outer}${form}${inner}`, cut > 0 ? [outer.length + cut] : [])
  const codes = [(await sender.reply()).code]
  await sender.write('QUIT\r\n')
  for (let heard = await sender.nextReply(); heard && heard.code !== 221; heard = await sender.nextReply())
    codes.push(heard.code)
  sender.destroy()
  return codes
}

test('Postfix by itself takes two messages for one', async (t) => {
  const lab = await startLab(t)
  const postfix = await startPostfix(lab, { main: unprotected })
  await smuggle(lab, postfix, '\n.\r\n', 0)
  await lab.until(async () => (await countMaildir(postfix.maildir('you'))) === 2)
})

test('through the gateway each form is one message or none, wherever it is cut', async (t) => {
  const lab = await startLab(t)
  const postfix = await startPostfix(lab, { main: unprotected })
  const gateway = await lab.gateway({ deliver: postfix.url, limits: { errors: 1000, refusedPerMinute: 1000 } })
  let taken = 0
  for (const form of forms) {
    for (let cut = 0; cut < form.length; cut++) {
      const codes = await smuggle(lab, gateway, form, cut)
      assert.equal(codes.length, 1, `${JSON.stringify(form)} cut at ${cut} was answered ${codes}`)
      assert.ok(codes[0] === 250 || codes[0] === 554, `${JSON.stringify(form)} cut at ${cut}: ${codes}`)
      if (codes[0] === 250) taken++
    }
  }
  // Bare LF is repaired, so some are taken: one message each, with the other one as its text.
  assert.ok(taken > 0)
  await lab.until(async () => (await countMaildir(postfix.maildir('you'))) >= taken)
  await lab.until(async () => (await postfix.queued()) === 0)
  const delivered = (await readMaildir(postfix.maildir('you'))).map(String)
  assert.equal(delivered.length, taken)
  for (const message of delivered) assert.match(message, /^Return-Path: <outer@sender\.test>/m)
})
