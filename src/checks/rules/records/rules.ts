/** Records: the MX set and its targets: the rules of this folder, in the order in which they are told. */
import type { Rule } from '../../rule.ts'
import { aliasWithOtherData } from './alias-with-other-data.ts'
import { domainDotless } from './domain-dotless.ts'
import { domainIsAlias } from './domain-is-alias.ts'
import { domainLookupFails } from './domain-lookup-fails.ts'
import { domainNotFound } from './domain-not-found.ts'
import { mxDiffersFromDeclared } from './mx-differs-from-declared.ts'
import { mxPreferencesOdd } from './mx-preferences-odd.ts'
import { mxTargetAliasBroken, mxTargetIsAlias } from './mx-target-alias.ts'
import { mxTargetIsWebServer } from './mx-target-is-web-server.ts'
import { mxTargetMisspelt } from './mx-target-misspelt.ts'
import { mxTargetIsAddress, mxTargetNotHostname, mxTargetSpecialName } from './mx-target-syntax.ts'
import { mxTargetTwice } from './mx-target-twice.ts'
import { mxTargetUnregistered } from './mx-target-unregistered.ts'
import { mxTargetUnresolvable } from './mx-target-unresolvable.ts'
import { mxTooMany } from './mx-too-many.ts'
import { mxTtlExtreme } from './mx-ttl-extreme.ts'
import { mxMissing, noMailHost } from './no-mx.ts'
import { nullMx, nullMxMixed, nullMxPreference } from './null-mx.ts'
import { nullMxAdvised, nullMxButSends } from './null-mx-sending.ts'
import { providerFormObsolete, providerSetIncomplete, providerSetMixed } from './provider-set.ts'
import { domainByWildcard, wildcardMx, wildcardTxt } from './wildcard.ts'

export const recordRules: readonly Rule[] = [
  domainNotFound,
  domainLookupFails,
  mxMissing,
  noMailHost,
  nullMx,
  nullMxMixed,
  nullMxPreference,
  nullMxButSends,
  nullMxAdvised,
  mxTargetNotHostname,
  mxTargetIsAddress,
  mxTargetSpecialName,
  mxTargetMisspelt,
  mxTargetUnregistered,
  mxTargetUnresolvable,
  mxTargetIsAlias,
  mxTargetAliasBroken,
  mxTargetIsWebServer,
  mxTargetTwice,
  mxDiffersFromDeclared,
  providerSetIncomplete,
  providerSetMixed,
  providerFormObsolete,
  mxPreferencesOdd,
  domainIsAlias,
  aliasWithOtherData,
  mxTooMany,
  mxTtlExtreme,
  domainByWildcard,
  wildcardMx,
  wildcardTxt,
  domainDotless,
]
