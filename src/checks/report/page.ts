/** The frame of an HTML page that needs nothing else and runs nothing: its policy allows its own style by its hash, and no more. For `html.ts`, and the reports of `watch`. */
import { createHash } from 'node:crypto'

/** @param title  escaped @param style  of the page, whole */
export function pageHead(title: string, style: string): string {
  const styleHash = createHash('sha256').update(style).digest('base64')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
`
}

export const pageEnd = '</main>\n</body>\n</html>\n'
