/** How long work keeps the processor, for tests of what hostile input costs: the time of a clock would count what else the machine does. */

/** @returns milliseconds of this process, in user code and in the kernel */
export function processorMs(work: () => unknown): number {
  const began = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000
}
