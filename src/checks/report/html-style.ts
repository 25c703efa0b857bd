/** The style of the HTML report: light and dark as the reader has it, and on paper. Used by `html.ts`, which puts its hash into the policy. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --dim: #5b6570; --paper: #fff; --line: #d4dae0; --box: #f5f7f9;
  --good: #1a7f37; --odd: #8a5a00; --bad: #c21f2c; --unknown: #5b6570; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ec; --dim: #9aa5b0; --paper: #14181c; --line: #343c44;
  --box: #1d2329; --good: #57c46f; --odd: #e0a93a; --bad: #ff7b78; --unknown: #9aa5b0; } }
@media print { :root { color-scheme: light; --text: #000; --dim: #444; --paper: #fff; --line: #999; --box: #fff; --good: #0b5d23;
  --odd: #6b4500; --bad: #a00; --unknown: #444; }
  article { break-inside: avoid; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
section + section { border-top: 2px solid var(--line); margin-top: 3rem; padding-top: 2rem; }
.dim { color: var(--dim); } .good { color: var(--good); } .odd { color: var(--odd); } .bad { color: var(--bad); } .unknown { color: var(--unknown); }
article { border: 1px solid var(--line); border-left: .35rem solid var(--dim); border-radius: .3rem; padding: .7rem 1rem; margin: .8rem 0; }
article.error { border-left-color: var(--bad); } article.warning { border-left-color: var(--odd); }
article p { margin: .4rem 0; } pre { background: var(--box); padding: .5rem .7rem; overflow-x: auto; border-radius: .3rem; margin: .4rem 0; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; } th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
svg { width: 100%; min-width: 46rem; height: auto; } svg text { fill: var(--text); font: 14px system-ui, sans-serif; } svg .small { font-size: 12px; }
svg .dim { fill: var(--dim); } svg .good { fill: var(--good); } svg .odd { fill: var(--odd); } svg .bad { fill: var(--bad); } svg .unknown { fill: var(--unknown); }
svg rect { fill: var(--box); stroke: var(--line); } svg path { fill: none; stroke: var(--dim); } svg path.none { stroke-dasharray: 4 4; stroke: var(--line); }
`
