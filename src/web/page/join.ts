/**
 * Joins the browser's modules (`browser/*.ts`): what a page shows first to one script that stands in the page, and what it may show later to parts that are asked
 * for then. A page that needs fifteen files would ask fifteen times, and each answer waits its turn behind the mail. Each module becomes a function that runs
 * when it is first wanted. Called by `scripts.ts`.
 */

/** What a module may say to another one; `join.test.ts` sees to it that nothing else stands in ours. */
const staticImport = /^import\s*\{([^}]*)\}\s*from\s*'\.\/([a-z-]+)\.[jt]s';?[ \t]*$/gm
const dynamicImport = /\bimport\('\.\/([a-z-]+)\.[jt]s'\)/g
const anyExport = /^export\s+((?:async\s+)?function\s*\*?|const|class)\s+([A-Za-z_$][\w$]*)/gm

/** The JavaScript of a module, by its name. */
export type ReadModule = (name: string) => Promise<string>

/**
 * A script, and no module, so that it runs where it stands: the page is drawn once, with what it shows.
 *
 * @param entry  runs at once
 * @param along  modules that are wanted soon after, of those that `entry` imports late
 * @param folder  where the others of them are to be had, `/assets/` and `NAME.js`, as `joinPart` makes them
 * @throws TypeError where modules import each other in a circle, or in another form than ours
 */
export async function joinPage(
  entry: string,
  along: readonly string[],
  folder: string,
  read: ReadModule,
): Promise<string> {
  const written = await closure([entry, ...along], read)
  const own = written.get(entry) ?? ''
  written.delete(entry)
  // A part may bring a module that is here already: it stays the one that has run.
  return `(async () => {
const $modules = {
${functionsOf(written)}};
const $made = {};
const $use = (name) => ($made[name] ??= $modules[name]());
const $load = async (name) => {
if (!(name in $modules)) Object.assign($modules, (await import('${folder}' + name + '.js')).default($use, $load));
return $use(name);
};
${inside(entry, own)}
})();
`
}

/** What `name` needs beyond that which every page of `entry` has. @throws TypeError as `joinPage` */
export async function joinPart(entry: string, name: string, read: ReadModule): Promise<string> {
  const here = await closure([entry], read)
  const written = new Map([...(await closure([name], read))].filter(([each]) => !here.has(each)))
  return `export default ($use, $load) => ({\n${functionsOf(written)}});\n`
}

/** The parts that `entry` may ask for, and those that they ask for. */
export async function partsOf(entry: string, read: ReadModule): Promise<readonly string[]> {
  const found = new Set<string>()
  const add = async (name: string): Promise<void> => {
    for (const text of (await closure([name], read)).values())
      for (const [, late = ''] of text.matchAll(dynamicImport)) {
        if (found.has(late)) continue
        found.add(late)
        await add(late)
      }
  }
  await add(entry)
  return [...found]
}

/** These modules and what they import at once, each behind what it needs. */
async function closure(names: readonly string[], read: ReadModule): Promise<Map<string, string>> {
  const written = new Map<string, string>()
  const begun = new Set<string>()

  async function add(name: string): Promise<void> {
    if (written.has(name)) return
    if (begun.has(name)) throw new TypeError(`${name} imports itself by way of others`)
    begun.add(name)
    const text = await read(name)
    for (const [, , needed = ''] of text.matchAll(staticImport)) await add(needed)
    written.set(name, text)
  }

  for (const name of names) await add(name)
  return written
}

const functionsOf = (written: ReadonlyMap<string, string>) =>
  [...written].map(([name, text]) => `${asFunction(name, text)},\n`).join('')

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
    .replace(dynamicImport, (_, from: string) => `$load('${from}')`)
    .replace(/^export \{\};?$/gm, '')
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '')
  if (/^(?:import|export)\b/m.test(joined))
    throw new TypeError(`${name} imports or exports in a way that cannot be joined`)
  // HTML §4.12.1.3: these would end the element that it stands in, or begin a state in which nothing ends it.
  if (/<!--|<\/?script/i.test(joined)) throw new TypeError(`${name} says what cannot stand in a page`)
  return joined
}
