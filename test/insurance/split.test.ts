// Law: no answer that breaks a money invariant becomes a split, not even by one fen.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WireNode } from '../../src/insurance/insurer.ts';
import { readReversal, readSplit } from '../../src/insurance/split.ts';
import { type Fen, formatYuan } from '../../src/money.ts';

const MSGID = 'H13110200026202111291809520478';

interface Truth {
  fund: Fen;
  own: Fen;
  shared: Fen;
  hospital: Fen;
  cash: Fen;
  scopes: [Fen, Fen, Fen];
  parts: [Fen, Fen];
}

/** An honest setlinfo as fields of fen. */
function honest(truth: Truth): Record<string, Fen> {
  const account = truth.own + truth.shared;
  const total = truth.fund + account + truth.cash + truth.hospital;
  const [a, b, c] = truth.scopes.map((part, i) => (total * part) / [300n, 300n, 300n][i]!);
  const supplement = (truth.fund * truth.parts[0]) / 100n;
  return {
    medfee_sumamt: total,
    fund_pay_sumamt: truth.fund,
    acct_pay: account,
    acct_mulaid_pay: truth.shared,
    hosp_part_amt: truth.hospital,
    psn_part_amt: account + truth.cash,
    psn_cash_pay: truth.cash,
    fulamt_ownpay_amt: a!,
    overlmt_selfpay: b!,
    preselfpay_amt: c!,
    inscp_scp_amt: total - a! - b! - c!,
    hifp_pay: truth.fund - supplement,
    cvlserv_pay: 0n,
    hifes_pay: 0n,
    hifmi_pay: 0n,
    hifob_pay: supplement,
    maf_pay: 0n,
    oth_pay: 0n,
  };
}

type Spelling = 'number' | 'text' | 'short';
function spell(fen: Fen, spelling: Spelling): string {
  const text = formatYuan(fen);
  return spelling === 'short'
    ? text.replace(/\.?0+$/, '')
    : spelling === 'text'
      ? text
      : `${text}0`;
}

function setlinfo(
  fields: Record<string, Fen>,
  more: WireNode = {},
  spelling: Spelling = 'text',
): WireNode {
  const spelt = Object.entries(fields).map(([field, fen]) => [field, spell(fen, spelling)]);
  return {
    setlinfo: {
      ...Object.fromEntries(spelt),
      mdtrt_id: 'M1',
      setl_id: '400125241',
      setl_time: '2021-11-29 18:09:52',
      medins_setl_id: MSGID,
      insutype: '310',
      clr_type: '11',
      clr_optins: '131199',
      ...more,
    },
  };
}

const fen = fc.bigInt({ min: 0n, max: 500_000n });
const percent = fc.bigInt({ min: 0n, max: 100n });
const truths: fc.Arbitrary<Truth> = fc.record({
  fund: fen,
  own: fen,
  shared: fen,
  hospital: fen,
  cash: fen,
  scopes: fc.tuple(percent, percent, percent),
  parts: fc.tuple(percent, percent),
});
const expectedOf = (fields: Record<string, Fen>) => ({
  total: fields.medfee_sumamt!,
  mdtrtId: 'M1',
  msgid: MSGID,
  isPreview: false,
});

