/** Quoted-printable (RFC 2045 §6.7) of text whose lines end in CRLF: no octet above 126, no line over 76. */

const mostOctets = 76

export function quotedPrintable(text: Buffer): Buffer {
  const written: string[] = []
  let line = ''
  for (let at = 0; at < text.length; at++) {
    const octet = text[at] ?? 0
    if (octet === carriageReturn && text[at + 1] === lineFeed) {
      written.push(line, '\r\n')
      line = ''
      at++
      continue
    }
    const isLast = at + 1 === text.length || (text[at + 1] === carriageReturn && text[at + 2] === lineFeed)
    const encoded = isPlain(octet) && !(isLast && isBlank(octet)) ? String.fromCharCode(octet) : escaped(octet)
    if (line.length + encoded.length > mostOctets - (isLast ? 0 : 1)) {
      written.push(line, '=\r\n')
      line = ''
    }
    line += encoded
  }
  written.push(line)
  return Buffer.from(written.join(''), 'latin1')
}

const carriageReturn = 13
const lineFeed = 10
const isBlank = (octet: number) => octet === 0x20 || octet === 0x09
const isPlain = (octet: number) => (octet >= 0x20 && octet <= 0x7e && octet !== 0x3d) || octet === 0x09
const escaped = (octet: number) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`
