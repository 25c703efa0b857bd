/** The dashboard of a gateway that is a process, called as its own page does after the link was opened. */
import { callWaypost, type WaypostProcess } from './process.ts'
import { until } from './until.ts'

export interface Dashboard {
  /** `http://127.0.0.1:1234` */
  readonly origin: string
  readonly cookie: string
  /** GET without a body, POST with one. */
  call<Value>(path: string, body?: unknown): Promise<{ readonly status: number; readonly json: Value }>
}

/** A link that works once, when the dashboard listens. */
export async function linkInto(waypost: WaypostProcess): Promise<string> {
  await until(() => waypost.stdout.includes('Dashboard: '), 60_000, 'the dashboard')
  const { code, stdout, stderr } = await callWaypost(waypost, 'web', 'link')
  if (code !== 0) throw new Error(`no link: ${stderr}`)
  return stdout.trim()
}

export async function enterDashboard(waypost: WaypostProcess): Promise<Dashboard> {
  const [origin = '', key = ''] = (await linkInto(waypost)).split('/enter#')
  const ask = (path: string, cookie: string, body: unknown) =>
    fetch(origin + path, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { cookie, origin, 'x-waypost-action': '1', 'content-type': 'application/json' },
    })
  const opened = await ask('/api/session', '', { key })
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
  return {
    origin,
    cookie,
    async call<Value>(path: string, body?: unknown) {
      const response = await ask(path, cookie, body)
      return { status: response.status, json: (await response.json()) as Value }
    },
  }
}