describe('an honest answer', () => {
  it('is read to the fen, however its amounts are spelt', () => {
    fc.assert(
      fc.property(
        truths,
        fc.constantFrom<Spelling>('number', 'text', 'short'),
        (truth, spelling) => {
          const fields = honest(truth);
          const read = readSplit(setlinfo(fields, {}, spelling), expectedOf(fields));
          expect(read).toEqual({
            split: {
              setlId: '400125241',
              mdtrtId: 'M1',
              medinsSetlId: MSGID,
              insutype: '310',
              clrType: '11',
              clrOptins: '131199',
              setlTime: new Date('2021-11-29T10:09:52Z'),
              total: fields.medfee_sumamt,
              fund: truth.fund,
              account: truth.own + truth.shared,
              familyAccount: truth.shared,
              hospitalBorne: truth.hospital,
              cash: truth.cash,
              fullyOwnPaid: fields.fulamt_ownpay_amt,
              overLimit: fields.overlmt_selfpay,
              firstOwnPaid: fields.preselfpay_amt,
              inScope: fields.inscp_scp_amt,
            },
          });
        },
      ),
    );
  });

  it('may leave out or null what is zero, and the fields that only some regions send', () => {
    fc.assert(
      fc.property(truths, fc.boolean(), (truth, isNull) => {
        const fields = honest({ ...truth, shared: 0n, hospital: 0n });
        const gone = ['acct_mulaid_pay', 'hosp_part_amt', 'psn_part_amt'];
        const kept = Object.fromEntries(
          Object.entries(fields).filter(([field]) => !gone.includes(field)),
        );
        const nulls = isNull ? Object.fromEntries(gone.map((field) => [field, null])) : {};
        expect(readSplit(setlinfo(kept, nulls), expectedOf(fields))).toHaveProperty('split');
      }),
    );
  });

  it('is the sample of the field: all on the account, below the deductible', () => {
    const sample: WireNode = {
      setlinfo: {
        setl_time: null,
        setl_id: null,
        clr_way: null,
        clr_optins: null,
        med_type: '11',
        psn_cash_pay: '0',
        act_pay_dedc: '4.29',
        balc: '1373.63',
        medins_setl_id: MSGID,
        acct_mulaid_pay: '0',
        medfee_sumamt: '4.52',
        acct_pay: '4.52',
        fund_pay_sumamt: '0',
        hosp_part_amt: '0',
        inscp_scp_amt: '4.29',
        psn_part_amt: '4.52',
        preselfpay_amt: '0.23',
        pool_prop_selfpay: '0.0',
        clr_type: '11',
        insutype: '310',
      },
      setldetail: [{ fund_pay_type: '310200', fund_payamt: '4.52' }],
    };
    const read = readSplit(sample, { total: 452n, mdtrtId: 'M1', msgid: MSGID, isPreview: true });
    expect(read).toMatchObject({
      split: { account: 452n, cash: 0n, fund: 0n, setlId: '', setlTime: null },
    });
  });

  it('is read in the spelling of 5203 and of the odd edition', () => {
    const { psn_cash_pay, psn_part_amt, ...fields } = honest({
      fund: 600n,
      own: 100n,
      shared: 50n,
      hospital: 0n,
      cash: 250n,
      scopes: [0n, 0n, 30n],
      parts: [0n, 0n],
    });
    const total = fields.medfee_sumamt!;
    const expected = { total, mdtrtId: 'M1', isPreview: false };
    const of5203 = { ...fields, cash_payamt: psn_cash_pay!, psn_pay: psn_part_amt! };
    expect(readSplit(setlinfo(of5203), expected)).toMatchObject({
      split: { cash: 250n, account: 150n },
    });
    const odd = { ...fields, pdn_cash_pay: psn_cash_pay! };
    expect(readSplit(setlinfo(odd), expected)).toMatchObject({ split: { cash: 250n } });
    expect(
      readSplit(setlinfo({ ...of5203, psn_pay: psn_part_amt! + 1n }), expected),
    ).toHaveProperty('broken');
    expect(readSplit(setlinfo({ ...of5203, cash_payamt: 251n }), expected)).toHaveProperty(
      'broken',
    );
  });

  it('may count the disabled soldiers fund inside oth_pay or beside it', () => {
    const fields = honest({
      fund: 1000n,
      own: 0n,
      shared: 0n,
      hospital: 0n,
      cash: 500n,
      scopes: [0n, 0n, 0n],
      parts: [0n, 0n],
    });
    const inside = { ...fields, hifp_pay: 900n, oth_pay: 100n, hifdm_pay: 100n };
    const beside = { ...fields, hifp_pay: 900n, hifdm_pay: 100n };
    for (const spelling of [inside, beside]) {
      expect(readSplit(setlinfo(spelling), expectedOf(fields))).toHaveProperty('split');
    }
    const off = setlinfo({ ...beside, hifdm_pay: 99n });
    expect(readSplit(off, expectedOf(fields))).toHaveProperty('broken');
    expect(readSplit(off, expectedOf(fields), { fundPartsTolerance: 1n })).toHaveProperty('split');
    expect(readSplit(off, expectedOf(fields), { fundPartsTolerance: null })).toHaveProperty(
      'split',
    );
  });
});

