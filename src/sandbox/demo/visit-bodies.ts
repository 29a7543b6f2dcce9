// Role: what the demo's terminal sends to open, charge and settle a visit.
import type { DemoClient } from './client.ts';
import type { Tally } from './tally.ts';
import type { VisitPlan } from './visit-plan.ts';

/** What all visits of a run share. */
export interface Desk {
  client: DemoClient;
  tally: Tally;
  /** Prefix of this run's visit numbers and references, which are unique for ever. */
  run: string;
}

/** One visit at one terminal. */
export interface AtCounter {
  desk: Desk;
  plan: VisitPlan;
  visitNumber: string;
  token: string;
}

export async function openingOf(at: AtCounter): Promise<Record<string, unknown>> {
  const { plan } = at;
  const credential = await credentialOf(at);
  const code = plan.diagnosis ?? { code: 'J06.900', name: '急性上呼吸道感染' };
  return {
    visitNumber: at.visitNumber,
    kind: plan.kind,
    ...(credential ? { credential } : {}),
    department: plan.department ?? { code: 'A03', name: '内科' },
    doctor: { code: 'D350200000001', name: '沈观澜' },
    diagnoses: [code],
    ...(plan.startedAt ? { startedAt: plan.startedAt } : {}),
    ...(plan.holdAmount ? { holdAmount: plan.holdAmount } : {}),
    ...(plan.usePersonalAccount ? { usePersonalAccount: true } : {}),
  };
}

export function settlingOf(at: AtCounter, run: number): Record<string, unknown> {
  const { plan, visitNumber } = at;
  const counterTenders = plan.counterTenders?.map((tender, i) => ({
    ...tender,
    reference: `${visitNumber}-pay-${run}-${i + 1}`,
  }));
  return {
    ...(counterTenders ? { counterTenders } : {}),
    ...(plan.insurance ? { insurance: plan.insurance } : {}),
    receiptNumber: `R-${visitNumber}-${run}`,
  };
}

async function credentialOf(at: AtCounter): Promise<Record<string, unknown> | null> {
  const { patient, credential } = at.plan;
  const { client } = at.desk;
  const idCard = { kind: 'idCard', number: patient.idNumber, name: patient.name };
  if (credential === 'idCard') return idCard;
  if (credential === 'identification') {
    const known = await client.post<{ id: string }>('/v1/identifications', {
      token: at.token,
      body: { credential: idCard },
      expect: [200],
    });
    return { kind: 'identification', id: known.body.id };
  }
  if (credential !== 'paymentCode') return null;
  const issued = await client.post<{ code: string }>('/v1/me/payment-codes', {
    token: await client.citizen(patient),
    expect: [201],
  });
  return { kind: 'paymentCode', code: issued.body.code };
}
