// Role: `npm run demo -- family`: a mother pays for her child and her own mother, an unnamed emergency,
// a week in hospital and a visitor from Shanghai: each step shown with its proof, and checked.
import { checkCharacter } from '../../identity/id-number.ts';
import { StepError } from './client.ts';
import { playEmergency, playVisitor } from './family-acts.ts';
import { FamilyCounter, idCardOf, less, tenderOf } from './family-counter.ts';
import { playStay } from './family-stay.ts';
import { type DemoPerson, inventPerson, welcome } from './people.ts';
import { refundLine } from './refunds.ts';
import type { Stage } from './scenario.ts';

/** Under 14: the guardian may see what was done. */
const CHILD_AGE = 8;

interface Link {
  id: string;
  status: string;
  kinship: string;
  acceptedVia: string | null;
}

interface Cast {
  mother: DemoPerson;
  child: DemoPerson;
  grandmother: DemoPerson;
}

/** The scenario; whatever is off becomes a failure of the tally, and the other acts go on. */
export async function playFamily(stage: Stage): Promise<void> {
  const counter = await FamilyCounter.at(stage);
  const cast = castOf(stage.salt);
  const other = (index: number) => inventPerson(index, stage.salt);
  const acts = [
    () => playChild(counter, cast),
    () => playGrandmother(counter, cast),
    () => playEmergency(counter, { ...other(20), score: 650 }),
    () => playVisitor(counter, { ...other(40), score: 650 }),
    () => playStay(counter, { ...other(31), score: 560 }),
    () => counter.judge(),
  ];
  for (const [done, act] of acts.entries()) {
    await act().catch((error: unknown) => {
      if (!(error instanceof StepError)) throw error;
      counter.show('意外 Unexpected', error.message, false);
    });
    stage.progress.at('家庭 family', done + 1, acts.length);
  }
  stage.progress.end();
  console.log(counter.lines().join('\n'));
}

function castOf(salt: number): Cast {
  const mother: DemoPerson = { ...inventPerson(36, salt), score: 650 };
  const kin = (relation: 'parent' | 'child') => [{ idNumber: mother.idNumber, relation }];
  const insured = { ...mother.insurance, type: 'resident' as const, accountBalance: '0.00' };
  const relative = { lender: null, insurance: insured };
  const young = new Date().getFullYear() - CHILD_AGE - 1;
  return {
    mother,
    child: { ...bornIn(inventPerson(38, salt), young), ...relative, kin: kin('parent') },
    grandmother: { ...inventPerson(5, salt), ...relative, kin: kin('child') },
  };
}

function bornIn(person: DemoPerson, year: number): DemoPerson {
  const digits = `${person.idNumber.slice(0, 6)}${year}${person.idNumber.slice(10, 17)}`;
  return { ...person, idNumber: digits + checkCharacter(digits) };
}

/** Explanations have the English after the Chinese; a line of the table has room for one. */
const inChinese = (text = '') => text.split(' ')[0];

async function link(
  counter: FamilyCounter,
  payer: DemoPerson,
  order: { kind: string; person: DemoPerson; visitCap: string; monthlyCap: string },
): Promise<Link> {
  const { client } = counter.stage;
  const { kind, person, visitCap, monthlyCap } = order;
  const { name, idNumber } = person;
  const got = await client.post<Link>('/v1/me/family-links', {
    token: await client.citizen(payer),
    body: { kind, beneficiary: { name, idNumber }, visitCap, monthlyCap },
    expect: [201],
  });
  return got.body;
}

