// Shorthand for tests of visits: reading one, the insurer's control port, and what must not change.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { rows } from '../../src/db/db.ts';
import { type InsurerControl, insurerControl } from '../../src/sandbox/insurer/control-client.ts';
import type { Scene } from '../settlement/support.ts';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';

/** Status and problem code of a reply, for one-line comparisons. */
export const said = (reply: TestReply): [number, string | undefined] => [
  reply.status,
  reply.body?.code,
];

export const idCard = ({ idNumber, name }: TestPerson) => ({
  kind: 'idCard',
  number: idNumber,
  name,
});

/** The visit as its terminal reads it. */
export async function readVisit(scene: Scene, visitId: string): Promise<ReplyBody> {
  const { app, terminal: token } = scene;
  return (await app.call('GET', `/v1/visits/${visitId}`, { token })).body;
}

/** What the sandbox insurer received and holds, read at its own control port. */
export function insurerOf(app: TestApp): InsurerControl {
  const file = path.join(app.deps.env.EGRET_DATA_DIR, 'sandbox', 'insurer.json');
  const { ports } = JSON.parse(readFileSync(file, 'utf8')) as { ports: { controlPort: number } };
  return insurerControl(`http://127.0.0.1:${ports.controlPort}`);
}

/**
 * Everything that a refusal must leave as it was: books, lines, holds, visits, settlements. What the
 * insurer said on the way (who the person is, the registration) may be kept.
 */
export async function everything(app: TestApp): Promise<unknown> {
  const [state] = await rows<{ state: unknown }>(
    app.db,
    sql`select jsonb_build_object(
      'postings', (select jsonb_agg(p order by p.entry_id, p.leg) from posting p),
      'lines', (select jsonb_agg(l order by l.id) from credit_line l),
      'holds', (select jsonb_agg(h order by h.id) from hold h),
      'visits', (select jsonb_agg(to_jsonb(v) - 'mdtrt_id' - 'insured_person' order by v.id)
        from visit v),
      'batches', (select jsonb_agg(b order by b.visit_id, b.batch) from charge_batch b),
      'charges', (select jsonb_agg(c order by c.visit_id, c.line_number) from charge c),
      'settlements', (select jsonb_agg(s order by s.id) from settlement s),
      'tenders', (select jsonb_agg(t order by t.settlement_id, t.position) from tender t),
      'claims', (select jsonb_agg(c order by c.id) from claim c),
      'debts', (select jsonb_agg(r order by r.id) from receivable r),
      'back', (select jsonb_agg(m order by m.id) from money_back m),
      'references', (select jsonb_agg(u order by u.kind, u.reference) from used_reference u)
    ) as state`,
  );
  return state?.state;
}
