// For each law of verify: damage that it must notice (others may notice it too), and what it names.

import { debtDamages } from './damages-debt.ts';
import { moneyOutDamages } from './damages-money-out.ts';
import { reconciliationDamages } from './damages-reconciliation.ts';

export interface Damage {
  law: string;
  /** Statements on the city of city.ts, run without triggers and foreign keys. */
  damage: string[];
  /** Part of the detail. */
  offender: string;
}

const without = (table: string, check: string) => `alter table ${table} drop constraint ${check}`;
const settledLeg = (subject: string, account: string) => `account = '${account}' and entry_id =
  (select id from journal_entry where fact = 'settlement.settled' and subject_id = '${subject}')`;

const books: Damage[] = [
  {
    law: 'Every entry has all its legs and balances within each owner, on and off balance',
    damage: [`update posting set amount = amount + 1 where ${settledLeg('set_1', '1101')}`],
    offender: 'ent_',
  },
  {
    law: 'Every entry belongs to the business day on which it was recorded, or to the first that was open then',
    damage: [`update journal_entry set business_date = '2020-01-01' where subject_id = 'set_1'`],
    offender: '1 broken: ent_',
  },
  {
    law: 'What was undone of a leg is the sum of the legs that undo it',
    damage: [`update posting set undone = undone - 1 where ${settledLeg('set_3', '4101')}`],
    offender: '59.99 is not 60.00',
  },
  {
    law: 'No leg is undone for more than its amount',
    damage: [
      without('posting', 'posting_undone'),
      `update posting set undone = abs(amount) + 1 where ${settledLeg('set_1', '1101')}`,
    ],
    offender: '1 broken: ent_',
  },
  {
    law: 'Every undoing leg names a leg of the same owner and account, of the other side',
    damage: [
      `update posting set account = '1202' where undoes_leg is not null and account = '1201'`,
    ],
    offender: '2 broken: ent_',
  },
  {
    law: 'Every leg is on an account of the chart that its kind of owner has',
    damage: [`update posting set account = '1301' where ${settledLeg('set_1', '1101')}`],
    offender: 'H1301',
  },
  {
    law: 'H1103 and B2102 mirror each other between every two owners',
    damage: [`update posting set counterparty = 'testLenderB' where account = '1103'`],
    offender: 'H90000000001 and testLenderB (34.00 is not 0.00)',
  },
  {
    law: 'H1203 and B2101 mirror each other between every two owners',
    damage: [`update posting set amount = amount - 1 where ${settledLeg('set_1', '2101')}`],
    offender: 'H90000000001 and testLenderA',
  },
  {
    law: 'H1206 and H2205 mirror each other between every two owners',
    damage: [`update posting set counterparty = null where account = '1206'`],
    offender: 'H90000000002 and ?',
  },
];

const settlementBooks: Damage[] = [
  {
    law: 'Within a settlement the tender legs less what is refundable, plus arrears, are what is billed',
    damage: [`update posting set account = '1103' where ${settledLeg('set_1', '1101')}`],
    offender: 'set_1 (270.00 is not 300.00)',
  },
  {
    law: 'H4101 of a settlement is its total less its completed refunds',
    damage: [`delete from posting where settlement_id = 'set_4'`],
    offender: 'set_4 (300.00 is not 0.00)',
  },
  {
    law: 'The tenders of a settlement stand in the books as settled, collected or converted',
    damage: [`update tender set kind = 'credit' where settlement_id = 'set_1' and kind = 'cash'`],
    offender: 'set_1 H1203 (80.00 is not 50.00)',
  },
  {
    law: 'No settlement has negative arrears, or owes its patient less than nothing',
    damage: [`update posting set amount = -amount where account = '1207'`],
    offender: 'set_4 H1207',
  },
];

const family: Damage[] = [
  {
    law: "A link's counter of a month is what the holds placed in it hold or captured, less given back",
    damage: [`update family_link set used_by_month = '{"2026-11": "17999"}'`],
    offender: 'lnk_1 2026-11 (179.99 is not 180.00)',
  },
  {
    law: 'Every hold through a link was within both caps when it was placed or raised, on the payer’s line',
    damage: [
      without('hold', 'hold_within_caps'),
      `update hold set month_used_then = monthly_cap_then - amount + 1 where id = 'hld_2'`,
    ],
    offender: 'hld_2',
  },
  {
    law: 'A child’s link ends by 00:00 of a Shanghai day and carries no hold that was placed from then on',
    damage: [`update family_link set ends_at = '2026-11-19T16:00:00Z'`],
    offender: 'lnk_1',
  },
  {
    law: 'A payer has at most five links that are active or pending',
    damage: [
      `insert into family_link
        select (jsonb_populate_record(f, jsonb_build_object('id', 'lnk_1' || n,
          'beneficiary_citizen_id', 'cit_1' || n))).*
        from family_link f, generate_series(1, 5) n`,
    ],
    offender: 'cit_2',
  },
];

