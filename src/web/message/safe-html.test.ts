import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { safeHtml } from './safe-html.ts'

test('what is harmless stays', () => {
  assert.equal(
    safeHtml(
      '<p style="color: #333; font-size:14px">Dear <b>you</b>,<br>see<table width=100%><tr><td align="right">1</table>',
    ),
    '<p style="color: #333; font-size: 14px">Dear <b>you</b>,<br>see</p><table width="100%"><tr><td align="right">1</td></tr></table>',
  )
})

const hostile = [
  '<script>alert(1)</script>after',
  '<img src="https://evil.example/x.png" onerror="alert(1)" alt="a picture">',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="https://evil.example/">x</a>',
  '<base href="https://evil.example/">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
  '<link rel="stylesheet" href="https://evil.example/a.css"><link rel=preconnect href=https://evil.example>',
  '<style>@import url(https://evil.example/a.css); p { background: url(https://evil.example/) }</style>',
  '<p style="background: url(https://evil.example/x)">x</p>',
  '<p style="color:red;background-image:\\75rl(https://evil.example/x)">x</p>',
  '<p style="width: expression(alert(1)); color: image-set(\'https://evil.example\' 1x)">x</p>',
  '<form action="https://evil.example/"><input name=a><button>go</button></form>',
  '<iframe src="https://evil.example/"></iframe><object data="https://evil.example/"></object><embed src="https://evil.example/">',
  '<svg><image href="https://evil.example/"/><script>alert(1)</script></svg><math><mi xlink:href="https://evil.example/">',
  '<video poster="https://evil.example/p"><source src="https://evil.example/v"></video><audio src=https://evil.example/a>',
  '<table background="https://evil.example/x"><td background=https://evil.example/y>x</table>',
  '<p onclick="alert(1)" onmouseover=alert(2)>x</p>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<title><img src=x onerror=alert(1)></title><xmp><script>alert(1)</script></xmp>',
  '<![CDATA[<script>alert(1)</script>]]><!--><script>alert(1)</script>-->',
  '<template><script>alert(1)</script></template><textarea><script>alert(1)</script></textarea>',
]

test('nothing that could fetch, run, post or lead away stays', () => {
  for (const html of hostile) {
    const out = safeHtml(html)
    assert.doesNotMatch(out, /<(?!\/?(?:p|b|br|i|small|table|tr|td|tbody)\b)/i, html)
    assert.doesNotMatch(out, /\s(?:src|href|on\w+|action|background|poster|data|srcset)\s*=/i, html)
    assert.doesNotMatch(out, /style="[^"]*(?:url|\(|\\|@)/i, html)
  }
  assert.equal(safeHtml('<a href="https://evil.example/">click</a>'), 'click <small>[https://evil.example/]</small>')
  assert.equal(safeHtml('<img src="x" alt="A &lt;b&gt;">'), '<i>[image: A &lt;b&gt;]</i>')
})

test('whatever comes in, only elements and attributes of the list come out', () => {
  const piece = fc.oneof(
    fc.constantFrom(...hostile),
    fc.string(),
    fc.constantFrom('<', '>', '"', "'", '</p', '<p ', '&lt;script&gt;', '<div style="'),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const out = safeHtml(pieces.join(''))
      for (const [, name, attributes] of out.matchAll(/<\/?([a-z0-9]+)((?:\s[a-z]+="[^"<>]*")*)>/g)) {
        assert.doesNotMatch(
          String(name),
          /^(?:script|style|img|a|iframe|form|input|link|meta|base|svg|math|object|embed)$/,
        )
        assert.doesNotMatch(String(attributes), /\s(?:src|href|on\w+)=/)
      }
      // Every "<" begins one of those.
      assert.equal(out.replace(/<\/?[a-z0-9]+(?:\s[a-z]+="[^"<>]*")*>/g, '').includes('<'), false, out)
    }),
    { numRuns: 300 },
  )
})

test('it stays balanced, and what is nested without end is cut', () => {
  const out = safeHtml('<div>'.repeat(5000))
  assert.equal(out.split('<div>').length - 1, 200)
  assert.equal(out.split('</div>').length - 1, 200)
})
