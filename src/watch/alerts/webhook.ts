/** Alerts by HTTP: our own JSON, Slack's form, or a message into a Matrix room. */
import { createHash } from 'node:crypto'
import type { SecretSource } from '../../base/option.ts'
import { trimEnd } from '../../base/trim-end.ts'
import type { WebhookOptions } from '../options.ts'
import type { AlertMessage } from './alerting.ts'
import { askUrl, type ChannelDeps, findAuthorities, findUrl, urlName } from './http-channel.ts'
import type { Channel, Undelivered } from './sending.ts'
import { jsonOf, matrixOf, type Speaker, slackOf } from './wording.ts'

export function createWebhook(options: WebhookOptions, speaker: Speaker, deps: ChannelDeps): Channel {
  const { url, form, token, ca, least, room } = options
  return {
    name: `${form === 'json' ? 'webhook' : form} at ${urlName(url)}`,
    least,
    async deliver(message) {
      const found = await findUrl(url, deps)
      if (found.kind === 'missing') return { why: found.why, isFinal: false }
      const bearer = await bearerOf(token, deps)
      if ('why' in bearer) return bearer
      const authorities = await findAuthorities(ca, deps)
      if (authorities.kind === 'missing') return { why: authorities.why, isFinal: false }
      const body = Buffer.from(JSON.stringify(bodyOf(message, form, speaker)))
      const outcome = await askUrl(
        found.url,
        {
          method: form === 'matrix' ? 'PUT' : 'POST',
          headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...bearer },
          body,
          ca: authorities.ca,
          ...(form === 'matrix' ? { path: matrixPath(found.url.path, room ?? '', body) } : {}),
        },
        deps,
      )
      if (outcome.kind === 'failed') return { why: outcome.why, isFinal: false }
      return judged(outcome.status)
    },
  }
}

async function bearerOf(
  token: SecretSource | undefined,
  { readSecret }: ChannelDeps,
): Promise<Undelivered | { readonly Authorization?: string }> {
  if (!token) return {}
  const read = await readSecret(token)
  if (read.kind === 'missing') return { why: read.why, isFinal: false }
  // A line end in it would be a header line of its own.
  if (!/^[\x21-\x7e]{1,4000}$/.test(read.text))
    return { why: 'the token has characters that no token has', isFinal: true }
  return { Authorization: `Bearer ${read.text}` }
}

function bodyOf(message: AlertMessage, form: WebhookOptions['form'], speaker: Speaker): unknown {
  switch (form) {
    case 'json':
      return jsonOf(message, speaker)
    case 'slack':
      return slackOf(message, speaker)
    case 'matrix':
      return matrixOf(message, speaker)
  }
}

/** The same message again has the same transaction id, so that a room does not get it twice when an answer was lost. */
function matrixPath(base: string, room: string, body: Buffer): string {
  const transaction = createHash('sha256').update(body).digest('hex').slice(0, 32)
  return `${trimEnd(base, '/')}/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${transaction}`
}

/** RFC 9110 §15: 408, 425, 429 and 5xx may pass; what else is no 2xx will say the same again. */
function judged(status: number): Undelivered | undefined {
  if (status >= 200 && status < 300) return undefined
  return { why: `it answered ${status}`, isFinal: status < 500 && status !== 408 && status !== 425 && status !== 429 }
}
