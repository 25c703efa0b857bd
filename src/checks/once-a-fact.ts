/**
 * What is read of facts, read once: many rules ask the same, some of them once an exchanger. Facts never change, and what was read of them is kept no
 * longer than they are. Used by the files of this folder that read for rules.
 */

/** @param read  pure; its outcome hangs on the fact alone */
export function onceAFact<F extends object, V>(read: (fact: F) => V): (fact: F) => V {
  const known = new WeakMap<F, { readonly value: V }>()
  return (fact) => {
    const before = known.get(fact)
    if (before) return before.value
    const value = read(fact)
    known.set(fact, { value })
    return value
  }
}
