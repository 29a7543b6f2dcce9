// Role: fills a city with a past: citizens who are enrolled, families, visits settled and owed and paid
// back, written by INSERT … SELECT from what the service itself wrote for one person and one visit.
// Not filled: idempotency keys (kept for days only). Cut short: sealed payloads that nothing reads.
import { institutions } from '../../src/sandbox/city/hospitals.ts';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import type { City } from './city.ts';
import { copyStatements, makeTemplate } from './template.ts';
import { makePayer } from './visits.ts';

/** Of the visit that is copied: two tenders, the fund and the credit. */
export const POSTINGS_A_VISIT = 5;
/** Rows of one statement: some ten thousand visits. */
const AT_ONCE = 20_000;
/** Else a checkpoint every gigabyte writes every page again. */
const FILLING_WAL = '8GB';
/** The past reaches two years back, the oldest first. */
const PAST_DAYS = 730;

export interface Filler {
  /** Citizens number `from` to `to`, each with a line and consents. */
  citizens(from: number, to: number): Promise<void>;
  /** Family links: citizen i pays for citizen `count` + i. */
  families(count: number): Promise<void>;
  /** Visits number `from` to `to`, settled, of citizens up to `citizens` or of `people`. */
  visits(from: number, to: number, of: { citizens: number } | { people: Known[] }): Promise<void>;
  /** Open visits without a hold, the n-th one of `citizens` spread over all; their ids. */
  openVisits(count: number, of: { citizens: number }): Promise<string[]>;
  /** Fills faster what is much; afterwards nothing is left for a vacuum or a checkpoint to do. */
  inBulk<T>(work: () => Promise<T>): Promise<T>;
}

/** A citizen whom the service enrolled. */
interface Known {
  citizen: string;
  line: string;
}

const hospitalList = `array[${institutions.map(({ code }) => `'${code}'`).join(', ')}]`;
const hospitalOf = (number: string) =>
  `(${hospitalList})[1 + (${number}) % ${institutions.length}]`;
const citizenNumber = (number: string, citizens: number) =>
  `lpad((1 + (${number}::bigint * 48271) % ${citizens})::text, 25, '0')`;

/** The id of the n-th filled visit, and at which of the institutions it was. */
export function filledVisit(number: number): { visitId: string; institution: number } {
  return {
    visitId: `vis_00${String(number).padStart(24, '0')}`,
    institution: number % institutions.length,
  };
}

export async function makeFiller(city: City, person: DemoPerson): Promise<Filler> {
  const templates = await makeTemplates(city, person);
  const run = (statements: readonly string[]) =>
    city.sql.begin(async (tx) => {
      // The triggers of a million rows are not what is measured; the rows obey them.
      await tx`set local session_replication_role = replica`;
      await tx`set local synchronous_commit = off`;
      for (const statement of statements) await tx.unsafe(statement);
    });
  const inBatches = async (from: number, to: number, work: (a: number, b: number) => string[]) => {
    for (let at = from; at <= to; at += AT_ONCE) {
      await run(work(at, Math.min(to, at + AT_ONCE - 1)));
    }
  };
  await run([closedDays]);
  return {
    citizens: (from, to) =>
      inBatches(from, to, (a, b) => copyStatements(templates.person, citizenKeys(a, b), newPerson)),
    families: (count) => inBatches(1, count, (a, b) => [familyLinks(a, b, count)]),
    visits: (from, to, of) =>
      inBatches(from, to, (a, b) =>
        copyStatements(templates.past, visitKeys(a, b, to, of), paidBack),
      ),
    openVisits: async (count, { citizens }) => {
      await run(copyStatements(templates.open, openKeys(count, citizens)));
      const made = await city.sql<{ id: string }[]>`
        select id from visit where visit_number like 'open-9%' order by id`;
      return made.map(({ id }) => id);
    },
    inBulk: (work) => inBulk(city, work),
  };
}