async function playChild(counter: FamilyCounter, { mother, child }: Cast): Promise<void> {
  counter.act('一 孩子 A child, on the mother’s line');
  const { client, tally } = counter.stage;
  await welcome(client, tally, mother);
  await welcome(client, tally, child);
  const caps = { visitCap: '500.00', monthlyCap: '1000.00' };
  const made = await link(counter, mother, { kind: 'minorChild', person: child, ...caps });
  counter.show(
    '添加孩子，监护人同意 The mother links her child',
    `${made.status}；亲属关系 kinship by ${made.kinship}，${made.acceptedVia}`,
    made.status === 'active' && made.kinship === 'registry',
  );
  const credential = await counter.face(child);
  const visit = await counter.open('outpatient', { credential, proxy: await counter.face(mother) });
  counter.show(
    '孩子刷脸，母亲代办 Face of the child, proxy the mother',
    `代办 proxy ${visit.proxy?.name}；付款 payer ${visit.payer === made.id ? '母亲 mother' : visit.payer}；占用 held ${visit.hold?.amount}`,
    visit.payer === made.id && visit.proxy !== undefined && visit.hold?.amount === '300.00',
  );
  await counter.charge(visit, ['120.00', '200.00']);
  type Bills = { data: { visitId: string; total: string; patient: { relation: string } }[] };
  const bills = await counter.phone<Bills>(mother, '/v1/me/bills');
  const open = bills.data.find(({ visitId }) => visitId === visit.id);
  counter.show(
    '母亲手机看到孩子账单 The bill on the mother’s phone',
    `${open?.patient.relation}，待付 to pay ${open?.total}`,
    open?.patient.relation === 'child' && open.total === '320.00',
  );
  const settlement = await counter.settle(visit);
  const owed = (await counter.line(mother)).outstanding;
  const credit = tenderOf(settlement, 'credit');
  counter.show(
    '结算 Settled',
    `320.00 = 基金 fund ${tenderOf(settlement, 'insuranceFund')} + 母亲额度 mother’s line ${credit}`,
    owed === credit && settlement.dueAtCounter === '0.00',
  );
  await refundLine({ client, tally, token: counter.token, settlement }, 1);
  const rest = (await counter.line(mother)).outstanding;
  type Mine = { data: { id: string; role: string; cameBack: { amount: string; why: string }[] }[] };
  const mine = await counter.phone<Mine>(mother, '/v1/me/settlements');
  const seen = mine.data.find(({ id }) => id === settlement.id);
  const back = seen?.cameBack[0];
  counter.gaveBack(settlement.id, back?.amount ?? '0.00');
  counter.show(
    '退一项，钱回母亲额度 Refund goes back to her line',
    `欠款 owed ${owed} → ${rest}；手机 phone: ${seen?.role}，退回 back ${back?.amount}`,
    seen?.role === 'guardian' && back?.amount === less(owed, rest) && rest !== owed,
  );
}

async function playGrandmother(
  counter: FamilyCounter,
  { mother, grandmother }: Cast,
): Promise<void> {
  counter.act('二 外婆 A grandparent, on her daughter’s line');
  const { client, tally } = counter.stage;
  await welcome(client, tally, grandmother);
  const caps = { visitCap: '200.00', monthlyCap: '350.00' };
  const made = await link(counter, mother, { kind: 'parentCare', person: grandmother, ...caps });
  const accepted = await counter.post<Link>(`/v1/family-links/${made.id}/accept`, {
    credential: await counter.face(grandmother),
  });
  counter.show(
    '女儿代付，外婆窗口刷脸接受 She accepts at the counter',
    `${made.status} → ${accepted.status}，${accepted.acceptedVia}`,
    made.status === 'pending' && accepted.status === 'active' && accepted.acceptedVia === 'counter',
  );
  const visit = await counter.open('outpatient', {
    credential: idCardOf(grandmother),
    payer: made.id,
    holdAmount: '200.01',
  });
  const decline = visit.holdDecline as { code: string; why?: string; next?: string } | null;
  counter.show(
    '占用 200.01，限额 200.00 One fen above the cap',
    `${decline?.code}：${inChinese(decline?.why)}${inChinese(decline?.next)}`,
    decline?.code === 'family/cap-exceeded' && Boolean(decline.why && decline.next),
  );
  const hold = await client.put<{ amount: string }>(`/v1/visits/${visit.id}/hold`, {
    token: counter.token,
    body: { amount: '200.00' },
    expect: [200, 201],
  });
  counter.show(
    '占用 200.00 Exactly the cap',
    `占用 held ${hold.body.amount}，就诊照常 treatment goes on`,
    hold.body.amount === '200.00',
  );
  await counter.charge(visit, ['500.00']);
  const bill = await counter.settle(visit);
  const { dueAtCounter } = bill;
  counter.show(
    '结算，不超限额 Settled within the cap',
    `女儿额度 her line ${tenderOf(bill, 'credit')}，窗口待付 due ${dueAtCounter}`,
    tenderOf(bill, 'credit') === '200.00' && dueAtCounter !== '0.00',
  );
  const paid = await counter.post<{ dueAtCounter: string }>(`/v1/settlements/${bill.id}/payments`, {
    kind: 'cash',
    amount: dueAtCounter,
    reference: `${visit.visitNumber}-cash`,
  });
  counter.show(
    '其余现金 The rest in cash',
    `${dueAtCounter} → ${paid.dueAtCounter}`,
    paid.dueAtCounter === '0.00',
  );
}
