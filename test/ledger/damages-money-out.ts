// Damages to what leaves the city: payouts, the counter's drawer, closed days.
import type { Damage } from './damages.ts';

const payouts: Damage[] = [
  {
    law: 'A payout pays the sum of what it lists',
    damage: [`update payout set amount = amount + 1 where id = 'pay_2'`],
    offender: 'pay_2 (50.01 is not 50.00)',
  },
  {
    law: 'What a payout lists is free again once it was declined or returned, and only then',
    damage: [`update payout_leg set is_live = false where payout_id = 'pay_2'`],
    offender: 'pay_2 leg 1',
  },
  {
    law: 'What a payout lists is a leg of H1203 of its hospital and lender, as posted by the end of its day',
    damage: [`update payout set business_date = '2020-01-01' where id = 'pay_2'`],
    offender: 'pay_2 leg 1',
  },
  {
    law: 'No leg is in two living payouts',
    damage: [
      'drop index payout_leg_once',
      `update payout_leg set is_live = true where payout_id = 'pay_3'`,
    ],
    offender: 'ent_',
  },
  {
    law: 'A negative payout is carried whole, into the one payout that lists it',
    damage: [`update payout set carried_into = null where id = 'pay_0'`],
    offender: 'pay_0',
  },
  {
    law: 'A payout has the entries of its state: in transit once sent, at the bank once paid, none once returned',
    damage: [`update payout set status = 'paid' where id = 'pay_1'`],
    offender: 'pay_1',
  },
  {
    law: 'What a lender owes a hospital is what no payout lists, what awaits a checker or the bank, and what is carried',
    damage: [
      `insert into payout_leg (payout_id, position, kind, entry_id, leg, settlement_id, amount)
        select 'pay_2', 9, 'capture', p.entry_id, p.leg, p.settlement_id, p.amount from posting p
        where p.account = '1203' and p.settlement_id = 'set_8' limit 1`,
    ],
    offender: 'H90000000001 and testLenderA',
  },
];

const counterDay: Damage[] = [
  {
    law: 'A closed shift expected its opening float and every leg of H1101 of it',
    damage: [`update counter_shift set opening_float = opening_float + 1`],
    offender: 'shf_1 (130.00 is not 130.01)',
  },
  {
    law: 'Only cash taken or a voucher paid at a terminal of its hospital moves the drawer of a shift',
    damage: [`update counter_shift set hospital_code = 'H90000000002'`],
    offender: 'ent_',
  },
  {
    law: 'H1101 of a shift is the cash tenders taken in it less the vouchers paid in it',
    damage: [
      `update tender set amount = amount + 1 where settlement_id = 'set_1' and kind = 'cash'`,
    ],
    offender: 'shf_1 (30.00 is not 30.01)',
  },
  {
    law: 'A drawer that was over or short has its break, and no other has one',
    damage: [`delete from reconciliation_break where subject = 'shf_1'`],
    offender: 'shf_1',
  },
];

const days: Damage[] = [
  {
    law: 'A closed business day has the hash that its entries, totals and breaks give',
    damage: [`update journal_entry set business_date = (select max(date) from business_day)`],
    offender: '1 broken: 20',
  },
  {
    law: 'Closed business days follow one another without a gap, each chained to the hash before it',
    damage: [`delete from business_day where date = (select min(date) from business_day)`],
    offender: '1 broken: 20',
  },
  {
    law: 'No closed day lists an open break that has no owner and does not clear itself',
    damage: [`update business_day set breaks = jsonb_set(breaks, '{0,owner}', 'null')`],
    offender: 'brk_1',
  },
];

export const moneyOutDamages: Damage[] = [...payouts, ...counterDay, ...days];
