/** Who may come in, as waypost.yaml says it under `access:`. */
import type { Role } from './role.ts'
import type { SecretHash } from './secret-hash.ts'

/** Somebody, or a program, that may come in. */
export interface Credential {
  readonly name: string
  readonly role: Role
  readonly hash: SecretHash
}

export interface AccessSettings {
  readonly access: readonly Credential[]
}