/** The worker would look at each day that nobody closed. */
const closedDays = `
  insert into business_day (date, status, totals, hash, entry_count, breaks, computed_at, closed_at,
    closed_by)
  select business_date(business_now()) - d, 'closed', '{}', repeat('0', 64), 0, '[]',
    business_now() - d * interval '1 day', business_now() - d * interval '1 day', 'bench'
  from generate_series(1, ${PAST_DAYS} + 1) d
  on conflict do nothing`;

async function inBulk<T>(city: City, work: () => Promise<T>): Promise<T> {
  await setWalSize(city, FILLING_WAL);
  // Partial indexes stay: they are small, and the running worker asks them twice a second.
  const dropped = await city.sql<{ name: string; definition: string }[]>`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index i join pg_class c on c.oid = i.indrelid
    where c.relnamespace = current_schema()::regnamespace and indpred is null and not indisprimary
      and not exists (select from pg_constraint where conindid = indexrelid)`;
  for (const { name } of dropped) await city.sql.unsafe(`drop index ${name}`);
  const done = await work();
  for (const { definition } of dropped) await city.sql.unsafe(definition);
  await city.sql.unsafe('vacuum (analyze)');
  await setWalSize(city, null);
  await city.sql.unsafe('checkpoint');
  return done;
}

async function setWalSize(city: City, size: string | null): Promise<void> {
  const setting = size === null ? 'reset max_wal_size' : `set max_wal_size = '${size}'`;
  await city.sql.unsafe(`alter system ${setting}`);
  await city.sql`select pg_reload_conf()`;
}

const citizenKeys = (from: number, to: number) => `
  select 'cit_0' || lpad(v::text, 25, '0') as citizen, 'lin_0' || lpad(v::text, 25, '0') as line,
    ${hospitalOf('v')} as hospital, lpad(v::text, 24, '0') as number, v,
    interval '${PAST_DAYS} days' as age
  from generate_series(${from}, ${to}) v`;

/** The blind index of the ID number is what tells people apart. */
const newPerson = {
  'citizen.id_index': `sha256(convert_to('bench ' || k.v, 'UTF8'))`,
  'credit_line.held': '0',
  'credit_line.outstanding': '0',
};

function visitKeys(
  from: number,
  to: number,
  last: number,
  of: { citizens: number } | { people: Known[] },
): string {
  const array = (texts: string[]) => `(array['${texts.join("','")}'])[1 + v % ${texts.length}]`;
  const [citizen, line] =
    'people' in of
      ? [array(of.people.map((one) => one.citizen)), array(of.people.map((one) => one.line))]
      : ['cit', 'lin'].map((kind) => `'${kind}_0' || ${citizenNumber('v', of.citizens)}`);
  return `
    select ${citizen} as citizen, ${line} as line, ${hospitalOf('v')} as hospital,
      lpad(v::text, 24, '0') as number,
      date_trunc('second', interval '1 day' + interval '${PAST_DAYS} days' *
        (1 - v::float8 / ${last})) as age
    from generate_series(${from}, ${to}) v`;
}

/** Nobody owes anything of the past, the lender disbursed it, and payloads keep their first bytes. */
const paidBack = {
  'receivable.paid': 't.amount',
  'receivable.disbursed_on': '(t.created_at - k.age)::date + 1',
  'insurance_message.request': 'substring(t.request, 1, 32)',
  'insurance_message.answer': 'substring(t.answer, 1, 32)',
  'intent.request': 'substring(t.request, 1, 32)',
  'claim.split': 'substring(t.split, 1, 32)',
};

const openKeys = (count: number, citizens: number) => `
  select 'cit_0' || ${citizenNumber('v', citizens)} as citizen, '' as line,
    ${hospitalOf('v')} as hospital, '9' || lpad(v::text, 23, '0') as number, interval '0' as age
  from generate_series(1, ${count}) v`;

