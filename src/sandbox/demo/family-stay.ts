// Role: an act of the family demo: a week in hospital, day by day on the sandbox's clock.
import { type FamilyCounter, type FamilyVisit, idCardOf, tenderOf } from './family-counter.ts';
import { type DemoPerson, welcome } from './people.ts';

const DAY_SECONDS = 86_400;
/** 2,400.00 is four fifths of the first hold; 6,000.00 is all that a line of 1,000 gives to a stay. */
const DAILY = '1100.00';

export async function playStay(counter: FamilyCounter, patient: DemoPerson): Promise<void> {
  counter.act('五 住院一周 An inpatient over a week');
  const { client, tally } = counter.stage;
  await welcome(client, tally, patient);
  const clock = await client.get<{ offsetSeconds: number }>('/sandbox/clock', { expect: [200] });
  const dayAt = (day: number) =>
    client.put('/sandbox/clock', {
      body: { offsetSeconds: clock.body.offsetSeconds + day * DAY_SECONDS },
      expect: [200],
    });
  try {
    await stayForAWeek(counter, patient, dayAt);
  } finally {
    await dayAt(0);
  }
}

async function stayForAWeek(
  counter: FamilyCounter,
  patient: DemoPerson,
  dayAt: (day: number) => Promise<unknown>,
): Promise<void> {
  const visit = await counter.open('inpatient', {
    credential: idCardOf(patient),
    admission: { number: `ZY-${counter.stage.run}`, bed: '12', ward: '呼吸内科病区' },
  });
  const { hold, admission } = await counter.read(visit);
  counter.show(
    '免押金入院 Admitted without deposit',
    `占用 held ${hold?.amount}，医保 insurer ${admission?.insurer}`,
    hold?.amount === '3000.00' && admission?.insurer === 'admitted',
  );
  const held: string[] = [];
  for (let day = 1; day <= 5; day += 1) {
    await dayAt(day - 1);
    await counter.charge(visit, [DAILY], day);
    held.push((await counter.read(visit)).hold?.amount ?? 'none');
  }
  counter.show(
    '每日 1100.00，占用随之增加 The hold grows',
    held.map((amount, i) => `第${i + 1}天 ${amount}`).join(' '),
    held.at(-1) === '6000.00' && held[0] === '3000.00',
  );
  await showWarning(counter, patient);
  const interim = await counter.settle(visit, { interim: true });
  counter.show(
    '中途结算 Interim settlement',
    `${interim.total} = 基金 fund ${tenderOf(interim, 'insuranceFund')} + 个账 account ${tenderOf(interim, 'personalAccount')} + 额度 line ${tenderOf(interim, 'credit')}`,
    interim.interim === true && interim.insurance.status === 'claimed',
  );
  await dayAt(5);
  await counter.charge(visit, ['900.00'], 6);
  await dayAt(6);
  const left = await counter.post<FamilyVisit>(`/v1/visits/${visit.id}/discharge`, {});
  const reference = `${visit.visitNumber}-deposit`;
  const deposit = { kind: 'deposit', amount: '800.00', reference };
  const last = await counter.settle(visit, { counterTenders: [deposit] });
  counter.show(
    '出院结算 Discharged and settled',
    `${left.admission?.dischargedAt?.slice(0, 10)}：${last.total}，${last.insurance.status}，待付 due ${last.dueAtCounter}`,
    last.interim !== true && last.insurance.status === 'claimed' && last.dueAtCounter === '0.00',
  );
  const surplus = last.unused[0];
  counter.show(
    '自愿预交金 800.00 余额三个工作日内退 Refund clock',
    `退 back ${surplus?.amount}，不迟于 by ${surplus?.refundBy}`,
    surplus?.refundBy !== undefined,
  );
}

async function showWarning(counter: FamilyCounter, patient: DemoPerson): Promise<void> {
  type Notices = { data: { type: string; title: string; text: string }[] };
  const notices = await counter.phone<Notices>(patient, '/v1/me/notices?limit=100');
  const warning = notices.data.find(({ type }) => type === 'hold.runningOut');
  counter.show(
    '用完之前提醒 Warned before it runs out',
    warning?.text ?? 'no warning',
    warning !== undefined,
  );
}
