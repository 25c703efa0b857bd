/**
 * Ways to spell a recipient so that some server in the chain takes it for one at another domain: each is the whole of what stands
 * behind `RCPT TO:`. `second.test` is the domain that must get nothing, `example.test` the one that is ours.
 */

/** The other domain as it may be written: case, final dots, A-label, U-label in UTF-8 (as octets) and in latin1. */
const seconds = [
  'second.test',
  'SECOND.TEST',
  'second.test.',
  'xn--bcher-kva.test',
  octets('bücher.test'),
  'b\xfccher.test',
]
const ours = ['example.test', 'EXAMPLE.test', 'example.test.']

/** Local parts that name another domain; RFC 5321 calls none of them a relay request, and old servers all of them. */
function locals(second: string): readonly string[] {
  return [
    `victim%${second}`,
    `${second}!victim`,
    `victim@${second}`,
    `victim%${second}%example.test`,
    `example.test!${second}!victim`,
    `${second}!victim%example.test`,
    `victim%${second}%`,
    `victim\\@${second}`,
    `victim\\%${second}`,
  ]
}

const sourceRoutes = (second: string) => [
  `<@example.test:victim@${second}>`,
  `<@example.test,@example.test:victim@${second}>`,
  `<@${second}:victim@example.test>`,
  `<@${second},@example.test:victim%${second}@example.test>`,
  `<@example.test:"victim@${second}"@example.test>`,
  `<@example.test:victim@${second}@example.test>`,
]

const oddities = [
  '<victim@second.test..>',
  '<victim@.second.test>',
  '<victim@second.test.example.test>',
  '<victim@example.test.second.test>',
  '<victim@sub.example.test>',
  '<victim@[127.0.0.1]>',
  '<victim@[IPv6:::1]>',
  '<victim@[IPv6:::ffff:127.0.0.1]>',
  '<victim@[second.test]>',
  '<victim@127.0.0.1>',
  '<victim@2130706433>',
  '<victim@#2130706433>',
  '<victim%[127.0.0.1]@example.test>',
  '<victim@second%2etest>',
  '<victim@second.test%20@example.test>',
  '<<victim@second.test>>',
  '<victim@example.test,victim@second.test>',
  '<victim@example.test>,<victim@second.test>',
  '<victim@example.test>\x00<victim@second.test>',
  '<victim@example.test;victim@second.test>',
  '<victim@example.test victim@second.test>',
  '<victim@second.test\x00@example.test>',
  '<victim@second.test\x00.example.test>',
  '<victim%second.test\x00@example.test>',
  '<victim@second.test\t@example.test>',
  '<victim@second.test\x0b@example.test>',
  '<victim@second.test\x7f@example.test>',
  '<victim@second.test\r@example.test>',
  '<victim@second.test\n@example.test>',
  '<you@example.test>\rRCPT TO:<victim@second.test>',
  '<you@example.test>\nRCPT TO:<victim@second.test>',
  '<you@example.test\rRCPT TO:<victim@second.test>',
  '<you@example.test\nRCPT TO:<victim@second.test>',
  '<"you\rRCPT TO:<victim@second.test>\r"@example.test>',
  '<"you\nRCPT TO:<victim@second.test>\n"@example.test>',
  '<you@example.test> ORCPT=rfc822;victim@second.test',
  '<you@example.test> X=\nRCPT TO:<victim@second.test>',
  'victim@second.test',
  ' victim@second.test',
  ' <victim@second.test>',
  '<victim@second.test> SIZE=1',
  'victim <victim@second.test>',
  '"victim" <victim@second.test>',
  '<"victim"@second.test>',
  '<victim(comment)@second.test>',
  '<victim@second.test(comment)>',
  '<victim@(comment)second.test>',
  '<victim @second.test>',
  '<victim@ second.test>',
  '<group:victim@second.test;>',
  '<mailto:victim@second.test>',
  '<victim@second.test/example.test>',
  '<victim@example.test/second.test>',
  '<victim@second.test#@example.test>',
  '<victim@second.test?@example.test>',
  '<victim@second\\.test>',
  octets('<victim@second。test>'),
  octets('<victim@second．test>'),
  octets('<victim＠second.test@example.test>'),
  octets('<victim％second.test@example.test>'),
  octets('<victim@ｓｅｃｏｎｄ.test>'),
  octets('<victim@second.test\u200b>'),
  octets('<"victim＠second.test"@example.test>'),
  '<"victim@second.test">',
  '<victim%second.test>',
  '<second.test!victim>',
  '<@second.test>',
  '<"victim@second.test"@>',
  '<postmaster@second.test>',
  '<postmaster%second.test@example.test>',
  '<postmaster%second.test>',
]

/** All of them, each once: over two hundred. */
export function spellings(): readonly string[] {
  const all = new Set<string>()
  for (const second of seconds) {
    all.add(`<victim@${second}>`)
    for (const own of ours)
      for (const local of locals(second)) {
        all.add(`<${local}@${own}>`)
        all.add(`<"${local}"@${own}>`)
      }
    for (const route of sourceRoutes(second)) all.add(route)
  }
  for (const oddity of oddities) all.add(oddity)
  return [...all]
}

/** UTF-8 as a string of octets, which is how everything here goes over the wire. */
function octets(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
