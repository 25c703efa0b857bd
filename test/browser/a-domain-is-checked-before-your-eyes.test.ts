/** A domain is typed in and checked: its steps come one by one, then what was found, the page of each finding, and the report. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createChecker } from '../../src/checks/check-domain.ts'
import { domainReport } from '../../src/checks/report/domain-report.ts'
import { allRules } from '../../src/checks/rules/all.ts'
import type { GatewaySettings } from '../../src/gateway/settings.ts'
import { createDestinations } from '../../src/routing/find-destination.ts'
import { startCleanDomain } from '../lab/clean-domain.ts'
import { steadyClock } from '../lab/fast-clock.ts'
import { labHost } from '../lab/names.ts'
import { startWeb } from '../lab/web.ts'
import { takePictures, useBrowser } from './browser.ts'

const { visit } = useBrowser()

test('a domain is checked step by step, and what is wrong can be read about', { timeout: 300_000 }, async (t) => {
  const lab = await startCleanDomain(t, { exchangers: [{ rcpt: () => '250 2.1.5 anything' }] })
  const hostname = labHost('mx.waypost.lab')
  const settings = { hostname, destinations: createDestinations([], { hostname, leftRecently: () => false }) }
  const checker = createChecker(
    {
      resolvers: [lab.internet.resolver],
      rootHints: lab.internet.rootHints,
      dnsPort: lab.internet.port,
      smtpPort: lab.exchangers[0]?.port ?? 0,
      isPrivate: true,
      helo: labHost('prober.lab'),
      validation: undefined,
      roots: [lab.places.root.pem],
    },
    { clock: steadyClock, random: systemRandom, door: systemDoor },
  )
  t.after(() => checker.close())
  const { link, origin } = await startWeb(t, {
    gatewaySettings: () => settings as unknown as GatewaySettings,
    check: async (domain, step) =>
      domainReport(await checker.check(labHost(domain), {}, { probe: 'full', onStep: step }), allRules),
  })

  const { page, asked, complaints, close } = await visit()
  t.after(close)
  await page.goto(link())
  await page.getByRole('link', { name: 'Check' }).click()
  await page.getByRole('textbox', { name: 'Domain' }).fill('example.lab')
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('its exchangers are mx1.example.lab').waitFor({ timeout: 90_000 })
  await page.getByText('The whole report as a page').waitFor({ timeout: 90_000 })
  await takePictures(page, 'check-report')

  const finding = page.locator('article.finding', { hasText: 'takes any recipient' }).first()
  await finding.getByText('More about this check').click()
  await finding.locator('.doc', { hasText: 'What to do' }).waitFor()
  await page.getByText('What was done').click()
  assert.ok((await page.locator('ol.steps li').count()) >= 4)

  const report = await page
    .context()
    .request.get(new URL((await page.getByText('The whole report').getAttribute('href')) ?? '', origin).href)
  assert.match(await report.text(), /<h2>The way in<\/h2>/)
  assert.match(report.headers()['content-security-policy'] ?? '', /sandbox/)

  await page.getByRole('textbox', { name: 'Domain' }).fill('not a domain')
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByRole('alert').waitFor()
  assert.deepEqual(
    asked.filter((url) => new URL(url).origin !== origin),
    [],
  )
  assert.deepEqual(
    complaints.filter((text) => !/status of 400/.test(text)),
    [],
  )
})
