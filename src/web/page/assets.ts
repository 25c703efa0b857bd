/**
 * What the browser gets beside the pages: our own scripts, styles and pictures from `browser/`, and the charts from their package. Scripts are joined to one
 * (`join.ts`), with their types stripped from a checkout, as `tsc` wrote them from the package. Read once, on the first demand.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import type { Access } from '../access/role.ts'
import type { Site, SiteContext } from '../site.ts'
import { joinModules } from './join.ts'

/** `.ts` from a checkout, `.js` from the package: whatever this file is. */
const scriptEnd = import.meta.url.slice(-3)

/** Of the pages, and of the way in, which whoever is not known yet gets too: it holds nothing of ours. */
export const scriptPaths = { app: '/assets/app.js', enter: '/assets/enter.js' } as const

export function addAssets(site: Site): void {
  add(site, scriptPaths.app, 'glance', 'text/javascript; charset=utf-8', () => joinModules('app', script))
  add(site, scriptPaths.enter, 'public', 'text/javascript; charset=utf-8', () => joinModules('enter', script))
  add(site, '/assets/style.css', 'public', 'text/css; charset=utf-8', () => beside('style.css'))
  add(site, '/assets/icon.svg', 'public', 'image/svg+xml', () => beside('icon.svg'))
  add(site, '/assets/uplot.js', 'glance', 'text/javascript; charset=utf-8', () => ofUplot('uPlot.esm.js'))
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

const beside = (name: string) => readFile(new URL(`../browser/${name}`, import.meta.url), 'utf8')

async function script(name: string): Promise<string> {
  const text = await beside(`${name}${scriptEnd}`)
  return scriptEnd === '.ts' ? stripTypeScriptTypes(text, { mode: 'strip' }) : text
}

function ofUplot(name: string): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve('uplot/package.json')
  return readFile(join(dirname(manifest), 'dist', name), 'utf8')
}
