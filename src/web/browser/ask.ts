/** Asks the API of this page's own server. Everything that can be expected comes back as a value. */

export type Heard<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  /** `status` 0: there was no answer. */
  | { readonly kind: 'no'; readonly status: number; readonly why: string }

/** What the server sent with the page (`page/shell.ts`): each answer counts for the first time that it is asked for. */
const first = new Map<string, unknown>(
  Object.entries(JSON.parse(document.querySelector('#first')?.textContent ?? '{}') as object),
)

/** @returns undefined where it did not come with the page, or was taken before */
export function sentAlong<Value>(path: string): Value | undefined {
  const value = first.get(path) as Value | undefined
  first.delete(path)
  return value
}

export async function ask<Value>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Heard<Value>> {
  const known = method === 'GET' ? sentAlong<Value>(path) : undefined
  if (known !== undefined) return { kind: 'ok', value: known }
  try {
    const response = await fetch(path, {
      method,
      credentials: 'same-origin',
      // No other site's page can set it: see `access/guard.ts`.
      headers: { 'x-waypost-action': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const value = (await response.json()) as Value & { why?: string }
    if (response.ok) return { kind: 'ok', value }
    return { kind: 'no', status: response.status, why: value.why ?? `the answer was ${response.status}` }
  } catch {
    return { kind: 'no', status: 0, why: 'the gateway does not answer' }
  }
}
