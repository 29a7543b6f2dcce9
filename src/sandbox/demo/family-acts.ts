// Role: acts of the family demo: an unnamed emergency over an insurer that is away, and a visitor from
// another region who is not filed.
import {
  type FamilyCounter,
  type FamilyVisit,
  idCardOf,
  tenderOf,
  until,
} from './family-counter.ts';
import { setFault } from './outage-acts.ts';
import type { Conversion } from './outage-report.ts';
import { type DemoPerson, welcome } from './people.ts';

export async function playEmergency(counter: FamilyCounter, patient: DemoPerson): Promise<void> {
  counter.act('三 无名急诊，医保中断 An unnamed emergency while the insurer is away');
  const { client, tally } = counter.stage;
  await welcome(client, tally, patient);
  await setFault(client, { mode: 'refuseConnection' });
  try {
    const visit = await counter.open('emergency', {});
    await counter.charge(visit, ['180.00', '420.00']);
    counter.show('无名，照收 Unnamed, never refused', `${visit.status}`, visit.status === 'open');
    const path = `/v1/visits/${visit.id}`;
    const bound = await client.patch<FamilyVisit & { patient: { name: string } | null }>(path, {
      token: counter.token,
      body: { credential: idCardOf(patient) },
      expect: [200],
    });
    counter.show(
      '稍后补登身份 Bound later, insurer still away',
      `${bound.body.patient?.name}`,
      bound.body.patient !== null,
    );
    const bill = await counter.settle(visit);
    counter.show(
      '先自费结算 Settled as self-pay',
      `${bill.insurance.status}；额度 line ${tenderOf(bill, 'credit')}，待付 due ${bill.dueAtCounter}`,
      bill.insurance.status === 'awaitingInsurance',
    );
    await setFault(client, { mode: 'none' });
    await showConversion(counter, bill.id, 'converted');
    const { outstanding } = await counter.line(patient);
    const now = await counter.bill(bill.id);
    counter.show(
      '债务随之减少 The debt shrinks with it',
      `欠款 owed ${tenderOf(bill, 'credit')} → ${outstanding}`,
      outstanding === tenderOf(now, 'credit'),
    );
  } finally {
    await setFault(client, { mode: 'none' });
  }
}

/** The settlement's newest conversion, once it has come to its end; shown with its proof. */
async function showConversion(counter: FamilyCounter, settlementId: string, ending: string) {
  const { client } = counter.stage;
  const token = await client.staff('auditor');
  const found = await until(`conversion of ${settlementId}`, async () => {
    const sent = { token, expect: [200] };
    const got = await client.get<{ data: Conversion[] }>('/v1/conversions?limit=100', sent);
    const newest = got.body.data.find((conversion) => conversion.settlementId === settlementId);
    return newest && ['converted', 'rejected'].includes(newest.status) ? newest : null;
  });
  const { status, proof, reason } = found;
  const isWhole = status === 'rejected' || proof.balanced === true;
  counter.show(
    status === 'converted' ? '转医保 Converted' : '转医保被拒 Conversion refused',
    reason ?? `${status}：${proof.totalBefore} = ${proof.totalAfter}`,
    status === ending && isWhole,
  );
}

export async function playVisitor(counter: FamilyCounter, person: DemoPerson): Promise<void> {
  counter.act(
    '四 上海来客 A visitor from Shanghai (长三角免备案不含本市 no filing-free zone here)',
  );
  const { client, tally } = counter.stage;
  const home = { ...person.insurance, type: 'employee' as const, region: '310000' };
  const visitor = { ...person, insurance: { ...home, filed: false } };
  await welcome(client, tally, visitor);
  const visit = await counter.open('outpatient', { credential: idCardOf(visitor) });
  await counter.charge(visit, ['260.00']);
  counter.show(
    '开单即告知未备案 Told at the opening',
    `${visit.filing?.status}：${visit.filing?.reason}`,
    visit.filing?.status === 'notFiled',
  );
  const refused = await counter.post<{ code: string; detail: string }>(
    `/v1/visits/${visit.id}/settlement`,
    {},
    [409],
  );
  const { outstanding } = await counter.line(visitor);
  counter.show(
    '动钱之前拒绝 Refused before money moves',
    `${refused.code}：${refused.detail.split('。')[0]}；欠款 owed ${outstanding}`,
    refused.detail.includes('lateFiling') && outstanding === '0.00',
  );
  const bill = await counter.settle(visit, { insurance: 'skip' });
  counter.show(
    '先自费 Self-pay',
    `${bill.insurance.status}；额度 line ${tenderOf(bill, 'credit')}`,
    tenderOf(bill, 'credit') === '260.00',
  );
  const filed = { ...visitor, lender: null, insurance: { ...home, filed: true } };
  const emergency = await counter.open('emergency', { credential: idCardOf(visitor) });
  await counter.charge(emergency, ['300.00']);
  const urgent = await counter.settle(emergency);
  counter.show(
    '急诊视同备案 An emergency counts as filed',
    `${emergency.filing?.status}：${urgent.insurance.status}，基金 fund ${tenderOf(urgent, 'insuranceFund')}`,
    emergency.filing?.status === 'countsAsFiled' && urgent.insurance.status === 'claimed',
  );
  await welcome(client, tally, filed);
  await counter.post(`/v1/settlements/${bill.id}/conversion`, { cause: 'lateFiling' });
  await showConversion(counter, bill.id, 'converted');
}
