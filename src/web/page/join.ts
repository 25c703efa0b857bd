/**
 * Joins the browser's modules (`browser/*.ts`) to one script: a page that needs fifteen files asks fifteen times, and each waits its turn behind the mail. Each
 * module becomes a function that runs when it is first wanted, so that what a page does not show costs it nothing but its octets. Called by `assets.ts`.
 */

/** What a module may say to another one; `join.test.ts` sees to it that nothing else stands in ours. */
const staticImport = /^import\s*\{([^}]*)\}\s*from\s*'\.\/([a-z-]+)\.[jt]s';?[ \t]*$/gm
const dynamicImport = /\bimport\('\.\/([a-z-]+)\.[jt]s'\)/g
const anyExport = /^export\s+((?:async\s+)?function\s*\*?|const|class)\s+([A-Za-z_$][\w$]*)/gm

/**
 * @param entry  runs at once
 * @param read  the JavaScript of a module, by its name
 * @throws TypeError where modules import each other in a circle, or in another form than ours
 */
export async function joinModules(entry: string, read: (name: string) => Promise<string>): Promise<string> {
  const written = new Map<string, string>()
  const begun = new Set<string>()

  async function add(name: string): Promise<void> {
    if (written.has(name)) return
    if (begun.has(name)) throw new TypeError(`${name} imports itself by way of others`)
    begun.add(name)
    const text = await read(name)
    for (const [, , needed = ''] of text.matchAll(staticImport)) await add(needed)
    written.set(name, text)
    // These run later, and may need what is being read now.
    for (const [, needed = ''] of text.matchAll(dynamicImport)) if (!begun.has(needed)) await add(needed)
  }

  await add(entry)
  const parts = [...written].filter(([name]) => name !== entry).map(([name, text]) => `${asFunction(name, text)},\n`)
  const use = 'const $use = (name) => ($made[name] ??= $modules[name]());\n'
  return `const $modules = {\n${parts.join('')}};\nconst $made = {};\n${use}${inside(entry, written.get(entry) ?? '')}`
}

function asFunction(name: string, text: string): string {
  const names = [...text.matchAll(anyExport)].map(([, , exported = '']) => exported)
  return `'${name}': () => {\n${inside(name, text.replace(anyExport, '$1 $2'))}\nreturn { ${names.join(', ')} };\n}`
}

function inside(name: string, text: string): string {
  const joined = text
    .replace(
      staticImport,
      (_, names: string, from: string) => `const {${names.replaceAll(' as ', ': ')}} = $use('${from}');`,
    )
    .replace(dynamicImport, (_, from: string) => `Promise.resolve($use('${from}'))`)
    .replace(/^export \{\};?$/gm, '')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
  if (/^(?:import|export)\b/m.test(joined))
    throw new TypeError(`${name} imports or exports in a way that cannot be joined`)
  return joined
}
