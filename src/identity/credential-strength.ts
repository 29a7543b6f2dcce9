// Which credentials are their owner's own act: a card can be carried by anybody, a face, a chip with
// its PIN, a code from the owner's own phone cannot.
import type { CredentialKind } from './credential-schema.ts';

const ownActs: readonly string[] = [
  'paymentCode',
  'face',
  'nfc',
  'insuranceCode',
] satisfies CredentialKind[];

/** An identification counts as what was shown first; null (an unnamed patient) is nobody's act. */
export function isOwnAct(kind: string | null): boolean {
  return kind !== null && ownActs.includes(kind);
}
