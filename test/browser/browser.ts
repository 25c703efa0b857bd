/**
 * A real browser for the tests of the dashboard: Debian's Chromium, driven by playwright-core. It notes what each page asks for and complains of, so that a test
 * can say that nothing left the page's own origin and nothing was forbidden.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

export interface Visit {
  readonly page: Page
  /** Every URL that was asked for, whether it was answered or not. */
  readonly asked: readonly string[]
  /** Errors of scripts, and what the page's policy forbade. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
/** For a person to look at; git ignores it. */
const screenshots = fileURLToPath(new URL('screenshots', import.meta.url))

/** One browser for the tests of a file. */
export function useBrowser(): { readonly visit: (options?: BrowserContextOptions) => Promise<Visit> } {
  let browser: Browser | undefined
  before(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  })
  after(() => browser?.close())
  return {
    async visit(options = {}) {
      if (!browser) throw new Error('the browser was not started')
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
      context.setDefaultTimeout(30_000)
      const asked: string[] = []
      const complaints: string[] = []
      context.on('request', (request) => void asked.push(request.url()))
      const page = await context.newPage()
      page.on('pageerror', (error) => void complaints.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error' || /Content Security Policy|Trusted/.test(message.text()))
          complaints.push(message.text())
      })
      return { page, asked, complaints, close: () => context.close() }
    },
  }
}

/** The page at both widths, light and dark: `queue-1280-light.png`, … */
export async function takePictures(page: Page, name: string): Promise<void> {
  await mkdir(screenshots, { recursive: true })
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
      await page.screenshot({ path: join(screenshots, `${name}-${width}-${colorScheme}.png`), fullPage: true })
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 })
}
