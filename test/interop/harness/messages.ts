/** Messages of the kinds that break mail software, and the envelope lists that go with them. */

/** 8-bit octets of every value but CR, LF and NUL, dot lines of all sorts, and blank lines at the end. */
export function awkwardMessage(): Buffer {
  const octets = Array.from({ length: 255 }, (_, index) => index + 1).filter((octet) => octet !== 10 && octet !== 13)
  const lines = [
    'Subject: =?utf-8?q?8-bit?=',
    'X-Folded: one\r\n\ttwo',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: 8bit',
    '',
    '.',
    '..',
    '.leading dot',
    `high ${octets
      .filter((octet) => octet > 127)
      .map((octet) => String.fromCharCode(octet))
      .join('')}`,
    'From the start of a line',
    'trailing blanks  \t',
    'x'.repeat(900),
    '',
    '',
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1')
}

/** Of exactly this size, in lines of 76 characters, no two of them alike. */
export function largeMessage(bytes: number): Buffer {
  const message = Buffer.alloc(bytes, 'x')
  let at = message.write('Subject: large\r\n\r\n', 'latin1')
  for (let line = 0; at + 78 <= bytes - 2; line++, at += 78) {
    message.write(`${line} `, at, 'latin1')
    message.write('\r\n', at + 76, 'latin1')
  }
  message.write('\r\n', bytes - 2, 'latin1')
  return message
}

export const oneRecipient = ['you@example.test']
export const hundredRecipients = Array.from({ length: 100 }, (_, index) => `user${index}@example.test`)
