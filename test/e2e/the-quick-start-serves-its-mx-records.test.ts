/** What `npm start` runs, at other addresses: its domain's MX records come from the built-in server, and plan and apply work on them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { rdataText } from '../../src/dns/rdata-text.ts'
import { createTransport } from '../../src/dns/transport.ts'
import { typeCodes } from '../../src/dns/types.ts'
import { askServer } from '../../src/publish/sets/ask-server.ts'
import { startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'
import { labAddress, labName } from '../lab/names.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const waypost = (...words: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
    execFile(join(root, 'bin/waypost'), words, { timeout: 120_000 }, (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    )
  })

test('the quick start serves its MX records; apply changes them while it runs', async (t) => {
  const lab = await startLab(t)
  const address = freeAddress()
  const port = await freePort(address)
  const text = (await readFile(join(root, 'examples/quickstart/waypost.yaml'), 'utf8'))
    .replaceAll('127.0.0.1:2525', 'LISTEN')
    .replaceAll('127.0.0.1:8053', `${address}:${port}`)
    .replace('../../data/state', join(lab.folder, 'state'))
    .replace('../../data/mail.log', join(lab.folder, 'made/mail.log'))
    .replace('../../data/example.test', join(lab.folder, 'mail'))
  const gateway = await lab.process({ config: text })
  await lab.until(() => gateway.stdout.includes('DNS for its zones'))
  const transport = createTransport({ clock: systemClock, random: systemRandom, door: systemDoor })
  lab.atEnd(() => transport.close())
  const mx = async () => {
    const set = { name: labName('example.test'), code: typeCodes.MX }
    const said = await askServer(transport, { address: labAddress(address), port }, set, 30_000)
    assert.ok(said.kind === 'set', JSON.stringify(said))
    return said.content?.data.map(rdataText)
  }
  assert.deepEqual(await mx(), ['10 waypost.example.test.'])
  assert.match(gateway.stdout, new RegExp(`DNS for its zones: ${address}:${port}`))

  assert.equal(
    (
      await waypost(
        'send',
        '--to',
        'you@example.test',
        '--server',
        `${gateway.address}:${gateway.port}`,
        '--body',
        'hello',
      )
    ).code,
    0,
  )
  await lab.until(() => gateway.lines.some(({ event }) => event === 'delivered'))
  const { id } = gateway.lines.find(({ event }) => event === 'delivered') ?? {}
  assert.match((await waypost('trace', String(id), '-c', gateway.configFile)).stdout, /took it while the sender waited/)

  const command = (...words: string[]) => waypost(...words, '-c', gateway.configFile, '--no-smtp')
  const same = await command('plan')
  assert.equal(same.code, 0, same.stdout + same.stderr)
  await gateway.configure(text.replace('preference: 10', 'preference: 20'))
  assert.equal((await command('plan')).code, 3)
  const unasked = await command('apply')
  assert.equal(unasked.code, 2)
  assert.match(unasked.stderr, /there is nobody to ask, so say --yes/)
  assert.deepEqual(await mx(), ['10 waypost.example.test.'])
  const applied = await command('apply', '--yes')
  assert.equal(applied.code, 0, applied.stdout + applied.stderr)
  assert.deepEqual(await mx(), ['20 waypost.example.test.'])
  assert.equal((await command('plan')).code, 0)

  await gateway.configure(text.replace(/exchangers:[^\n]*\n[^\n]*\n/, 'exchangers: none\n'))
  const foreseen = await command('plan')
  assert.equal(foreseen.code, 3, foreseen.stdout + foreseen.stderr)
  assert.match(
    foreseen.stdout,
    /"waypost apply" refuses this \(null-mx\), and does it all the same with --allow null-mx\n$/,
  )
  assert.match(
    foreseen.stderr,
    /^waypost: "exchangers: none" tells senders that example\.test takes no mail .*"deliver:"\n/m,
  )
  const refused = await command('apply', '--yes')
  assert.equal(refused.code, 1, refused.stdout + refused.stderr)
  assert.match(refused.stdout, /refused: example\.test takes mail at waypost\.example\.test and would take none/)
  assert.deepEqual(await mx(), ['20 waypost.example.test.'])
  assert.equal((await command('apply', '--yes', '--allow', 'null-mx')).code, 0)
  assert.deepEqual(await mx(), ['0 .'])
})
