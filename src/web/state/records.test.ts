import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareRecords } from './records.ts'

const words = (...given: Parameters<typeof compareRecords>) =>
  compareRecords(...given).map(
    ({ name, type, data, isDeclared, isPublished }) => `${name} ${type} ${data}: ${isDeclared} ${isPublished}`,
  )

test('each record that is declared or published, and on which side it stands', () => {
  const declared = [
    { name: 'example.com', type: 'MX', data: ['10 mx1.example.com.', '20 mx2.example.com.'] },
    { name: 'mx1.example.com', type: 'A', data: ['192.0.2.1'] },
    { name: 'example.com', type: 'TXT', data: ['v=spf1 mx -all'] },
    { name: '_dmarc.example.com', type: 'TXT', data: ['v=DMARC1; p=none'] },
  ]
  const published = [
    { name: 'Example.com', type: 'MX', data: ['10 MX1.example.com.', '30 old.example.net.'] },
    { name: 'mx1.example.com', type: 'A', data: [] },
    { name: 'example.com', type: 'TXT', data: ['V=spf1 mx -all'] },
    { name: 'old.example.net', type: 'A', data: ['198.51.100.9'] },
  ]
  assert.deepEqual(words(declared, published), [
    'example.com MX 10 MX1.example.com.: true true',
    'example.com MX 20 mx2.example.com.: true false',
    'example.com MX 30 old.example.net.: false true',
    'mx1.example.com A 192.0.2.1: true false',
    'example.com TXT v=spf1 mx -all: true false',
    'example.com TXT V=spf1 mx -all: false true',
    '_dmarc.example.com TXT v=DMARC1; p=none: true null',
    'old.example.net A 198.51.100.9: null true',
  ])
})

test('before anybody has looked, nothing is said of what is published', () => {
  assert.deepEqual(words([{ name: 'a.example', type: 'MX', data: ['0 .'] }], undefined), [
    'a.example MX 0 .: true null',
  ])
  assert.deepEqual(compareRecords([], undefined), [])
})
