/** A Dovecot of the test's own that takes mail by LMTP into Maildirs, over TCP and a Unix socket. */
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { greetsAt } from '../../lab/greets.ts'
import type { Lab } from '../../lab/lab.ts'
import { freeAddress, freePort } from '../../lab/loopback.ts'
import { until } from '../../lab/until.ts'
import { start } from './program.ts'

export interface Dovecot {
  /** `lmtp://address:port`. */
  readonly url: string
  /** `lmtp:/path`. */
  readonly socketUrl: string
  readonly address: string
  readonly port: number
  maildir(user: string): string
  log(): Promise<string>
}

const nobody = 65534

/**
 * @param users  the local parts that exist; for any other Dovecot answers 550 5.1.1 to RCPT
 * @param listener  protocols and the listener on TCP, in other words than ours
 */
export async function startDovecot(
  lab: Lab,
  users: readonly string[] = ['you', 'two'],
  listener: (address: string, port: number) => string = listenerOf,
): Promise<Dovecot> {
  const address = freeAddress()
  const port = await freePort(address)
  await chmod(lab.folder, 0o755)
  const home = join(lab.folder, `dovecot-${port}`)
  const mail = join(home, 'mail')
  for (const folder of ['', 'run', 'state', 'mail']) await mkdir(join(home, folder))
  await chown(mail, nobody, nobody)
  const socket = join(home, 'lmtp.sock')
  const passwd = users.map((user) => `${user}:{PLAIN}unused:${nobody}:${nobody}::${join(mail, user)}::\n`)
  await writeFile(join(home, 'passwd'), passwd.join(''))
  await writeFile(join(home, 'dovecot.conf'), configuration(home, listener(address, port), socket))
  const daemon = await start('/usr/sbin/dovecot', ['-F', '-c', join(home, 'dovecot.conf')], true)
  lab.atEnd(() => daemon.stop())
  const log = () => readFile(join(home, 'dovecot.log'), 'latin1').catch(() => '')
  const answers = async () => {
    if (daemon.hasEnded) throw new Error(`Dovecot ended at once: ${daemon.output}${await log()}`)
    return greetsAt(address, port)
  }
  await until(answers, 90_000, 'Dovecot greets')
  return {
    url: `lmtp://${address}:${port}`,
    socketUrl: `lmtp:${socket}`,
    address,
    port,
    maildir: (user) => join(mail, user, 'Maildir'),
    log,
  }
}

const listenerOf = (address: string, port: number) => `protocols = lmtp
service lmtp {
  inet_listener lmtp {
    address = ${address}
    port = ${port}
  }
}
`

const configuration = (home: string, listener: string, socket: string) => `
${listener}
base_dir = ${home}/run
state_dir = ${home}/state
log_path = ${home}/dovecot.log
ssl = no
first_valid_uid = 1
auth_username_format = %Ln
mail_location = maildir:~/Maildir
# What comes in is stored as it is, but for the line ends of a Maildir.
lmtp_add_received_header = no
passdb {
  driver = passwd-file
  args = ${home}/passwd
}
userdb {
  driver = passwd-file
  args = ${home}/passwd
}
service lmtp {
  unix_listener ${socket} {
    mode = 0666
  }
}
`
