/** What docs/backends/README.md says to set at Postfix and Dovecot, taken from there, with our address in the place of 10.0.0.5 and theirs in that of 10.0.0.11. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startDovecot } from './harness/dovecot.ts'
import { countMaildir } from './harness/maildir.ts'
import { startPostfix } from './harness/postfix.ts'

const page = await readFile(new URL('../../docs/backends/README.md', import.meta.url), 'utf8')

/** The first block of a section that begins with these words. */
function recipe(beginning: string): string {
  const block = page.split('```\n').find((each) => each.startsWith(beginning))
  assert.ok(block, `a block that begins with ${beginning}`)
  return block
}

const client = '127.0.0.1'

test('Postfix: Waypost is exempt from what is held against clients, and may not relay; unknown recipients are refused', async (t) => {
  const lab = await startLab(t)
  const map = join(lab.folder, 'waypost.cidr')
  await writeFile(map, recipe('10.0.0.5/32').replaceAll('10.0.0.5', client))
  const settings = recipe('# Not 10.0.0.5')
    .split('\n')
    .filter((line) => line.includes(' = '))
    .map((line) => line.split(' = ') as [string, string])
  const main: Record<string, string> = {
    // What would turn every stranger away: behind the recipe, as the page says.
    ...Object.fromEntries(['client', 'helo', 'sender'].map((of) => [`smtpd_${of}_restrictions`, 'reject'])),
    smtpd_client_connection_count_limit: '1',
    smtpd_client_message_rate_limit: '1',
  }
  for (const [name, value] of settings) {
    const ours = value.replaceAll('10.0.0.5', client).replace('/etc/postfix/waypost.cidr', map)
    main[name] = name.endsWith('_restrictions') && !name.includes('relay') ? `${ours}, reject` : ours
  }
  // On one machine ours would be among those that may relay.
  main.mynetworks = '127.0.0.2/32'
  const postfix = await startPostfix(lab, { main })
  await lab.gateway({ deliver: postfix.url })

  const [one, other] = [await lab.connect(), await lab.connect()]
  for (const sender of [one, other]) {
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    await sender.command('RCPT TO:<you@example.test>', 250)
  }
  // Both have a session of the backend's, over which a message goes after the other.
  for (const sender of [one, other]) {
    await sender.command('DATA', 354)
    await sender.write('Subject: hello\r\n\r\nhello\r\n.\r\n')
    await sender.expect(250)
  }
  const unknown = await lab.send({ to: 'nobody@example.test' })
  assert.deepEqual([unknown.code, unknown.enhanced], [550, '5.1.1'])
  await lab.until(async () => (await countMaildir(postfix.maildir('you'))) === 2)

  // Who knows the way around us comes no further than we.
  const direct = await lab.connect({ address: postfix.address, port: postfix.port })
  await direct.expect(220)
  await direct.command('EHLO sender.test', 250)
  await direct.command('MAIL FROM:<a@sender.test>', 250)
  await direct.command('RCPT TO:<victim@second.test>', 554)
})

test('Dovecot takes mail at the listener of the recipe', async (t) => {
  const lab = await startLab(t)
  const dovecot = await startDovecot(lab, ['you'], (address, port) =>
    recipe('protocols = ')
      .replace('imap lmtp', 'lmtp')
      .replace('10.0.0.11', address)
      .replace('port = 24', `port = ${port}`),
  )
  await lab.gateway({ deliver: dovecot.url })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  const unknown = await lab.send({ to: 'nobody@example.test' })
  assert.deepEqual([unknown.code, unknown.enhanced], [550, '5.1.1'])
})
