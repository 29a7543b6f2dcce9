// Law: the outage demo plays what it says, and its judgement finds whatever is off.
import { describe, expect, test } from 'vitest';
import { faultsOf, type InsurerClaim } from '../../src/sandbox/demo/outage-check.ts';
import { castOfOutage, planOutage } from '../../src/sandbox/demo/outage-plan.ts';
import { type Conversion, countLines, proofLines } from '../../src/sandbox/demo/outage-report.ts';
import type { Settlement } from '../../src/sandbox/demo/replies.ts';

const visits = planOutage(castOfOutage(5));

describe('the plan of the outage', () => {
  test('has 500 visits with numbers of their own, most of them while the insurer is away', () => {
    expect(new Set(visits.map(({ number }) => number)).size).toBe(500);
    const away = visits.filter(({ phase }) => phase === 'portClosed' || phase === 'answersLost');
    expect(away).toHaveLength(300);
  });

  test('refunds some visits by line and some wholly while they wait, and no others', () => {
    const acted = visits.filter(({ act }) => act !== null);
    expect(new Set(acted.map(({ phase }) => phase))).toEqual(new Set(['portClosed']));
    expect(acted.filter(({ act }) => act === 'refundLine').length).toBeGreaterThan(10);
    expect(acted.filter(({ act }) => act === 'refundAll').length).toBeGreaterThan(1);
  });

  test('has people of another region, without insurance, and without a credit line', () => {
    const away = visits.filter(({ phase }) => phase === 'portClosed');
    expect(away.some(({ isInsured }) => !isInsured)).toBe(true);
    const people = away.map(({ plan }) => plan.patient);
    expect(people.some(({ insurance }) => insurance.region === '350100')).toBe(true);
    expect(people.some(({ lender }) => lender === null)).toBe(true);
  });
});

const converted: Settlement = {
  id: 'set_1',
  visitId: 'vis_1',
  status: 'settled',
  total: '300.00',
  dueAtCounter: '10.00',
  tenders: [
    { kind: 'insuranceFund', amount: '190.00' },
    { kind: 'personalAccount', amount: '30.00' },
    { kind: 'credit', amount: '40.00' },
    { kind: 'cash', amount: '30.00' },
  ],
  unused: [],
  insurance: { status: 'converted', claimId: 'S1' },
  refundable: '300.00',
};
const claim: InsurerClaim = {
  setlId: 'S1',
  status: 'settled',
  medfeeSumamt: '300.00',
  psnCashPay: '80.00',
};
const waited = { isInsured: true, wasWaiting: true };

describe('the check against the insurer’s books', () => {
  test('finds nothing when one live claim says what the citizen carries', () => {
    expect(faultsOf(converted, [claim], waited)).toEqual([]);
    const undone: InsurerClaim = { ...claim, setlId: 'S0', status: 'reversed' };
    expect(faultsOf(converted, [undone, claim], waited)).toEqual([]);
  });

  test('takes a refund off what is carried, for the claim is of what is left', () => {
    const refunded = { ...converted, refundable: '280.00' };
    const rest = { ...claim, medfeeSumamt: '280.00', psnCashPay: '60.00' };
    expect(faultsOf(refunded, [rest], waited)).toEqual([]);
    expect(faultsOf(refunded, [claim], waited)).toHaveLength(2);
  });

  test('takes what came back of a claimed bill as the caller knows it', () => {
    const insurance = { status: 'claimed', claimId: 'S1' };
    const refunded = { ...converted, refundable: '280.00', insurance };
    const rest = { ...claim, medfeeSumamt: '280.00', psnCashPay: '75.00' };
    const patient = { isInsured: true, wasWaiting: false };
    expect(faultsOf(refunded, [rest], { ...patient, cameBack: 500n })).toEqual([]);
    expect(faultsOf(refunded, [rest], { ...patient, cameBack: 501n })).toHaveLength(1);
  });

  test.each<[string, Partial<Settlement>, InsurerClaim[]]>([
    ['no live claim', {}, [{ ...claim, status: 'reversed' }]],
    ['two live claims', {}, [claim, { ...claim, setlId: 'S2' }]],
    ['another claim than ours', {}, [{ ...claim, setlId: 'S2' }]],
    ['another amount to carry', {}, [{ ...claim, psnCashPay: '80.01' }]],
    ['tenders that do not sum', { dueAtCounter: '9.99' }, [{ ...claim, psnCashPay: '79.99' }]],
    ['a visit that still waits', { insurance: { status: 'awaitingInsurance' } }, []],
    ['a claim of a refused visit', { insurance: { status: 'rejected' } }, [claim]],
  ])('finds %s', (_, off, claims) => {
    expect(faultsOf({ ...converted, ...off }, claims, waited)).not.toEqual([]);
  });

  test('wants no live claim of a visit that was wholly refunded or never insured', () => {
    const reversed = { ...converted, refundable: '0.00', insurance: { status: 'reversed' } };
    expect(faultsOf(reversed, [], waited)).toEqual([]);
    expect(faultsOf(reversed, [claim], waited)).not.toEqual([]);
    const rejected = { ...converted, insurance: { status: 'rejected' } };
    expect(faultsOf(rejected, [], { ...waited, isInsured: false })).toEqual([]);
    expect(faultsOf(rejected, [], waited)).not.toEqual([]);
  });
});

describe('the report of the outage', () => {
  const parts = [{ kind: 'credit', amount: '300.00' }];
  const proof = { totalBefore: '300.00', totalAfter: '300.00', balanced: true };
  const made: Conversion = {
    id: 'cnv_000001',
    settlementId: 'set_1',
    status: 'converted',
    before: parts,
    after: parts,
    refunds: [],
    proof,
  };

  test('shows a refused conversion beside the converted ones, with its reason', () => {
    const refused = { ...made, status: 'rejected', after: null, reason: '未参保' };
    const lines = proofLines([made, made, refused], 5);
    expect(lines).toHaveLength(4);
    expect(lines.join('\n')).toContain('300.00 = 300.00 ✓');
    expect(lines.join('\n')).toContain('未参保');
  });

  test('counts every status, what still waits too', () => {
    const queued = { ...made, status: 'queued' };
    expect(countLines([made, queued]).join()).toMatch(/converted 1.*waiting 1/);
  });
});
