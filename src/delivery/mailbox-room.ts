/**
 * Whether there is room for a message in a Maildir: the part of the contract that deliveries ask. `gateway/backends/mailbox-room.ts` answers it, which
 * knows the disk and the quota. For `maildir.ts`.
 */
import type { Job } from './delivery.ts'

export interface MailboxRoom {
  /**
   * Takes room for one message, or says that there is none (undefined). Rejects with the system's error where the disk cannot be asked.
   * @param path  of the one Maildir, `{local}` filled in
   * @param octets  of the message; 0 only asks
   */
  take(path: string, octets: number, job: Job): Promise<TakenRoom | undefined>
}

export interface TakenRoom {
  /** The message is there, or nothing of it is. */
  done(isStored: boolean): void
}

/** For deliveries by themselves: as much as the disk has. */
export const boundlessRoom: MailboxRoom = { take: async () => ({ done() {} }) }
