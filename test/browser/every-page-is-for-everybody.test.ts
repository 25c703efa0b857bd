/** Every page by the rules of axe-core, wide and narrow, light and dark; and by the keyboard alone. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { MinutesAnswer } from '../../src/web/api/overview.ts'
import { linkInto } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'
import { takePictures, useBrowser } from './browser.ts'

const { visit } = useBrowser()

test('no page has a serious finding, and all of them work without a mouse', { timeout: 300_000 }, async (t) => {
  const lab = await startLab(t, 280_000)
  const [one, two, three] = [await lab.backend(), await lab.backend(), await lab.backend()]
  const waypost = await lab.process({
    dashboard: true,
    config: {
      domains: {
        'example.com': { deliver: [one.url, two.url], exchangers: [{ preference: 10, host: 'mx1.example.com' }] },
        'example.org': { deliver: [two.url] },
        // Half of this route, and all of the other: a share has more to say than a number.
        '*.a-department-with-a-long-name.of-some-company.example': { deliver: [one.url, three.url] },
      },
    },
  })
  await two.kill()
  for (const to of ['you@example.com', 'you@example.org', 'bob@example.org'])
    await lab.send({ to, from: 'ann@partner.example' })

  // The policy of the pages forbids what a test adds to them.
  const { page, close } = await visit({ bypassCSP: true, timezoneId: 'UTC' })
  lab.atEnd(close)
  const link = await linkInto(waypost)
  await page.goto(new URL('/enter', link).href)
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  await judge(page, 'enter')
  // The key stands behind the "#", so the same document would not be loaded anew.
  await page.goto('about:blank')
  await page.goto(link)
  await page.getByRole('heading', { level: 1, name: /^Mail/ }).waitFor()
  await page.getByText('by the clock of this browser: UTC, as on the command line and in the log.').waitFor()
  await judge(page, 'overview')
  assert.deepEqual(await topDown(page), ['Where the mail goes now', 'Domains', 'Backends'])
  await page.setViewportSize({ width: 390, height: 844 })
  assert.deepEqual(await topDown(page), ['Domains', 'Where the mail goes now', 'Backends'])
  await page.setViewportSize({ width: 1280, height: 900 })

  // A day as it might have been: a page has to be looked at with something on it.
  await page.route('**/api/minutes', (asked) => asked.fulfill({ json: aDay() }))
  await page.goto(new URL('/', link).href)
  await page.locator('.chart .uplot').nth(2).waitFor()
  await page
    .getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d$/)
    .first()
    .waitFor()
  await judge(page, 'charts')

  await page.goto(new URL('/domains/example.com', link).href)
  await page.getByRole('heading', { level: 1, name: 'example.com' }).waitFor()
  await judge(page, 'domain')

  await page.goto(new URL('/queue', link).href)
  await page.locator('tbody th a').first().waitFor()
  await judge(page, 'queue')
  await page.getByRole('button', { name: 'Remove…' }).click()
  await page.getByRole('dialog', { name: 'Remove for good: 2 messages?' }).waitFor()
  await judge(page, 'dialog')
  await page.keyboard.press('Escape')
  assert.equal(await page.getByRole('dialog').count(), 0)

  await page.locator('tbody th a').first().click()
  await page.getByRole('heading', { name: 'Envelope' }).waitFor()
  await page.getByText('Subject', { exact: true }).waitFor()
  await judge(page, 'message')

  await page.goto(new URL('/check', link).href)
  await page.getByRole('heading', { name: 'Check a domain' }).waitFor()
  await judge(page, 'check')

  await page.goto(new URL('/history', link).href)
  await page.getByRole('heading', { name: 'History' }).waitFor()
  await page
    .getByRole('heading', { level: 2, name: /^\d{4}-\d\d-\d\d, UTC$/ })
    .first()
    .waitFor()
  await page
    .getByText(/^\d\d:\d\d:\d\d$/)
    .first()
    .waitFor()
  await judge(page, 'history')

  await page.goto(new URL('/', link).href)
  await page.getByRole('heading', { level: 1, name: /^Mail/ }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'To the content')
  const reached = new Set<string>()
  for (let step = 0; step < 30; step++) {
    await page.keyboard.press('Tab')
    reached.add(
      String(
        await page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent'),
      ),
    )
  }
  for (const name of ['Queue', 'History', 'Log out', 'example.com', `Take out: ${one.url}`])
    assert.ok(reached.has(name), name)
})

function aDay(): MinutesAnswer {
  const minutes = Array.from({ length: 1_440 }, (_, minute) => minute)
  const wave = (minute: number, most: number) => Math.round(most * (1 - Math.cos((minute / 1_440) * 2 * Math.PI)))
  const isDown = (minute: number) => minute > 900 && minute < 960
  return {
    atMs: minutes.map((minute) => Date.now() - (1_440 - minute) * 60_000),
    delivered: minutes.map((minute) => (isDown(minute) ? 0 : wave(minute, 40) + (minute % 7))),
    held: minutes.map((minute) => (isDown(minute) ? wave(minute, 40) : 0)),
    drained: minutes.map((minute) => (minute >= 960 && minute < 1_000 ? 90 : 0)),
    refused: minutes.map((minute) => minute % 5),
    queueMessages: minutes
      .map((minute) => (isDown(minute) ? (minute - 900) * 60 : Math.max(0, 3_600 - (minute - 960) * 90)))
      .map((held, minute) => (minute > 900 ? held : 0)),
    oldestSeconds: minutes.map(() => 0),
    p50Ms: minutes.map((minute) => (isDown(minute) ? null : 20 + (minute % 9))),
    p95Ms: minutes.map((minute) => (isDown(minute) ? null : 120 + wave(minute, 60) + (minute % 13))),
  }
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What stands first on the overview, as it is seen. */
async function topDown(page: Page): Promise<readonly string[]> {
  const cards = await page.locator('main > .card').all()
  const seen = await Promise.all(
    cards.map(async (card) => ({
      title: (await card.locator('h2').textContent()) ?? '',
      top: (await card.boundingBox())?.y ?? 0,
    })),
  )
  return seen.sort((one, other) => one.top - other.top).map(({ title }) => title)
}

interface Violation {
  readonly id: string
  readonly impact: string | null
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

async function judge(page: Page, name: string): Promise<void> {
  await takePictures(page, name)
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 900 })
      await page.evaluate(axe)
      const violations = (await page.evaluate(
        'axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }).then((result) => result.violations)',
      )) as Violation[]
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      const told = serious.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
      )
      assert.deepEqual(told, [], `${name} at ${width}, ${colorScheme}`)
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      assert.ok(Number(overflow) <= 0, `${name} at ${width} is ${overflow} pixels too wide`)
      const cut = await page.evaluate(
        'Math.max(0, ...[...document.querySelectorAll(".scroll")].map((each) => each.scrollWidth - each.clientWidth))',
      )
      assert.equal(cut, 0, `a table of ${name} at ${width} is cut off`)
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 })
}
