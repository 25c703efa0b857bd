/**
 * The way in as characters: who is tried first, where it stands, and what is up with each address. Called by `text.ts`.
 *
 *   ├─ 10  100 %  mx1.example.com              DNS ✓ signed
 *   │    ├─ 192.0.2.1      192.0.2.0/24      port 25 ✓ answers  TLS ✓ 1.3
 */
import { printable } from '../../base/printable.ts'
import { lightMarks, lightStyles, type Paint, preferencesText, shareText } from './layout.ts'
import type { ExchangerInWay, Light, WayIn, ZoneInWay } from './way-in.ts'

/** Enough to see; the rest is counted. */
const mostExchangers = 20
const mostAddresses = 10
const mostZones = 6

/** @returns lines, none where there is nothing to draw */
export function pictureLines({ exchangers, zones, smtpPort }: WayIn, columns: number, paint: Paint): string[] {
  if (exchangers.length === 0) return zoneLines(zones, paint)
  const shown = exchangers.slice(0, mostExchangers)
  const left = exchangers.length - shown.length
  const widths = { ...measure(shown), smtpPort }
  // Networks go first where the terminal is narrow: they can be read off the addresses.
  const isNarrow = 8 + widths.address + widths.network + widths.port25 + widths.tls + 30 > columns
  const branches = shown.flatMap((exchanger, index) => {
    const isLast = index === shown.length - 1 && left === 0
    return exchangerLines(exchanger, isLast, { ...widths, isNarrow }, paint)
  })
  const more = left > 0 ? [`  └─ and ${left} more`] : []
  return ['  mail', ...branches, ...more, ...(zones.length > 0 ? [''] : []), ...zoneLines(zones, paint)]
}

interface Widths {
  readonly preference: number
  readonly share: number
  readonly name: number
  readonly address: number
  readonly network: number
  readonly port25: number
  readonly tls: number
}

function measure(exchangers: readonly ExchangerInWay[]): Widths {
  const widest = (texts: readonly string[]) => Math.max(1, ...texts.map(({ length }) => length))
  const addresses = exchangers.flatMap((one) => one.addresses.slice(0, mostAddresses))
  return {
    preference: widest(exchangers.map(preferenceText)),
    share: widest(exchangers.map(({ gets }) => shareText(gets))),
    name: widest(exchangers.map(nameText)),
    address: widest(addresses.map(({ address }) => address)),
    network: widest(addresses.map(({ network }) => network)),
    port25: widest(addresses.map(({ port25 }) => port25.text)),
    tls: widest(addresses.map(({ tls }) => tls.text)),
  }
}

const preferenceText = ({ preferences, isImplicit }: ExchangerInWay) =>
  isImplicit ? 'no MX' : preferencesText(preferences)
const nameText = ({ name }: ExchangerInWay) => printable(name, 255)

function exchangerLines(
  exchanger: ExchangerInWay,
  isLast: boolean,
  widths: Widths & { readonly isNarrow: boolean; readonly smtpPort: number },
  paint: Paint,
): string[] {
  const { gets, tries, dns, addresses } = exchanger
  const stem = isLast ? '   ' : '│  '
  const share = shareText(gets).padStart(widths.share)
  const name = paint('bold', nameText(exchanger)) + ' '.repeat(widths.name - nameText(exchanger).length)
  const lost = tries > 0 && gets === 0 ? paint('red', ` (${shareText(tries)} of senders try it first)`) : ''
  const head = `  ${isLast ? '└─' : '├─'} ${preferenceText(exchanger).padStart(widths.preference)}  ${share}  ${name}  DNS ${lit(dns, 0, paint)}${lost}`
  const shown = addresses.slice(0, mostAddresses)
  const more = addresses.length - shown.length
  const rows = shown.map(({ address, network, port25, tls }, index) => {
    const branch = index === shown.length - 1 && more === 0 ? '└─' : '├─'
    const place = widths.isNarrow ? '' : `${paint('dim', network.padEnd(widths.network))}  `
    const port = `port ${widths.smtpPort} ${lit(port25, widths.port25, paint)}`
    return `  ${stem}   ${branch} ${address.padEnd(widths.address)}  ${place}${port}  TLS ${lit(tls, 0, paint)}`
  })
  return [head, ...rows, ...(more > 0 ? [`  ${stem}   └─ and ${more} more addresses`] : [])]
}

const lit = ({ state, text }: Light, width: number, paint: Paint) =>
  paint(lightStyles[state], `${lightMarks[state]} ${text}`) + ' '.repeat(Math.max(0, width - text.length))

function zoneLines(zones: readonly ZoneInWay[], paint: Paint): string[] {
  if (zones.length === 0) return []
  const shown = zones.slice(0, mostZones)
  const width = Math.max(...shown.map(({ name }) => name.length))
  const rows = shown.map(({ name, nameServers, addresses, light, dnssec }) => {
    const count = `${nameServers} name server${nameServers === 1 ? '' : 's'} at ${addresses} address${addresses === 1 ? '' : 'es'}`
    return `  zone ${printable(name, 255).padEnd(width)}  ${count}  ${lit(light, 0, paint)}  DNSSEC ${lit(dnssec, 0, paint)}`
  })
  return [...rows, ...(zones.length > mostZones ? [`  and ${zones.length - mostZones} more zones`] : [])]
}
