/** What waypost.yaml says about the hold: how much; how long is said for each domain. `config` puts it into the schema. */
import { optionalSize } from '../base/option.ts'

/** For the section `limits`. */
export const holdLimitOptions = {
  hold: optionalSize(
    'How much held messages may take, over all, a KiB for each message and each recipient counted in; one recipient domain may have a quarter of it, and where half of that is taken, one client network (/24, /48) that is not under `trusted` a quarter of that. Default: half of what is free on the disk at the start, 256 GiB at most.',
    { least: '1MiB', most: '1000000GiB', example: '20GiB' },
  ),
  freeSpace: optionalSize(
    'How much of the disk must stay free: below it nothing is held, and no Maildir on that disk takes mail. Default: 512 MiB, or a twentieth of the disk where that is less.',
    { least: '0', most: '1000000GiB', example: '2GiB' },
  ),
}
