// Policies by an administrator. Law: a policy is never edited: a change is a new version that holds
// from a day on, made by somebody who has seen the one before (If-Match).
import { sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { policy } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { requireMatch } from '../http/if-match.ts';
import { faultsOf, type PolicyKindName, policyKinds } from './policy-kinds.ts';

export interface PolicyVersion {
  kind: PolicyKindName;
  name: string;
  version: number;
  validFrom: Date;
  data: unknown;
}

interface Row extends Omit<PolicyVersion, 'validFrom'> {
  valid_from: string;
}

const versionOf = ({ valid_from, ...row }: Row): PolicyVersion => ({
  ...row,
  validFrom: new Date(valid_from),
});

/** The tag of a policy as it is: its last version, whether it holds already or not. */
export const policyEtag = (row: Pick<PolicyVersion, 'version'>): string => `"${row.version}"`;

/** The last version of each policy, by kind and name, `limit` of them after a key. */
export async function listPolicies(
  db: Db,
  window: { kind: PolicyKindName | null; after: readonly [string, string]; limit: number },
): Promise<PolicyVersion[]> {
  const { kind, after, limit } = window;
  const found = await rows<Row>(
    db,
    sql`
    select distinct on (kind, name) kind, name, version, valid_from, data from policy
    where (kind, name) > (${after[0]}, ${after[1]}) and (${kind}::text is null or kind = ${kind})
    order by kind, name, version desc limit ${limit}::int`,
  );
  return found.map(versionOf);
}

/** Every version of a policy, the last first; empty when there is none. */
export async function versionsOf(
  db: Db | Tx,
  kind: PolicyKindName,
  name: string,
): Promise<PolicyVersion[]> {
  const found = await rows<Row>(
    db,
    sql`
    select kind, name, version, valid_from, data from policy
    where kind = ${kind} and name = ${name} order by version desc`,
  );
  return found.map(versionOf);
}

export interface PolicyChange {
  kind: PolicyKindName;
  name: string;
  /** Business time; null: from now on. */
  validFrom: Date | null;
  data: unknown;
}

/** The first version of a policy. 409 policy/exists, 422 policy/invalid. */
export async function addPolicy(tx: Tx, change: PolicyChange): Promise<PolicyVersion> {
  if (!policyKinds[change.kind].names.test(change.name)) {
    throw new Refusal('policy/invalid', {
      errors: [{ pointer: '/name', detail: 'not a name of this kind of policy' }],
    });
  }
  return saveVersion(tx, change, 1);
}

/** A new version after the one that `ifMatch` names. 404, 412, 428, 422 policy/invalid. */
export async function changePolicy(
  tx: Tx,
  change: PolicyChange,
  ifMatch: string | null,
): Promise<PolicyVersion> {
  const [last] = await versionsOf(tx, change.kind, change.name);
  if (!last) throw new Refusal('resource/not-found');
  requireMatch(ifMatch, policyEtag(last));
  return saveVersion(tx, change, last.version + 1);
}

/** Two who change the same version at once: the primary key lets one through. */
async function saveVersion(tx: Tx, change: PolicyChange, version: number): Promise<PolicyVersion> {
  const { kind, name, data } = change;
  const errors = faultsOf(kind, data);
  if (errors.length > 0) throw new Refusal('policy/invalid', { errors });
  const at = change.validFrom?.toISOString() ?? null;
  const [row] = await tx
    .insert(policy)
    .values({
      ...{ kind, name, version, data },
      validFrom: sql`greatest(business_now(), ${at}::timestamptz)`,
    })
    .onConflictDoNothing()
    .returning({ validFrom: policy.validFrom });
  if (!row) throw new Refusal(version === 1 ? 'policy/exists' : 'request/precondition-failed');
  return { kind, name, version, data, validFrom: row.validFrom };
}