const credit: Damage[] = [
  {
    law: "B1301 of each citizen at each lender is what the citizen's lines there have outstanding",
    damage: [`update posting set citizen_id = 'cit_2' where ${settledLeg('set_1', '1301')}`],
    offender: 'cit_2 at testLenderA',
  },
  {
    law: "A line's outstanding is the sum of what is owed on its receivables",
    damage: [`update credit_line set outstanding = outstanding + 1 where id = 'lin_2'`],
    offender: 'lin_2 (180.01 is not 180.00)',
  },
  {
    law: "A line's held is the sum of its placed holds",
    damage: [`update hold set amount = amount + 1 where id = 'hld_5'`],
    offender: 'lin_1 (40.00 is not 40.01)',
  },
  {
    law: 'Every hold was within the limit of its line when it was placed or raised',
    damage: [
      without('hold', 'hold_within_limit'),
      `update hold set limit_then = held_then + outstanding_then + amount - extra_then - 1
        where id = 'hld_5'`,
    ],
    offender: 'hld_5',
  },
  {
    law: 'A visit has at most one placed hold, and none once it is cancelled',
    damage: [`update hold set visit_id = 'vis_7' where id = 'hld_5'`],
    offender: 'vis_7',
  },
  {
    law: 'What a hold captured is the sum of the receivables that name it',
    damage: [`update receivable set hold_id = 'hld_gone' where id = 'rcv_1'`],
    offender: 'hld_gone (0.00 is not 50.00)',
  },
  {
    law: 'The receivables of a settlement are the principal that its captures booked on B1301',
    damage: [`update receivable set settlement_id = 'set_4' where id = 'rcv_1'`],
    offender: 'set_4 (100.00 is not 50.00)',
  },
  {
    law: 'What is paid on receivables is what paid repayments allocated, less what met no debt',
    damage: [`update receivable set paid = paid + 1 where id = 'rcv_1'`],
    offender: 'set_1 (20.01 is not 20.00)',
  },
  {
    law: 'An allocation is open exactly while its repayment is under way',
    damage: [`update repayment_allocation set is_open = false where repayment_id = 'rep_2'`],
    offender: 'rep_2 on rcv_1',
  },
  {
    law: 'A repayment is booked on B1311 exactly when its bank paid it and did not take it back',
    damage: [`update repayment set status = 'failed' where id = 'rep_1'`],
    offender: 'rep_1 (0.00 is not 22.00)',
  },
  {
    law: 'A debit that was sent stands on B9201 until its bank answers, and no longer',
    damage: [`update repayment set status = 'failed' where id = 'rep_2'`],
    offender: 'rep_2 (0.00 is not 10.00)',
  },
];

const settlements: Damage[] = [
  {
    law: 'Every charge line is quantity × unit price, half-up to the fen',
    damage: [
      without('charge', 'charge_amount'),
      `update charge set amount = amount + 1 where visit_id = 'vis_1' and line_number = 1`,
    ],
    offender: 'vis_1 line 1 (60.01 is not 60.00)',
  },
  {
    law: 'A batch is the sum of its lines',
    damage: [`update charge_batch set total = total + 1 where visit_id = 'vis_1'`],
    offender: 'vis_1 batch 1 (300.01 is not 300.00)',
  },
  {
    law: "A visit's charged total is the sum of its lines",
    damage: [`update visit set charged_total = charged_total - 1 where id = 'vis_1'`],
    offender: 'vis_1 (299.99 is not 300.00)',
  },
  {
    law: 'The total of a settlement is the sum of its batches, all of its own visit',
    damage: [`update charge_batch set settlement_id = 'set_1' where visit_id = 'vis_2'`],
    offender: 'set_2 (300.00 is not 0.00)',
  },
  {
    law: 'A batch that is taken belongs to a settlement of its visit or to a running intent',
    damage: [`update intent set status = 'undone' where id = 'int_6'`],
    offender: 'vis_6 batch 1',
  },
  {
    law: 'Tenders and what is due at the counter sum to the total of their settlement',
    damage: [`delete from tender where settlement_id = 'set_1' and kind = 'cash'`],
    offender: 'set_1 (300.00 is not 270.00)',
  },
  {
    law: 'A counter tender has a reference, reserved for its settlement and used once in its hospital',
    damage: [
      `update tender set reference = 'receipt 2' where settlement_id = 'set_1' and kind = 'cash'`,
    ],
    offender: '2 broken: set_1 tender 2; set_2 tender 2',
  },
  {
    law: 'A settled visit has every batch settled, and a cancelled one has no settlement',
    damage: [`update visit set status = 'cancelled' where id = 'vis_1'`],
    offender: 'vis_1',
  },
  {
    law: 'A visit that is settling has a running intent',
    damage: [`update visit set status = 'settling' where id = 'vis_5'`],
    offender: 'vis_5',
  },
  {
    law: 'A stay that a settlement closed has ended, and nobody but an inpatient is discharged',
    damage: [`update visit set kind = 'inpatient' where id = 'vis_1'`],
    offender: '1 broken: set_1',
  },
];

