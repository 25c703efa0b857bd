/**
 * What the browser gets beside the pages: what their scripts ask for later (`scripts.ts`), the picture of the tab, and the charts from their package. Read once, on
 * the first demand.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Access } from '../access/role.ts'
import type { Site, SiteContext } from '../site.ts'
import { beside, partFolder, partScript, parts } from './scripts.ts'

export function addAssets(site: Site): void {
  const javascript = 'text/javascript; charset=utf-8'
  for (const part of parts) add(site, `${partFolder}${part}.js`, 'glance', javascript, () => partScript(part))
  // Whoever is not known yet sees it on the way in; it holds nothing of ours.
  add(site, '/assets/icon.svg', 'public', 'image/svg+xml', () => beside('icon.svg'))
  add(site, '/assets/uplot.js', 'glance', javascript, () => ofUplot('uPlot.esm.js'))
  add(site, '/assets/uplot.css', 'glance', 'text/css; charset=utf-8', () => ofUplot('uPlot.min.css'))
}

function add(site: Site, path: string, access: Access, type: string, read: () => Promise<string>): void {
  let kept: { readonly text: string; readonly tag: string } | undefined
  site.page(path, access, async (context: SiteContext) => {
    if (!kept) {
      const text = await read()
      kept = { text, tag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` }
    }
    // It holds nothing of anybody, so the browser may keep it; it asks each time whether it is still this one.
    context.header('cache-control', 'no-cache')
    context.header('etag', kept.tag)
    if (context.req.header('if-none-match') === kept.tag) return context.body(null, 304)
    context.header('content-type', type)
    return context.body(kept.text)
  })
}

function ofUplot(name: string): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve('uplot/package.json')
  return readFile(join(dirname(manifest), 'dist', name), 'utf8')
}
