/** The example in docs/check.md: its commands are run, at other addresses, and show what it says that they show. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const quickstart = 'examples/quickstart/waypost.yaml'
const copy = 'data/tour/waypost.yaml'

/** Spaces are as wide as the terminal has them, and times, counts of questions and made-up names are never the same. */
const compared = (text: string) =>
  text
    .replace(/waypost-[0-9a-f]{12}/g, 'waypost-made-up')
    .replace(/; \d{4}-.*? connections?$/gm, '; …, so long')
    .replace(/\s+/g, ' ')

test('who follows the example of a check sees what it shows', async (t) => {
  const page = await readFile(join(root, 'docs/check.md'), 'utf8')
  const section = /^## Try it on this machine\n[\s\S]*?(?=^## )/m.exec(page)?.[0] ?? assert.fail('the example is gone')
  const [start, check, shown, again, then] = [...section.matchAll(/^```(?:sh)?\n([\s\S]*?)^```$/gm)].map(
    ([, block = '']) => block,
  )
  assert.equal(start, `mkdir -p data/tour\ncp ${quickstart} data/tour/\nbin/waypost serve -c ${copy} --log pretty\n`)

  const lab = await startLab(t)
  const address = freeAddress()
  const [smtp, dns] = [await freePort(address), await freePort(address)]
  const config = (await readFile(join(root, quickstart), 'utf8'))
    .replaceAll('127.0.0.1:2525', `[LISTEN, "${address}:${smtp}"]`)
    .replaceAll('127.0.0.1:8053', `${address}:${dns}`)
    .replaceAll('addresses: [127.0.0.1]', `addresses: [${address}]`)
    .replaceAll('../../data', join(lab.folder, 'data'))
  const gateway = await lab.process({ config: config.replace('listen: {', 'listen: { http: off,') })
  await lab.until(() => gateway.stdout.includes('DNS for its zones'))
  await mkdir(join(lab.folder, 'data'), { recursive: true })

  const run = (commands = '') => {
    const here = commands
      .replaceAll('127.0.0.1', address)
      .replaceAll(':8053', `:${dns}`)
      .replaceAll('--dns-port 8053', `--dns-port ${dns}`)
      .replaceAll('--smtp-port 2525', `--smtp-port ${smtp}`)
      .replaceAll('data/root.hints', join(lab.folder, 'data/root.hints'))
      .replaceAll(copy, gateway.configFile)
    return new Promise<{ readonly code: number; readonly text: string }>((done) => {
      execFile('sh', ['-c', here], { cwd: root, timeout: 180_000 }, (error, stdout, stderr) => {
        const text = `${stdout}${stderr}`
          .replaceAll(address, '127.0.0.1')
          .replaceAll(`port ${smtp}`, 'port 2525')
          .replaceAll(address.replace(/\d+$/, '0/24'), '127.0.0.0/24')
        done({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, text })
      })
    })
  }
  const isShown = (said: string, promised = '') => {
    let from = 0
    for (const part of promised.split(/^…$/m).map((each) => compared(each).trim())) {
      const at = compared(said).indexOf(part, from)
      assert.ok(at >= 0, `not shown: ${part}\n\nbut\n${said}`)
      from = at + part.length
    }
  }

  const first = await run(check)
  assert.equal(first.code, 1, first.text)
  isShown(first.text, shown)

  assert.match(section, /`recipients: \[you\]` in place of `recipients: any`/)
  await gateway.configure(
    config.replace('listen: {', 'listen: { http: off,').replace('recipients: any', 'recipients: [you]'),
  )
  const second = await run(again)
  assert.equal(second.code, 0, second.text)
  isShown(second.text, then)
})
