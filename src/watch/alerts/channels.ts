/** `alerts:` of waypost.yaml → the ways to people, each with its line. Made by `watch`, and by `waypost watch --test-alert`. */
import type { AlertOptions } from '../options.ts'
import { createEmail } from './email.ts'
import type { ChannelDeps } from './http-channel.ts'
import { createProgram } from './program.ts'
import type { Channel } from './sending.ts'
import { createWebhook } from './webhook.ts'
import type { Speaker } from './wording.ts'

export function createChannels(
  { email, webhook, command }: Pick<AlertOptions, 'email' | 'webhook' | 'command'>,
  speaker: Speaker,
  deps: ChannelDeps,
): readonly Channel[] {
  return [
    ...email.map((each) => createEmail(each, speaker, deps)),
    ...webhook.map((each) => createWebhook(each, speaker, deps)),
    ...command.map((each) => createProgram(each, speaker, deps)),
  ]
}
