/** What is measured: each takes mail while its destination is down, keeps it, and hands it on when the destination is back. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Postfix, startPostfix } from '../../test/interop/harness/postfix.ts'
import { runWell } from '../../test/interop/harness/program.ts'
import { freeAddress, freePort } from '../../test/lab/loopback.ts'
import { until } from '../../test/lab/until.ts'
import { startDaemon, untilGreets } from '../relay/daemon.ts'
import { type Sink, startSinkAt } from '../relay/sink.ts'
import { fill } from './fill.ts'

export const contenderNames = ['waypost', 'waypost-full', 'postfix'] as const
export type ContenderName = (typeof contenderNames)[number]

export interface Contender {
  readonly name: ContenderName
  readonly address: string
  readonly port: number
  /** The process whose family's processor time counts. */
  readonly pid: number
  /** Its destination is there from now on, and it knows, or finds out. */
  destinationUp(): Promise<Sink>
}

export interface Ground {
  readonly folder: string
  /** Messages that `waypost-full` holds already, for a domain that stays down. */
  readonly held: number
  atEnd(run: () => unknown): void
}

const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

export async function startContender(name: ContenderName, ground: Ground): Promise<Contender> {
  const folder = join(ground.folder, name)
  await mkdir(folder)
  const address = freeAddress()
  const sinkPort = await freePort(address)
  const place = { folder, address, sinkPort }
  return name === 'postfix' ? startPostfixAs(place, ground) : startWaypost(name, place, ground)
}

interface Place {
  readonly folder: string
  readonly address: string
  readonly sinkPort: number
}

async function startWaypost(name: ContenderName, place: Place, ground: Ground): Promise<Contender> {
  const { folder, address, sinkPort } = place
  const port = await freePort(address)
  const state = join(folder, 'state')
  const away = `smtp://${address}:9`
  const configuration = {
    hostname: 'mx.waypost.test',
    listen: { smtp: [`${address}:${port}`] },
    state,
    limits: { connectionRate: 100_000, connectionsPerAddress: 1_000, connectionsPerNetwork: 1_000, hold: '100GB' },
    domains: {
      'example.test': { deliver: `smtp://${address}:${sinkPort}`, recipients: 'any' },
      'held.test': { deliver: away, recipients: 'any' },
    },
  }
  if (name === 'waypost-full') await fill(state, ground.held)
  const file = join(folder, 'waypost.yaml')
  await writeFile(file, JSON.stringify(configuration))
  const daemon = startDaemon(waypost, ['serve', '-c', file, '--log-level', 'warn'], join(folder, 'out'))
  ground.atEnd(() => daemon.stop())
  await untilGreets(address, port)
  return { name, address, port, pid: daemon.pid, destinationUp: () => startSinkAt(address, sinkPort, folder) }
}

async function isAllDeferred({ config }: Postfix): Promise<boolean> {
  const { stdout } = await runWell('/usr/sbin/postqueue', ['-c', config, '-j'])
  return !/"queue_name": "(incoming|active)"/.test(stdout)
}

async function startPostfixAs({ folder, address, sinkPort }: Place, ground: Ground): Promise<Contender> {
  const home = { folder, certificate: '', key: '', atEnd: ground.atEnd }
  const postfix: Postfix = await startPostfix(home, {
    relayTo: { address, port: sinkPort },
    main: {
      default_process_limit: '100',
      smtpd_client_connection_count_limit: '0',
      initial_destination_concurrency: '20',
      default_destination_concurrency_limit: '20',
      in_flow_delay: '0',
    },
  })
  return {
    name: 'postfix',
    address: postfix.address,
    port: postfix.port,
    pid: postfix.pid,
    async destinationUp() {
      // What it still holds in its hands when a flush comes is deferred for minutes behind it.
      await until(async () => isAllDeferred(postfix), 60_000, 'Postfix has deferred everything')
      const sink = await startSinkAt(address, sinkPort, folder)
      const flush = () => runWell('/usr/sbin/postqueue', ['-c', postfix.config, '-f'])
      await flush()
      const again = setInterval(() => void flush().catch(() => undefined), 5_000)
      const stop = () => {
        clearInterval(again)
        return sink.stop()
      }
      return { ...sink, stop }
    },
  }
}
