/** While the mailbox server is down, its mail is found, read and, when the server is back, sent on from the page; what is hostile in it does nothing. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { linkInto } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'
import { takePictures, useBrowser } from './browser.ts'

const { visit } = useBrowser()

test('a held message is found, read, retried, and its HTML asks nobody for anything', {
  timeout: 300_000,
}, async (t) => {
  const lab = await startLab(t, 280_000)
  // Whoever is asked for anything by the message.
  const hits: string[] = []
  const elsewhere = createServer((request, response) => {
    hits.push(request.url ?? '')
    response.end()
  })
  await new Promise<void>((done) => void elsewhere.listen(0, '127.0.0.1', done))
  lab.atEnd(() => new Promise((done) => elsewhere.close(done)))
  const evil = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`

  const backend = await lab.backend()
  const waypost = await lab.process({
    dashboard: true,
    config: { domains: { 'example.test': { deliver: [backend.url] } } },
  })
  await backend.kill()
  await lab.send({
    to: 'bob@example.test',
    from: 'carol@sender.test',
    body: 'Subject: another\r\n\r\nnot this one\r\n',
  })
  await lab.send({ to: 'you@example.test', from: 'ann@partner.example', message: message(evil) })

  const { page, asked, complaints, close } = await visit()
  lab.atEnd(close)
  await page.goto(await linkInto(waypost))
  const origin = new URL(page.url()).origin
  await page.getByRole('link', { name: 'Queue' }).click()
  await page.getByLabel('For').fill('you@example.test')
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('cell', { name: 'ann@partner.example The offer of the month', exact: true }).waitFor()
  assert.equal(await page.getByText('carol@sender.test').count(), 0)
  await takePictures(page, 'queue')

  await page.locator('tbody th a').first().click()
  await page.getByRole('heading', { level: 1, name: 'The offer of the month' }).waitFor()
  assert.equal(await page.title(), 'The offer of the month · Waypost')
  await page.getByText('As plain text').first().waitFor()
  await page.getByText('As its author laid it out').click()
  const frame = page.frameLocator('iframe.mail')
  await frame.getByText('Hello from the HTML').waitFor()
  await takePictures(page, 'message')
  assert.equal(await frame.locator('script, form, input, link, base, meta[http-equiv], img, iframe, a').count(), 0)
  // Nothing in it can be clicked to lead anywhere.
  await frame.getByText('our shop').click()
  await frame.getByText('click here').click()
  // What runs would have said so, here or there.
  assert.equal(await page.evaluate('window.pwned'), undefined)
  assert.equal(await page.title().then((title) => /pwned/.test(title)), false)
  // By itself it is no more alive.
  const html = await page.context().request.get(`${page.url().replace('/messages/', '/api/messages/')}/html`)
  assert.match(html.headers()['content-security-policy'] ?? '', /default-src 'none'.*sandbox/)

  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download .eml' }).click()
  assert.match((await download).suggestedFilename(), /^[0-9A-Z]+\.eml$/)

  await page.getByRole('button', { name: 'Retry now' }).click()
  await page.getByRole('dialog', { name: 'Try again now: 1 message?' }).waitFor()
  await page.getByRole('button', { name: 'Try again now: 1 message', exact: true }).click()
  // Not before: the gateway looks by itself too, and there would be nothing left to retry. Now it looks again within seconds.
  await lab.until(() => waypost.lines.some((line) => line.act === 'retry'))
  await backend.restart()
  await lab.until(() => backend.accepted.some(({ to }) => to.includes('you@example.test')), 60_000)

  assert.deepEqual(hits, [])
  assert.deepEqual(
    asked.filter((url) => new URL(url).origin !== origin),
    [],
  )
  assert.deepEqual(
    complaints.filter((text) => !/404|blob/.test(text)),
    [],
  )
  const said = (fields: Readonly<Record<string, unknown>>) =>
    lab.until(
      () => waypost.lines.some((line) => Object.entries(fields).every(([name, value]) => line[name] === value)),
      30_000,
    )
  await said({ event: 'held mail read through the dashboard', by: 'link' })
  await said({ action: 'POST /api/queue/act', act: 'retry', messages: 1 })
})

/** @param evil  where everything in it leads */
const message = (evil: string) =>
  `From: Ann <ann@partner.example>
To: you@example.test
Subject: The offer of the month
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain; charset=utf-8

As plain text.
--x
Content-Type: text/html; charset=utf-8

<html><head><base href="${evil}/base/"><meta http-equiv="refresh" content="0;url=${evil}/refresh">
<link rel="stylesheet" href="${evil}/style.css"><link rel="preconnect" href="${evil}"><link rel="dns-prefetch" href="${evil}">
<style>@import url(${evil}/import.css); body { background: url(${evil}/css.png) }</style>
<script>parent.pwned = true; document.title = 'pwned'; fetch('${evil}/script')</script></head>
<body onload="fetch('${evil}/onload')" background="${evil}/body.png">
<p style="background-image: url(${evil}/inline.png); color: #a00">Hello from the HTML</p>
<img src="${evil}/pixel.png" onerror="fetch('${evil}/onerror')"><img srcset="${evil}/set.png 2x">
<svg onload="fetch('${evil}/svg')"><image href="${evil}/svg.png"></image></svg>
<form action="${evil}/form"><input name="a" autofocus onfocus="fetch('${evil}/focus')"><button>our form</button></form>
<a href="javascript:parent.pwned=true">click here</a> <a href="${evil}/shop" target="_top">our shop</a>
<iframe src="${evil}/frame"></iframe><object data="${evil}/object"></object><video src="${evil}/video" poster="${evil}/poster"></video>
</body></html>
--x--
`.replaceAll('\n', '\r\n')
