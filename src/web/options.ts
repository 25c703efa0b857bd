/** What waypost.yaml says about the dashboard: `httpListen` stands under `listen:`, `webOptions` under `web:`. `config` puts them into the schema. */
import { z } from 'zod'
import { type ListenAddress, readListenAddress } from '../base/listen-address.ts'
import { bareChoice, list, oneOrMore, parsed, type Read, section, text } from '../base/option.ts'
import { roles } from './access/role.ts'
import { readSecretHash } from './access/secret-hash.ts'

export const defaultHttpPlace = '127.0.0.1:8025'

const httpWants = 'an address such as "127.0.0.1:8025", a list of them, or off'

/** `listen.http`. Undefined: the default place. */
export const httpListen = z
  .union(
    [
      z.literal('off').transform(() => [] as const),
      oneOrMore(
        'Addresses.',
        httpWants,
        parsed('Where HTTP listens.', 'an IP address and a port, such as "127.0.0.1:8025"', readPlace),
        20,
      ),
    ],
    { error: httpWants },
  )
  .optional()
  .meta({
    description: `Addresses for the dashboard, its API and the metrics, or \`off\`. Elsewhere than on loopback it wants \`web.access\` and TLS. Default ${defaultHttpPlace}.`,
    wants: httpWants,
  })

/** What other programs take for "nowhere". */
const nowhere = /^(?:false|no|none|never|disabled?)$/i

function readPlace(input: string): Read<ListenAddress> {
  if (nowhere.test(input)) return { kind: 'no', why: 'is no address: to have no dashboard, write "http: off"' }
  return readListenAddress(input)
}

function readHost(input: string): Read<string> {
  const host = input.toLowerCase()
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(host)) return { kind: 'no', why: '' }
  return { kind: 'value', value: host }
}

const access = section('Somebody who may come in: a person with a password, or a program with a token.', {
  name: parsed(
    'A name, for the login and for the log.',
    'a name of letters, digits, ".", "_" and "-", 64 at most',
    (input) =>
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(input) ? { kind: 'value', value: input } : { kind: 'no', why: '' },
  ),
  role: bareChoice(
    '`view` sees everything but mail, `read` reads held mail too, `operate` acts too: retries, routes, removes, takes backends out, checks domains that are not ours.',
    roles,
  ),
  hash: parsed(
    'What `waypost web token` or `waypost web password` printed; never the secret itself.',
    'a hash such as "scrypt:15:8:1:…", made by "waypost web token"',
    readSecretHash,
  ),
})

/** `web:` */
export const webOptions = section(
  'The dashboard.',
  {
    access: list(
      'Who may come in, beside whoever has the link that the start prints.',
      'a list, such as [{ name: ann, role: operate, hash: "scrypt:…" }]: "waypost web password --name ann --role operate" prints what to write',
      access,
      1000,
    ),
    hosts: list(
      'Names by which browsers may call the dashboard, beside the addresses that it listens on; the first stands in the links that `waypost web link` prints, unless it listens on loopback. A request that calls us by another name is refused, also by that of `hostname`.',
      'a list of names, such as ["mail.example.com"]',
      parsed('A name.', 'a host name, with or without a port', readHost),
      100,
    ),
    tls: section('The certificate of the dashboard. Default: that of `tls`.', {
      certificate: text('PEM file: the certificate, then those that lead to its root.', 'the path of a PEM file'),
      key: text('PEM file: the private key.', 'the path of a PEM file'),
    }).optional(),
  },
  undefined,
  'listen: { http: off }',
).prefault({})