describe('a lying answer', () => {
  it('is broken by one fen more or less in any single field', () => {
    fc.assert(
      fc.property(truths, fc.constantFrom(1n, -1n), fc.nat(), (truth, lie, pick) => {
        const fields = honest({ ...truth, shared: truth.shared + 1n, own: 0n });
        const names = Object.keys(fields);
        const field = names[pick % names.length]!;
        // Own account money may carry less of the shared part without breaking a sum.
        if (field === 'acct_mulaid_pay' && lie < 0n) return;
        const told = { ...fields, [field]: fields[field]! + lie };
        expect(readSplit(setlinfo(told), expectedOf(fields)), field).toHaveProperty('broken');
      }),
    );
  });

  it('is broken by a negative, malformed or too fine amount in any field', () => {
    const fields = honest({
      fund: 600n,
      own: 100n,
      shared: 50n,
      hospital: 10n,
      cash: 250n,
      scopes: [10n, 10n, 30n],
      parts: [10n, 0n],
    });
    for (const field of Object.keys(fields)) {
      for (const bad of ['-0.01', 'NaN', '1,00', '1.001', 'x', '∞']) {
        const read = readSplit(setlinfo(fields, { [field]: bad }), expectedOf(fields));
        expect(read, `${field} ${bad}`).toHaveProperty('broken');
      }
    }
  });

  it('is broken by opposite amounts that cancel out', () => {
    const fields = honest({
      fund: 600n,
      own: 0n,
      shared: 0n,
      hospital: 0n,
      cash: 250n,
      scopes: [0n, 0n, 0n],
      parts: [0n, 0n],
    });
    const told = { ...fields, acct_pay: -100n, psn_cash_pay: 350n };
    expect(readSplit(setlinfo(told), expectedOf(fields))).toHaveProperty('broken');
  });

  it('is broken by what must not be absent', () => {
    const fields = honest({
      fund: 600n,
      own: 100n,
      shared: 0n,
      hospital: 0n,
      cash: 250n,
      scopes: [0n, 0n, 0n],
      parts: [0n, 0n],
    });
    const broken = (more: WireNode, expected = expectedOf(fields)) =>
      expect(readSplit(setlinfo(fields, more), expected), JSON.stringify(more)).toHaveProperty(
        'broken',
      );
    for (const field of [
      'medfee_sumamt',
      'fund_pay_sumamt',
      'psn_cash_pay',
      'acct_pay',
      'inscp_scp_amt',
    ]) {
      broken({ [field]: null });
      broken({ [field]: '' });
    }
    for (const setlId of [null, '', ' ']) broken({ setl_id: setlId });
    broken({ mdtrt_id: 'M2' });
    broken({ medins_setl_id: 'H13110200026202111291809520479' });
    broken({ refd_setl_flag: '1' });
    broken({}, { ...expectedOf(fields), total: fields.medfee_sumamt! + 1n });
    expect(readSplit({}, expectedOf(fields))).toEqual({ broken: ['setlinfo: absent'] });
  });
});

it('reads a reversal with its nulls', () => {
  const read = readReversal({
    setlinfo: {
      medfee_sumamt: '-25.1',
      psn_part_amt: null,
      setl_id: '400120618',
      setl_time: '2021-11-24 18:10:00',
    },
  });
  expect(read).toEqual({ setlId: '400120618', setlTime: new Date('2021-11-24T10:10:00Z') });
  expect(readReversal({})).toEqual({ setlId: '', setlTime: null });
});
