// 个账授权: what the citizen allows decides which account money the insurer may use (acct_used_flag).
import { beforeAll, describe, expect, it } from 'vitest';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { insurerOf } from '../visit/support.ts';

const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

/** A patient with 20.00 of their own and a spouse's bound account of 15.00. */
async function patientWithAccounts() {
  const patient = await newPatient(app, { accountBalance: '20.00' });
  const relative = uniquePerson();
  await app.register(relative, {
    insurance: { status: 'active', type: 'employee', region: '350200', accountBalance: '15.00' },
    kin: [{ idNumber: patient.person.idNumber, relation: 'child' }],
  });
  return patient;
}

const authorise = (token: string, personalAccount: boolean, familyAccount: boolean) =>
  app.call('PUT', '/v1/me/account-authorisation', {
    token,
    body: { personalAccount, familyAccount },
  });

const accountsOf = ({ tenders }: ReplyBody): Record<string, string> =>
  Object.fromEntries(
    tenders
      .filter(({ kind }: { kind: string }) => kind.endsWith('Account'))
      .map(({ kind, amount }: { kind: string; amount: string }) => [kind, amount]),
  );

async function flagsSent(visitNumber: string): Promise<string[]> {
  const [{ mdtrtId }] = (await app.claims({ visitNumber })) as [{ mdtrtId: string }];
  const sent = await insurerOf(app).messages({ infno: '2207' });
  const text = sent.map((message) => JSON.stringify(message)).filter((m) => m.includes(mdtrtId));
  return text.flatMap((m) => /acct_used_flag\\*":\\*"(\d)/.exec(m)?.[1] ?? []);
}

describe('account money', () => {
  it.each([
    ['0: none', false, false, {}, '0'],
    ['1: the own account', true, false, { personalAccount: '20.00' }, '1'],
    ['2: own, then family', true, true, { personalAccount: '20.00', familyAccount: '15.00' }, '2'],
  ] as const)('is used as authorised (flag %s)', async (_, personal, family, expected, flag) => {
    const { person, token } = await patientWithAccounts();
    const set = await authorise(token, personal, family);
    expect(set.body).toEqual({ personalAccount: personal, familyAccount: family });
    const visit = await chargedVisit(scene, person);
    const settled = await settle(scene, visit.id);
    expect(settled.body.insurance.status).toBe('claimed');
    expect(accountsOf(settled.body)).toEqual(expected);
    expect(await flagsSent(visit.visitNumber)).toEqual([flag]);
    await expectLaws(app);
  });

  it('is used by phone as at the counter, and no longer once the wish is taken back', async () => {
    const { person, token } = await patientWithAccounts();
    await authorise(token, true, false);
    const visit = await chargedVisit(scene, person);
    const settled = await app.call('POST', `/v1/me/bills/${visit.id}/settlement`, { token });
    expect(accountsOf(settled.body)).toEqual({ personalAccount: '20.00' });
    await authorise(token, false, false);
    const later = await settle(scene, (await chargedVisit(scene, person)).id);
    expect(accountsOf(later.body)).toEqual({});
  });

  it('is overruled for one visit by what the patient says at the counter', async () => {
    const { person, token } = await patientWithAccounts();
    await authorise(token, true, true);
    const visit = await chargedVisit(scene, person, {
      usePersonalAccount: false,
      useFamilyAccount: false,
    });
    expect(accountsOf((await settle(scene, visit.id)).body)).toEqual({});
  });
});
