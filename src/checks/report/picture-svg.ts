/** The way in as a drawing: the senders, the exchangers with their share, their addresses with the state of each. Called by `html.ts`. */
import { lightMarks, preferencesText, shareText } from './layout.ts'
import { escaped } from './markup.ts'
import type { ExchangerInWay, Light, WayIn } from './way-in.ts'

const rowHeight = 46
const gap = 14
const exchangerX = 120
const exchangerWidth = 340
const addressX = 520
const width = 1000
const mostExchangers = 20
const mostAddresses = 10

export function pictureSvg({ exchangers, smtpPort }: WayIn, domain: string): string {
  const shown = exchangers.slice(0, mostExchangers)
  if (shown.length === 0) return ''
  const parts: string[] = []
  const places = place(shown)
  const height = places.height + (exchangers.length > shown.length ? 24 : 0)
  const middle = places.height / 2
  shown.forEach((exchanger, index) => {
    const { top, rows } = places.exchangers[index] ?? { top: 0, rows: 1 }
    const centre = top + (rows * rowHeight) / 2
    parts.push(road(90, middle, exchangerX, centre, exchanger.gets), exchangerBox(exchanger, centre))
    exchanger.addresses.slice(0, mostAddresses).forEach(({ address, network, port25, tls }, row) => {
      const y = top + row * rowHeight + rowHeight / 2
      parts.push(road(exchangerX + exchangerWidth, centre, addressX, y, exchanger.gets))
      parts.push(
        `<text x="${addressX + 8}" y="${y - 3}">${escaped(address, 60)} <tspan class="dim small">${escaped(network, 60)}</tspan></text>`,
        `<text class="small" x="${addressX + 8}" y="${y + 15}">port ${smtpPort} ${lit(port25)} · TLS ${lit(tls)}</text>`,
      )
    })
    const hidden = exchanger.addresses.length - mostAddresses
    if (hidden > 0)
      parts.push(
        `<text class="small dim" x="${addressX + 8}" y="${top + rows * rowHeight - 12}">and ${hidden} more addresses</text>`,
      )
  })
  const more = exchangers.length - shown.length
  if (more > 0) parts.push(`<text class="dim" x="${exchangerX}" y="${height - 6}">and ${more} more exchangers</text>`)
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="The way in for mail for ${escaped(domain, 300)}; the table below says the same">
<text x="12" y="${middle + 5}">senders</text>
${parts.join('\n')}
</svg>`
}

function place(exchangers: readonly ExchangerInWay[]) {
  let top = 4
  const places = exchangers.map(({ addresses }) => {
    const rows = Math.max(1, Math.min(addresses.length, mostAddresses) + (addresses.length > mostAddresses ? 1 : 0))
    const at = { top, rows }
    top += rows * rowHeight + gap
    return at
  })
  return { exchangers: places, height: top }
}

/** As thick as its share of the mail. */
function road(fromX: number, fromY: number, toX: number, toY: number, share: number): string {
  const bend = (fromX + toX) / 2
  const line = `M${fromX} ${fromY} C${bend} ${fromY} ${bend} ${toY} ${toX} ${toY}`
  return share > 0
    ? `<path d="${line}" stroke-width="${(1.5 + share * 4).toFixed(1)}"/>`
    : `<path class="none" d="${line}" stroke-width="1.5"/>`
}

function exchangerBox({ name, preferences, isImplicit, gets, dns }: ExchangerInWay, centre: number): string {
  const top = centre - 21
  const order = isImplicit ? 'no MX' : `preference ${preferencesText(preferences)}`
  const share = gets > 0 ? `${shareText(gets)} of the mail · ` : ''
  return `<rect x="${exchangerX}" y="${top}" width="${exchangerWidth}" height="42" rx="5"/>
<text x="${exchangerX + 10}" y="${top + 17}">${escaped(shortened(name))}</text>
<text class="small" x="${exchangerX + 10}" y="${top + 34}">${order} · ${share}DNS ${lit(dns)}</text>`
}

/** What the box has room for; the table has it whole. */
const shortened = (name: string) => (name.length > 38 ? `${name.slice(0, 36)}…` : name)

const lit = ({ state, text }: Light) => `<tspan class="${state}">${lightMarks[state]} ${escaped(text, 60)}</tspan>`
