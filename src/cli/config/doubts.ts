/**
 * What a configuration names and this machine or this environment does not have: secrets that are not there, programs that cannot be started, folders
 * that Maildirs lie in, sockets of servers. The service may have another environment, so it is worth a look and no mistake. Called by `waypost config check`.
 */
import { access, constants, stat } from 'node:fs/promises'
import { errorCode } from '../../base/error-code.ts'
import type { SecretSource } from '../../base/option.ts'
import type { SecretReader } from '../../base/secret.ts'
import { whyNotStartable } from '../../base/startable.ts'
import { pathText } from '../../config/explain.ts'
import type { Loaded } from '../../config/load.ts'
import { folderBefore, whyNoMaildir } from '../../delivery/why-no-maildir.ts'
import { whyNoSocket } from './why-no-socket.ts'

/** Sentences with the key in front. No secret is told. */
export async function doubtsOf(
  { watching, publishing: { publishers, dns }, settings }: Pick<Loaded, 'watching' | 'publishing' | 'settings'>,
  readSecret: SecretReader,
): Promise<readonly string[]> {
  const { alerts } = watching
  const secrets = await Promise.all(
    sourcesIn({ publishers, dns, alerts }, []).map(async ({ path, source }) => {
      const read = await readSecret(source)
      return read.kind === 'missing' ? [`${pathText(path)}: ${read.why}`] : []
    }),
  )
  const named = [
    ...alerts.command.map(({ run }, index) => ({ path: ['alerts', 'command', index, 'run'], run })),
    ...Object.entries(publishers).flatMap(([name, publisher]) =>
      publisher.type === 'zonefile'
        ? (['check', 'reload'] as const).map((key) => ({ path: ['publishers', name, key], run: publisher[key] }))
        : [],
    ),
  ]
  const programs = await Promise.all(
    named.map(async ({ path, run }) => {
      const why = run && (await whyNotStartable(run[0] ?? ''))
      return why === undefined ? [] : [`${pathText(path)}: ${why}`]
    }),
  )
  return [...secrets, ...programs, await backendDoubts(settings)].flat()
}

/** More have one cause. */
const mostBackends = 20

/** Those on this machine: nothing is connected to here. */
async function backendDoubts({ destinations, postmaster, state }: Loaded['settings']): Promise<string[]> {
  const doubts = new Map<string, string>()
  for (const { backend } of [...destinations.routes, postmaster].flatMap(({ entries }) => entries)) {
    const { address, url } = backend
    if (!('path' in address) || doubts.has(url) || doubts.size === mostBackends) continue
    const why =
      address.protocol === 'maildir' ? await maildirDoubt(address.path, state) : await socketDoubt(address.path)
    if (why !== undefined) doubts.set(url, `${url}: ${why}; until then no mail gets there`)
  }
  return [...doubts.values()]
}

async function maildirDoubt(path: string, state: string): Promise<string | undefined> {
  const code = await whyNoFolder(path)
  // What leads to the state folder is made with it, at the first start.
  if (code === undefined || (code === 'ENOENT' && `${state}/`.startsWith(`${folderBefore(path)}/`))) return undefined
  return whyNoMaildir(path, code)
}

async function socketDoubt(path: string): Promise<string | undefined> {
  const code = await codeOf(async () => {
    if (!(await stat(path)).isSocket()) return 'ENOTSOCK'
    // Who may write to a socket may connect to it: unix(7).
    await access(path, constants.W_OK)
    return undefined
  })
  return code && whyNoSocket(path, code)
}

/** @returns the system's code; nothing is made, which the first message would do */
async function whyNoFolder(path: string): Promise<string | undefined> {
  if (!path.includes('{local}')) {
    const code = await codeOfFolder(path)
    if (code !== 'ENOENT') return code
  }
  return codeOfFolder(folderBefore(path))
}

const codeOfFolder = (path: string) => codeOf(async () => ((await stat(path)).isDirectory() ? undefined : 'ENOTDIR'))

/** The system's code where `look` failed, else what that says. */
async function codeOf(look: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await look()
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    return code
  }
}

interface Found {
  readonly path: readonly PropertyKey[]
  readonly source: SecretSource
}

function sourcesIn(value: unknown, path: readonly PropertyKey[]): readonly Found[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => sourcesIn(each, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  if (isSource(value)) return [{ path, source: value }]
  return Object.entries(value).flatMap(([name, each]) => sourcesIn(each, [...path, name]))
}

function isSource(value: object): value is SecretSource {
  if (!('kind' in value)) return false
  return (value.kind === 'environment' && 'variable' in value) || (value.kind === 'file' && 'path' in value)
}
