/** What exchangers said over SMTP, in facts that rules are tested with. */
import type { AskedRecipient, Handshake, ProbedSession, Said } from '../../../src/smtp/probe-facts.ts'
import type { Issued } from '../certificate-maker.ts'
import { intermediate, leafOf } from './certificates.ts'
import { collectedMs, host, ip } from './names.ts'

export const said = (code: number, ...text: string[]): Said => {
  const [, enhanced, first = ''] = /^(?:([245]\.\d+\.\d+) )?(.*)$/s.exec(text[0] ?? '') ?? []
  return { kind: 'reply', reply: { code, enhanced, text: [first, ...text.slice(1)] }, tookMs: 20 }
}

export const notSaid = { kind: 'not-said', reason: 'not-wanted', why: 'The test left it out.' } as const

export function secured(
  chain: readonly Issued[],
  more: Partial<Extract<Handshake, { kind: 'secured' }>> = {},
): Handshake {
  return {
    kind: 'secured',
    offer: {
      serverName: host('mx1.example.com'),
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      keys: 'any',
    },
    version: 'TLSv1.3',
    cipher: { name: 'TLS_AES_256_GCM_SHA384', standardName: 'TLS_AES_256_GCM_SHA384' },
    keyExchange: { name: 'X25519', bits: 253 },
    chain: chain.map(({ der }) => der),
    leafKey: chain[0]?.key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ecdsa',
    tookMs: 30,
    ...more,
  }
}

export function session(exchanger: string, address: string, change: Partial<ProbedSession> = {}): ProbedSession {
  const offers = [exchanger, 'PIPELINING', 'SIZE 52428800', '8BITMIME', 'ENHANCEDSTATUSCODES', 'SMTPUTF8']
  const chain = [leafOf(exchanger), intermediate]
  const connect = { kind: 'connected', tookMs: 20, localAddress: ip('198.51.100.7') } as const
  const handshake = secured(chain)
  const recipient = (purpose: AskedRecipient['purpose'], to: string, answer: Said): AskedRecipient => ({
    purpose,
    address: to,
    sender: null,
    mail: said(250, '2.1.0 ok'),
    said: answer,
  })
  return {
    address: ip(address),
    port: 25,
    startedAtMs: collectedMs,
    tookMs: 400,
    hello: 'probe.example.net',
    connect,
    greeting: said(220, `${exchanger} ESMTP`),
    ehlo: said(250, ...offers, 'STARTTLS'),
    helo: notSaid,
    mailInClear: said(250, '2.1.0 ok'),
    startTls: said(220, '2.0.0 ready'),
    handshake,
    ehloInTls: said(250, ...offers),
    mailFromNull: said(250, '2.1.0 ok'),
    recipients: [
      recipient('postmaster', 'postmaster@example.com', said(250, '2.1.5 ok')),
      recipient('bare-postmaster', 'Postmaster', said(250, '2.1.5 ok')),
      recipient('abuse', 'abuse@example.com', said(250, '2.1.5 ok')),
      recipient('unknown', 'waypost-6f1c@example.com', said(550, '5.1.1 no such user')),
      recipient('unknown-again', 'waypost-91ab@example.com', said(550, '5.1.1 no such user')),
      { ...recipient('foreign', 'relay@example.net', said(554, '5.7.1 relay denied')), sender: 'probe@example.net' },
    ],
    injected: notSaid,
    quit: said(221, '2.0.0 bye'),
    extras: [
      { purpose: 'without-sni', connect, handshake },
      { purpose: 'tls-1.2', connect, handshake: secured(chain, { version: 'TLSv1.2' }) },
      {
        purpose: 'old-tls',
        connect,
        handshake: {
          kind: 'failed',
          offer: { serverName: host(exchanger), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', keys: 'any' },
          side: 'peer',
          detail: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
          tookMs: 10,
        },
      },
    ],
    ...change,
  }
}