const familyLinks = (from: number, to: number, families: number) => `
  insert into family_link (id, kind, payer_citizen_id, beneficiary_citizen_id, status, proof,
    visit_cap, monthly_cap, created_at, accepted_at, accepted_via)
  select 'lnk_0' || lpad(v::text, 25, '0'), 'parentCare', 'cit_0' || lpad(v::text, 25, '0'),
    'cit_0' || lpad((v + ${families})::text, 25, '0'), 'active', 'registry', 50000, 200000,
    business_now() - interval '1 year', business_now() - interval '1 year', 'app'
  from generate_series(${from}, ${to}) v`;

/** One person, one settled and one open visit of theirs, as the service wrote them. */
async function makeTemplates(city: City, person: DemoPerson) {
  const settled = (await (await makePayer(city, [person], 'template'))(0)).settlement;
  const [visit] = await city.sql<{ citizen: string; hospital: string; line: string }[]>`
    select v.citizen_id as citizen, v.hospital_code as hospital, h.line_id as line
    from visit v join hold h on h.visit_id = v.id where v.id = ${settled.visitId}`;
  if (!visit) throw new Error('the template has no hold');
  const known = {
    [visit.citizen]: '{citizen}',
    [visit.line]: '{line}',
    [visit.hospital]: '{hospital}',
    'template-0': 'past-{n}',
    ...(await numbersOf(city, settled.id)),
  };
  const ofCitizen = `citizen_id = '${visit.citizen}'`;
  const ofPerson = {
    citizen: `id = '${visit.citizen}'`,
    consent: ofCitizen,
    credit_line: ofCitizen,
  };
  // Read before the open visit is there: its events are not the settled one's.
  const past = await makeTemplate(city.sql, 'past', partsOf(settled, visit.citizen), known);
  const open = { visit: `id = '${await openVisit(city, person)}'` };
  return {
    past,
    person: await makeTemplate(city.sql, 'person', ofPerson, known),
    open: await makeTemplate(city.sql, 'open', open, { ...known, 'template-open': 'open-{n}' }),
  };
}

function partsOf(settled: { id: string; visitId: string }, citizen: string) {
  const ofVisit = `visit_id = '${settled.visitId}'`;
  const ofSettlement = `settlement_id = '${settled.id}'`;
  return {
    visit: `id = '${settled.visitId}'`,
    charge_batch: ofVisit,
    charge: ofVisit,
    settlement: ofVisit,
    tender: ofSettlement,
    hold: ofVisit,
    receivable: ofSettlement,
    claim: ofSettlement,
    intent: ofVisit,
    insurance_message: ofVisit,
    journal_entry: ofSettlement,
    posting: ofSettlement,
    event: `data ->> 'visitId' = '${settled.visitId}'`,
    access_log: `citizen_id = '${citizen}'`,
  };
}

/** The insurer's own numbers: unique, and no ids of ours. */
async function numbersOf(city: City, settlementId: string): Promise<Record<string, string>> {
  const found = await city.sql<{ text: string; kind: string }[]>`
    select setl_id as text, 'S' as kind from claim where settlement_id = ${settlementId}
    union all select mdtrt_id, 'V' from claim where settlement_id = ${settlementId}
    union all select msgid, 'M' from insurance_message m
      join settlement s on s.visit_id = m.visit_id where s.id = ${settlementId}`;
  return Object.fromEntries(found.map(({ text, kind }, index) => [text, `${kind}${index}{n}`]));
}

async function openVisit(city: City, person: DemoPerson): Promise<string> {
  const [hospital] = institutions;
  const opened = await city.client.post<{ id: string }>('/v1/visits', {
    token: await city.client.terminal(hospital?.code ?? ''),
    body: {
      visitNumber: 'template-open',
      kind: 'outpatient',
      credential: { kind: 'idCard', number: person.idNumber, name: person.name },
      holdAmount: '0.00',
    },
    expect: [201],
  });
  return opened.body.id;
}
