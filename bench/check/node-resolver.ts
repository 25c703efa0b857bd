/** The yardstick: Node's own resolver (c-ares) asked for the MX of each line, many at once. Arguments: address:port, file, questions at once. */
import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'

const [server = '', file = '', atOnce = '500'] = process.argv.slice(2)
const resolver = new Resolver({ timeout: 5000, tries: 4 })
resolver.setServers([server])
const names = readFileSync(file, 'utf8').trim().split('\n').values()
let out = ''

/** Asked again where a packet was lost on a busy machine: an answer that is missing ends the measurement. */
async function ask(name: string, left = 3): Promise<{ readonly asked: string }> {
  return resolver.resolveMx(name).then(
    (mx) => ({ asked: name, mx }),
    (error: NodeJS.ErrnoException) => (left > 0 ? ask(name, left - 1) : { asked: name, kind: error.code }),
  )
}

async function worker(): Promise<void> {
  for (const name of names) {
    const found = await ask(name)
    out += `${JSON.stringify(found)}\n`
    if (out.length < 65_536) continue
    process.stdout.write(out)
    out = ''
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, worker))
process.stdout.write(out)
