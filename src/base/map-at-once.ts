/** Work on many things, so many at once; what comes of it stands in their order. */

/**
 * Rejects with what the first work threw, when those that run have ended; nothing new is begun then.
 * @param atOnce  at least 1
 */
export async function mapAtOnce<In, Out>(
  items: readonly In[],
  atOnce: number,
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const done: Out[] = new Array(items.length)
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const one = async () => {
    while (next < items.length && !failure) {
      const at = next++
      try {
        done[at] = await work(items[at] as In)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, one))
  if (failure) throw (failure as { readonly error: unknown }).error
  return done
}
