/** Whether an address is this machine's own, reached from here alone: 127.0.0.0/8, ::1. */
import type { IpAddress } from './ip.ts'

export const isLoopback = (address: IpAddress): boolean => address === '::1' || address.startsWith('127.')
