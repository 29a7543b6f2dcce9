// Role: compares what the service answered with what the story promises.
import { type Got, StepError } from './client.ts';
import type { Settlement, Visit } from './replies.ts';
import type { VisitPlan } from './visit-plan.ts';

export function checkVisit(plan: VisitPlan, visit: Visit): void {
  const { decline } = plan.expect;
  if (decline && visit.holdDecline?.code !== decline) {
    throw new StepError(`hold decline ${visit.holdDecline?.code ?? 'none'}, not ${decline}`);
  }
}

export function checkSettlement(plan: VisitPlan, { insurance, ...settlement }: Settlement): void {
  const { expect } = plan;
  const kinds = settlement.tenders.map((tender) => tender.kind);
  const broken = [
    expect.insurance !== undefined && insurance.status !== expect.insurance
      ? `insurance ${insurance.status} (${insurance.reason ?? ''}), not ${expect.insurance}`
      : '',
    expect.tender !== undefined && !kinds.includes(expect.tender)
      ? `no tender ${expect.tender} among ${kinds}`
      : '',
    expect.hasUnused && settlement.unused.length === 0 ? 'nothing came back unused' : '',
    expect.isDue && settlement.dueAtCounter === '0.00' ? 'nothing is due at the counter' : '',
  ].filter((text) => text !== '');
  if (broken.length > 0) throw new StepError(broken.join('; '));
}

export function checkReplay(first: Got<unknown>, again: Got<unknown>): void {
  if (!again.isReplayed || again.text !== first.text) {
    throw new StepError('the same key did not get the stored reply byte for byte');
  }
}
