// Zones whose patients need no filing for care elsewhere: part of the filing policy, so that a change
// is a new version of it and a visit of last month is still judged by the zones of then.
import type { z } from 'zod';
import type { Db, Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { type FilingPolicy, filingPolicySchema, type zoneSchema } from '../insurance/filing.ts';
import { addPolicy, changePolicy, type PolicyVersion, policyEtag, versionsOf } from './policies.ts';

export type Zone = z.infer<typeof zoneSchema>;

/** As of the last version of the policy. */
export async function listZones(db: Db | Tx): Promise<Zone[]> {
  return (await lastFiling(db)).zones;
}

/** 409 zone/exists when there is one of this name. */
export async function addZone(tx: Tx, zone: Zone): Promise<Zone> {
  const { last, zones } = await lastFiling(tx);
  if (zones.some((known) => known.name === zone.name)) throw new Refusal('zone/exists');
  await saveZones(tx, last, [...zones, zone]);
  return zone;
}

/** 404 when there is none of this name. */
export async function removeZone(tx: Tx, name: string): Promise<void> {
  const { last, zones } = await lastFiling(tx);
  const left = zones.filter((zone) => zone.name !== name);
  if (left.length === zones.length) throw new Refusal('resource/not-found');
  await saveZones(tx, last, left);
}

async function lastFiling(db: Db | Tx) {
  const [last] = await versionsOf(db, 'filing', 'default');
  const policy: FilingPolicy = last ? filingPolicySchema.parse(last.data) : { freeZones: [] };
  return { last, zones: policy.freeZones };
}

async function saveZones(tx: Tx, last: PolicyVersion | undefined, freeZones: Zone[]) {
  const change = {
    kind: 'filing',
    name: 'default',
    // A version that is still to come is followed by this one, not overtaken.
    validFrom: last?.validFrom ?? null,
    data: { freeZones },
  } as const;
  if (last) await changePolicy(tx, change, policyEtag(last));
  else await addPolicy(tx, change);
}