const insurance: Damage[] = [
  {
    law: 'A settlement has one live claim if it is claimed or converted, else none',
    damage: [`update settlement set insurance_status = 'skipped' where id = 'set_1'`],
    offender: 'set_1',
  },
  {
    law: 'Every setl_id of a hospital is one claim of one of its own settlements',
    damage: [`update claim set hospital_code = 'H90000000002' where id = 'clm_1'`],
    offender: 'clm_1',
  },
  {
    law: 'A live claim is for what its settlement still bills: total less completed refunds',
    damage: [`update claim set total = total + 1, cash = cash + 1 where id = 'clm_3b'`],
    offender: 'clm_3b (240.01 is not 240.00)',
  },
  {
    law: 'The insurer tenders of a settlement without refunds are the parts of its live claim',
    damage: [`update claim set fund = fund - 1, account = account + 1 where id = 'clm_1'`],
    offender: 'set_1 insuranceFund (190.00 is not 189.99)',
  },
  {
    law: 'H1201 and H1202 of a claim are its fund and account parts while it lives, and nothing after',
    damage: [`update claim set status = 'reversed' where id = 'clm_1'`],
    offender: 'clm_1 H1201 (0.00 is not 190.00)',
  },
  {
    law: 'A leg about a claim names a claim of its own settlement and hospital',
    damage: [`update posting set claim_id = 'clm_1' where claim_id = 'clm_3b'`],
    offender: '2 broken: ent_',
  },
  {
    law: 'A settlement awaits insurance exactly while it has one open conversion',
    damage: [`update conversion set status = 'rejected'`],
    offender: 'set_2',
  },
  {
    law: 'A receivable waits for insurance exactly while its settlement does',
    damage: [`update receivable set awaits_insurance = false`],
    offender: 'rcv_2',
  },
];

const refunds: Damage[] = [
  {
    law: 'No charge line is refunded for more than its quantity or amount',
    damage: [
      `update charge set refunded_amount = refunded_amount - 1
        where visit_id = 'vis_3' and line_number = 1`,
    ],
    offender: 'vis_3 line 1',
  },
  {
    law: 'What is refunded of the lines of a settlement is the sum of its refunds',
    damage: [`update refund set amount = amount + 1 where id = 'rfd_3'`],
    offender: 'set_3',
  },
  {
    law: 'A settlement is refunded when nothing is left of it, partly refunded when something came back',
    damage: [`update settlement set status = 'refunded' where id = 'set_3'`],
    offender: 'set_3',
  },
  {
    law: 'H2203 and B2201 of a settlement are the money that is still on its way back',
    damage: [`update money_back set status = 'done' where kind = 'cash'`],
    offender: 'set_8 2203 (0.00 is not 30.00)',
  },
  {
    law: 'What each kind of tender, and what was due, gave back by refunds is their money back',
    damage: [`update tender set given_back = 0 where settlement_id = 'set_3' and kind = 'credit'`],
    offender: 'set_3 credit (0.00 is not 16.00)',
  },
];

const counter: Damage[] = [
  {
    law: 'A proxy is never the patient, nor the payer of a visit of somebody unnamed',
    damage: [
      without('visit', 'visit_proxy'),
      `update visit set proxy_citizen_id = citizen_id where id = 'vis_5'`,
    ],
    offender: 'vis_5',
  },
  {
    law: 'A large hold was confirmed by the payer of its visit, by their own act and in time, or not at all',
    damage: [`update hold_confirmation set payer_citizen_id = 'cit_2'`],
    offender: 'cfm_5',
  },
];

export const damages: Damage[] = [
  ...counter,
  ...family,
  ...books,
  ...settlementBooks,
  ...credit,
  ...settlements,
  ...insurance,
  ...refunds,
  ...debtDamages,
  ...moneyOutDamages,
  ...reconciliationDamages,
];
