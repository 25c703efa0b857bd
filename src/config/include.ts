/**
 * `include:` → the files it names, each held to what an included file may say. Called by `read.ts`.
 */
import type { ConfigFiles } from './files.ts'
import { holdAgainst } from './hold-against.ts'
import { type ReadYaml, readYamlFile } from './read-yaml.ts'
import { type GeneralOptions, includedSchema, toJsonSchema } from './schema.ts'
import type { Problem } from './source.ts'
import { refuseSubstitution } from './whole.ts'
import { placeOf } from './yaml.ts'

export async function readIncludes(
  main: ReadYaml,
  include: GeneralOptions['include'],
  files: ConfigFiles,
  problems: Problem[],
): Promise<(ReadYaml & { readonly trusted: boolean })[]> {
  const elements = include === undefined ? [] : Array.isArray(include) ? include : [include]
  const read: (ReadYaml & { trusted: boolean })[] = []
  const seen = new Set([main.source.path])
  for (const [index, element] of elements.entries()) {
    const place = placeOf(main.root, [
      'include',
      ...(Array.isArray(include) ? [index] : []),
      ...(typeof element === 'string' ? [] : ['file']),
    ])
    const wrong = (message: string) => main.source.problem(place.start, place.end, message)
    const { file, trusted = false } = typeof element === 'string' ? { file: element } : element
    const paths = await files.match(files.resolve(main.folder, file))
    if (paths.length === 0) problems.push(wrong(`"${file}" matches no file`))
    for (const path of paths) {
      if (seen.has(path)) {
        problems.push(wrong(`${path} is read already`))
        continue
      }
      seen.add(path)
      const included = await readYamlFile(path, files, problems, (why) => wrong(`${path} ${why}`))
      if (!included) continue
      checkShape(included, problems)
      if (!trusted) refuseSubstitution(included, () => toJsonSchema(includedSchema), problems)
      read.push({ ...included, trusted })
    }
  }
  return read
}

/** `domains:` and nothing else; its entries are checked one by one in `domains.ts`. */
function checkShape(included: ReadYaml, problems: Problem[]): void {
  const { source, root } = included
  const readValue = () => {
    const { domains, ...rest } = root.value
    const isTable = typeof domains === 'object' && domains !== null && !Array.isArray(domains)
    return { ...rest, ...(isTable ? { domains: {} } : domains === undefined ? {} : { domains }) }
  }
  holdAgainst(
    includedSchema,
    readValue,
    { source, root, path: [], schema: () => toJsonSchema(includedSchema) },
    problems,
  )
}
