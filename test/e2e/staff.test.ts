// Staff limited to one hospital see that hospital's books and conversions only.
import { beforeAll, describe, expect, it } from 'vitest';
import { chargedVisit, newPatient, sceneOf, settle } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { said } from '../visit/support.ts';

const app = useApp({ worker: false });
const OURS = 'H35020000001';
const THEIRS = 'H35020000002';
let settlementId: string;
let conversionId: string;

beforeAll(async () => {
  const scene = await sceneOf(app, OURS);
  const { person } = await newPatient(app);
  const visit = await chargedVisit(scene, person);
  settlementId = (await settle(scene, visit.id, { insurance: 'skip' })).body.id;
  const late = await chargedVisit(scene, person);
  await app.fault({ mode: 'error500', on: ['2203'] });
  conversionId = (await settle(scene, late.id)).body.conversionId;
  await app.fault({ mode: 'none' });
  expect(conversionId).toMatch(/^cnv_/);
});

describe('staff of one hospital', () => {
  const ask = (path: string, token: string) => app.call('GET', path, { token });

  it.each(['financeMaker', 'financeChecker', 'auditor', 'admin'] as const)(
    'as %s see their own hospital only',
    async (role) => {
      const [own, foreign] = await Promise.all([
        app.token(role, { hospitalCode: OURS }),
        app.token(role, { hospitalCode: THEIRS }),
      ]);
      expect((await ask(`/v1/conversions/${conversionId}`, own)).body.id).toBe(conversionId);
      expect(said(await ask(`/v1/conversions/${conversionId}`, foreign))).toEqual([
        404,
        'resource/not-found',
      ]);
      expect((await ask('/v1/conversions', own)).body.data).toHaveLength(1);
      expect((await ask('/v1/conversions', foreign)).body.data).toEqual([]);
      const ledgers = await ask('/v1/ledger/entries?limit=100', own);
      const owners = ledgers.body.data.flatMap((entry: { legs: ReplyBody[] }) =>
        entry.legs.map((leg) => `${leg.ownerKind} ${leg.owner}`),
      );
      expect(new Set(owners)).toEqual(new Set([`H ${OURS}`]));
      expect((await ask('/v1/ledger/entries', foreign)).body.data).toEqual([]);
      const query = `settlementId=${settlementId}`;
      expect((await ask(`/v1/ledger/entries?${query}`, foreign)).body.data).toEqual([]);
      const asked = `owner=${OURS}&ownerKind=H`;
      expect((await ask(`/v1/ledger/entries?${asked}`, foreign)).body.data).toEqual([]);
      const trial = await ask('/v1/ledger/trial-balance', foreign);
      expect(trial.body.owners).toEqual([]);
      const verdict = await ask('/v1/ops/verify', foreign);
      for (const law of verdict.body.laws) expect(law.detail).toBeUndefined();
    },
  );

  it('of the city see all hospitals and lenders', async () => {
    const token = await app.token('auditor');
    const trial = await ask('/v1/ledger/trial-balance', token);
    const kinds = trial.body.owners.map((o: { ownerKind: string }) => o.ownerKind);
    expect(new Set(kinds)).toEqual(new Set(['H', 'B']));
    expect((await ask(`/v1/conversions/${conversionId}`, token)).status).toBe(200);
  });
});
