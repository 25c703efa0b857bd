/**
 * Finds files that need each other, by whatever way, types too: neither can be read, or moved, without the other. Called by `check-imports.ts`.
 */

/**
 * @param imports  of each file the files that it names
 * @returns one circle for each file in which a search found one, as a way that ends where it begins
 */
export function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const visit = (file: string, way: readonly string[]): void => {
    const begin = way.indexOf(file)
    if (begin >= 0) circles.push([...way.slice(begin), file])
    if (begin >= 0 || done.has(file)) return
    for (const next of imports.get(file) ?? []) visit(next, [...way, file])
    done.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  return circles
}
