/** What is measured: each takes mail at an address and hands it to the sink. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostfix } from '../../test/interop/harness/postfix.ts'
import { freePort } from '../../test/lab/loopback.ts'
import { startDaemon, untilGreets } from './daemon.ts'
import type { Sink } from './sink.ts'

export interface Contender {
  readonly name: ContenderName
  readonly address: string
  readonly port: number
  /** The process whose family's processor time counts; none for `direct`. */
  readonly pid: number | undefined
}

export const contenderNames = ['direct', 'waypost', 'minimum', 'postfix-proxy', 'postfix-queue'] as const
export type ContenderName = (typeof contenderNames)[number]

/** What a contender is told: the sink, a folder for its files, and where to say how it is stopped. */
export interface Ground {
  readonly sink: Sink
  readonly address: string
  readonly folder: string
  atEnd(run: () => unknown): void
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export async function startContender(name: ContenderName, ground: Ground): Promise<Contender> {
  const { sink, address } = ground
  switch (name) {
    case 'direct':
      return { name, address: sink.address, port: sink.port, pid: undefined }
    case 'waypost': {
      const port = await freePort(address)
      const configuration = {
        hostname: 'mx.waypost.test',
        listen: { smtp: [`${address}:${port}`] },
        state: join(ground.folder, 'waypost-state'),
        domains: { 'example.test': { deliver: `smtp://${sink.address}:${sink.port}` } },
      }
      const file = join(ground.folder, 'waypost.yaml')
      await writeFile(file, JSON.stringify(configuration))
      return startOne(name, ground, port, path('../../bin/waypost'), ['serve', '-c', file])
    }
    case 'minimum': {
      const port = await freePort(address)
      const args = [path('minimum.ts'), address, String(port), String(sink.port)]
      return startOne(name, ground, port, process.execPath, args)
    }
    case 'postfix-proxy':
      return startPostfixAs(name, ground, `-o smtpd_proxy_filter=[${sink.address}]:${sink.port}`)
    case 'postfix-queue':
      return startPostfixAs(name, ground, '')
  }
}

async function startOne(
  name: ContenderName,
  ground: Ground,
  port: number,
  command: string,
  args: readonly string[],
): Promise<Contender> {
  const daemon = startDaemon(command, args, join(ground.folder, `${name}.out`))
  ground.atEnd(() => daemon.stop())
  await untilGreets(ground.address, port)
  return { name, address: ground.address, port, pid: daemon.pid }
}

async function startPostfixAs(name: ContenderName, ground: Ground, smtpd: string): Promise<Contender> {
  const folder = join(ground.folder, name)
  await mkdir(folder)
  const home = { folder, certificate: '', key: '', atEnd: ground.atEnd }
  const main = {
    default_process_limit: '100',
    smtpd_client_connection_count_limit: '0',
    initial_destination_concurrency: '20',
    default_destination_concurrency_limit: '20',
    in_flow_delay: '0',
  }
  const postfix = await startPostfix(home, { relayTo: ground.sink, smtpd, main })
  return { name, address: postfix.address, port: postfix.port, pid: postfix.pid }
}
