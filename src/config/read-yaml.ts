/** One file of the configuration, read to its tree: for `read.ts`, and for the parts of the whole that look into it. */
import { dirname } from 'node:path'
import type { ConfigFiles } from './files.ts'
import { createSource, type Problem, type Source } from './source.ts'
import { parseYaml, type YamlNode } from './yaml.ts'

export interface ReadDeps {
  readonly files: ConfigFiles
  /** The name of this machine, as the system has it. */
  readonly machineName: string
  /** Milliseconds since 1970: what ends soon, or has ended, is told. */
  readonly nowMs: number
}

/** A file that was read, with its tree. `root` is a map. */
export interface ReadYaml {
  readonly source: Source
  readonly root: Extract<YamlNode, { kind: 'map' }>
  readonly folder: string
}

/** @param unreadable  the problem that a file which cannot be read is; `why` goes on from its path */
export async function readYamlFile(
  path: string,
  files: ConfigFiles,
  problems: Problem[],
  unreadable: (why: string) => Problem,
): Promise<ReadYaml | undefined> {
  const opened = await files.read(path)
  if (opened.kind === 'unreadable') {
    problems.push(unreadable(opened.why))
    return undefined
  }
  const source = createSource(opened.path, opened.text)
  const parsed = parseYaml(source)
  problems.push(...parsed.problems)
  if (parsed.kind === 'invalid') return undefined
  const { root } = parsed
  if (root.kind === 'map') return { source, root, folder: dirname(path) }
  problems.push(source.problem(root.start, root.start + 1, 'a configuration is keys with values, such as "domains: …"'))
  return undefined
}
