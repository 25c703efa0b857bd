/**
 * A Postfix of the test's own: configuration, queue and data in the lab's folder, listening on a loopback address of its own. As a
 * backend it takes `example.test` into Maildirs and answers 550 5.1.1 to unknown users; as a sender it relays what it is given.
 */
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { greetsAt } from '../../lab/greets.ts'
import type { Lab } from '../../lab/lab.ts'
import { freeAddress, freePort } from '../../lab/loopback.ts'
import { until } from '../../lab/until.ts'
import { run, runWell, start } from './program.ts'

/** What a Postfix needs of its surroundings: a lab, or a bench's own folder. */
export type Home = Pick<Lab, 'folder' | 'certificate' | 'key' | 'atEnd'>

export interface PostfixWords {
  /** Local parts of `example.test` that exist. Default: `you`, and `user0` to `user99`. */
  readonly users?: readonly string[]
  /** Where everything that is not for `example.test` is sent on to: makes it a sender, or a relay for its networks. */
  readonly relayTo?: { readonly address: string; readonly port: number }
  /** STARTTLS as a sender. */
  readonly tlsOut?: 'none' | 'may' | 'encrypt'
  /** STARTTLS offered, with the lab's certificate. */
  readonly tlsIn?: boolean
  /** More of main.cf, which wins. */
  readonly main?: Readonly<Record<string, string>>
  /** Whom it asks for MX records, at port 53; it alone sees that resolver. Needs root, for a mount of its own. */
  readonly resolver?: string
  /** Where it listens; default: an address and a port of its own. */
  readonly at?: { readonly address: string; readonly port: number }
  /** Options of its smtpd, as master.cf has them: `-o name=value`. */
  readonly smtpd?: string
  /** Whether `example.test` is final here. Default true, and false for a sender. */
  readonly isFinal?: boolean
}

export interface Postfix {
  readonly address: string
  readonly port: number
  readonly url: string
  /** The process that all others descend from. */
  readonly pid: number
  /** The folder of its main.cf, for its commands. */
  readonly config: string
  /** A message of somebody who has a mailbox here, handed in as programs on that machine do. */
  submit(from: string, to: string, body: string): Promise<void>
  /** Sets an option of main.cf, and has it read. */
  set(name: string, value: string): Promise<void>
  /** The Maildir of a user of `example.test`. */
  maildir(user: string): string
  log(): Promise<string>
  /** How many messages are in its queue. */
  queued(): Promise<number>
}

const daemons = '/usr/lib/postfix/sbin'
const nobody = 65534

export async function startPostfix(lab: Home, words: PostfixWords = {}): Promise<Postfix> {
  const address = words.at?.address ?? freeAddress()
  const port = words.at?.port ?? (await freePort(address))
  // Not in the lab's folder alone: Postfix's own users must be able to walk to it.
  await chmod(lab.folder, 0o755)
  const home = join(lab.folder, `postfix-${address}-${port}`)
  const mail = join(home, 'mail')
  for (const folder of ['', 'etc', 'queue', 'data', 'mail']) await mkdir(join(home, folder))
  await chown(mail, nobody, nobody)
  const postfixUser = await runWell('id', ['-u', 'postfix'])
  await chown(join(home, 'data'), Number(postfixUser.stdout), 0)
  const users = words.users ?? ['you', ...Array.from({ length: 100 }, (_, index) => `user${index}`)]
  await writeFile(join(home, 'etc/users'), users.map((user) => `${user}@example.test ${user}/\n`).join(''))
  await writeFile(join(home, 'etc/main.cf'), mainCf(lab, words, home))
  await writeFile(join(home, 'etc/master.cf'), masterCf(address, port, words.smtpd ?? ''))
  const etc = join(home, 'etc')
  await runWell('/usr/sbin/postfix', ['-c', etc, 'check'])
  const command = await withResolver([join(daemons, 'master'), '-d', '-c', etc], words.resolver, home)
  const master = await start(command[0], command.slice(1), true)
  lab.atEnd(() => master.stop())
  const log = () => readFile(join(home, 'mail.log'), 'latin1').catch(() => '')
  const answers = async () => {
    if (master.hasEnded) throw new Error(`Postfix ended at once: ${master.output}${await log()}`)
    return greetsAt(address, port)
  }
  await until(answers, 90_000, 'Postfix greets')
  return {
    address,
    port,
    url: `smtp://${address}:${port}`,
    pid: master.pid,
    config: etc,
    async submit(from, to, body) {
      const message = `From: ${from}\nTo: ${to}\nSubject: a message\n\n${body}\n`
      await runWell('/usr/sbin/sendmail', ['-C', etc, '-f', from, to], message)
    },
    async set(name, value) {
      await runWell('/usr/sbin/postconf', ['-c', etc, `${name} = ${value}`])
      await runWell('/usr/sbin/postfix', ['-c', etc, 'reload'])
    },
    maildir: (user) => join(mail, user),
    log,
    async queued() {
      const ran = await run('/usr/sbin/postqueue', ['-c', etc, '-j'])
      return ran.stdout.split('\n').filter((line) => line.startsWith('{')).length
    },
  }
}

/** Postfix asks whom /etc/resolv.conf names: in a namespace of its own that is another file. */
async function withResolver(
  command: readonly [string, ...string[]],
  resolver: string | undefined,
  home: string,
): Promise<readonly [string, ...string[]]> {
  if (resolver === undefined) return command
  const file = join(home, 'etc/resolv.conf')
  await writeFile(file, `nameserver ${resolver}\n`)
  const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
  return ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', script, file, ...command]
}

function mainCf(lab: Home, words: PostfixWords, home: string): string {
  const relay = words.relayTo ? `[${words.relayTo.address}]:${words.relayTo.port}` : ''
  const isFinal = words.isFinal ?? !words.relayTo
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(home, 'queue'),
    data_directory: join(home, 'data'),
    maillog_file: join(home, 'mail.log'),
    maillog_file_prefixes: lab.folder,
    myhostname: 'postfix.test',
    mydomain: 'postfix.test',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    alias_database: '',
    // It believes only in addresses of an interface; where it listens stands in master.cf.
    inet_interfaces: 'loopback-only',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    relayhost: relay,
    smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    // Names are not looked up: nothing here leaves the machine.
    smtpd_peername_lookup: 'no',
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    virtual_mailbox_domains: isFinal ? 'example.test' : '',
    virtual_mailbox_base: join(home, 'mail'),
    virtual_mailbox_maps: `texthash:${join(home, 'etc/users')}`,
    virtual_uid_maps: `static:${nobody}`,
    virtual_gid_maps: `static:${nobody}`,
    virtual_mailbox_limit: '0',
    mailbox_size_limit: '0',
    message_size_limit: '80000000',
    queue_minfree: '0',
    // What comes in goes on as it is: no header is added or rewritten.
    local_header_rewrite_clients: '',
    always_add_missing_headers: 'no',
    default_destination_recipient_limit: '1000',
    smtp_tls_security_level: words.tlsOut ?? 'none',
    // So that its log tells of each handshake.
    smtpd_tls_loglevel: '1',
    smtpd_tls_security_level: words.tlsIn ? 'may' : 'none',
    ...(words.tlsIn ? { smtpd_tls_cert_file: lab.certificate, smtpd_tls_key_file: lab.key } : {}),
    smtpd_client_connection_rate_limit: '0',
    biff: 'no',
    notify_classes: '',
    ...words.main,
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}

/** No chroot, and of the services those that a relay and a virtual mailbox need. */
function masterCf(address: string, port: number, smtpd: string): string {
  return `${address}:${port} inet n - n - 100 smtpd ${smtpd}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}
