// Law: processes on one database share the queue of conversions without double work: each try of each
// conversion is one process's, and the insurer's own books show one 2207 a bill, never taken back.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { partiesOf } from '../settlement/parties.ts';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { end, ready, type Service, startService } from '../support/service.ts';
import { waitFor } from '../support/wait-for.ts';

const PATIENTS = 6;
const VISITS_EACH = 6;
/** So that one process alone needs longer than the other one's next look at the queue. */
const SLOW_MS = 100;
const NAMES = ['first', 'second'];

const app = useApp({ worker: false, keepsBreaker: true });
const services: Service[] = [];
let scene: Scene;

beforeAll(async () => {
  scene = await sceneOf(app);
  await noteWhoTakes();
});
afterAll(async () => {
  await Promise.all(services.map(({ child }) => end(child, 'SIGKILL')));
});

it('is drained by two processes, each conversion claimed once by one of them', async () => {
  await app.fault({ mode: 'refuseConnection' });
  const patients = await Promise.all(Array.from({ length: PATIENTS }, () => newPatient(app)));
  const closed = (await Promise.all(patients.map(closeBills))).flat();
  services.push(...NAMES.map(startNamed));
  await Promise.all(services.map(ready));
  await app.fault({ mode: 'slow', on: ['2204', '2206'], delayMs: SLOW_MS });
  await waitFor(async () => (await triesOf()).every((c) => c.status === 'converted'), {
    timeoutMs: 60_000,
    what: 'the drained queue',
  });

  const conversions = await triesOf();
  expect(conversions).toHaveLength(PATIENTS * VISITS_EACH);
  // A try that two had taken would have been taken more often than it ended.
  expect(conversions.filter((c) => c.tries !== c.taken || c.tries !== c.ended)).toEqual([]);
  expect(new Set(conversions.map((c) => c.converter))).toEqual(new Set(NAMES));
  const { insurer } = partiesOf(app);
  const sent = (await insurer.messages({ infno: '2207' })).map((m) => m.msgid);
  expect(sent).toHaveLength(closed.length);
  for (const { visitNumber, settlementId } of closed) {
    const path = `/v1/settlements/${settlementId}`;
    const bill = (await app.call('GET', path, { token: scene.terminal })).body;
    const claims = await insurer.claims({ visitNumber });
    expect(claims.map((c) => [c.status, c.setlId])).toEqual([['settled', bill.insurance.claimId]]);
  }
  await expectLaws(app);
}, 90_000);

/** Bills that a patient paid in cash while the insurer was away. */
async function closeBills({ person }: Awaited<ReturnType<typeof newPatient>>) {
  const closed: { visitNumber: string; settlementId: string }[] = [];
  for (let i = 0; i < VISITS_EACH; i += 1) {
    const visit: ReplyBody = await chargedVisit(scene, person);
    const cash = { kind: 'cash', amount: '300.00', reference: visit.visitNumber };
    const reply = await settle(scene, visit.id, { counterTenders: [cash] });
    expect(reply.body.insurance?.status, reply.text).toBe('awaitingInsurance');
    closed.push({ visitNumber: visit.visitNumber, settlementId: reply.body.id });
  }
  return closed;
}

/** A service on the app's database, sandbox and data folder; its connections carry its name. */
function startNamed(name: string): Service {
  const { DATABASE_URL, EGRET_DATA_DIR } = app.deps.env;
  const url = new URL(DATABASE_URL ?? '');
  url.searchParams.set('application_name', name);
  return startService(EGRET_DATA_DIR, { DATABASE_URL: url.href, LOG_LEVEL: 'error' });
}

/** Every taking of a conversion is noted with the name of the process that committed it. */
async function noteWhoTakes(): Promise<void> {
  for (const statement of [
    `create table taken (conversion_id text, process text, at timestamptz)`,
    `create function note_taken() returns trigger language plpgsql as $$ begin
      insert into taken values
        (new.id, trim(current_setting('application_name')), clock_timestamp());
      return null; end $$`,
    `create trigger note_taken after update on conversion for each row
      when (new.status = 'claiming' and old.status <> 'claiming') execute function note_taken()`,
  ]) {
    await app.db.execute(sql.raw(statement));
  }
}

interface Tries {
  id: string;
  status: string;
  tries: number;
  taken: number;
  /** Tries that came to an end, each noted once. */
  ended: number;
  converter: string;
}

function triesOf(): Promise<Tries[]> {
  return rows<Tries>(
    app.db,
    sql`
    select c.id, c.status, c.tries, jsonb_array_length(c.attempts) as ended,
      count(t.process)::int as taken, (array_agg(t.process order by t.at desc))[1] as converter
    from conversion c left join taken t on t.conversion_id = c.id group by c.id`,
  );
}
