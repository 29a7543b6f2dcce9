// Law: stored before sent, answered once, sealed at rest, and told apart after a crash.
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { rows, transact, violatedConstraint } from '../../src/db/db.ts';
import { makeKeyring } from '../../src/identity/keyring.ts';
import type { Answer } from '../../src/insurance/insurer.ts';
import {
  messagesOfIntent,
  messagesOfVisit,
  type NewMessage,
  newMessageId,
  setFate,
  storeAnswer,
  storeAnswerAndMessage,
  storeMessage,
} from '../../src/insurance/message-store.ts';
import { openPerson, sealPerson } from '../../src/insurance/person.ts';
import { countUnlistedText } from '../../src/insurance/unlisted-texts.ts';
import { useDatabase } from '../support/database.ts';
import { person } from './people.ts';

const { db } = useDatabase();
const keyring = makeKeyring(
  `k1:${Buffer.alloc(32, 1).toString('base64')}`,
  Buffer.alloc(32, 2).toString('base64'),
);
const HOSPITAL = 'H35020000001';
const NOW = new Date('2026-01-02T16:00:01Z');

let number = 0;
function message(more: Partial<NewMessage> = {}): NewMessage {
  number += 1;
  return {
    msgid: `MSG${number}`,
    intentId: `int_${number}`,
    attempt: 1,
    infno: '2204',
    route: 'local',
    hospitalCode: HOSPITAL,
    visitId: `vis_${number}`,
    request: { psn_name: '李四' },
    ...more,
  };
}
const ok: Answer = { outcome: 'ok', output: { data: { mdtrt_id: '300178725' } } };

describe('message ids', () => {
  it('are hospital, Shanghai time and four digits, and differ within one second', async () => {
    const ids = await Promise.all(
      Array.from({ length: 50 }, () => newMessageId(db, HOSPITAL, NOW)),
    );
    for (const id of ids) expect(id).toMatch(/^H3502000000120260103000001\d{4}$/);
    expect(new Set(ids).size).toBe(50);
  });

  it('wrap after 9999 and stay thirty characters long', async () => {
    await db.execute(sql`select setval('message_number', 9999)`);
    // A fresh transaction holds no numbers that were taken before.
    const next = await transact(db, (tx) => newMessageId(tx, HOSPITAL, NOW));
    expect(next).toBe('H35020000001202601030000010000');
  });
});

describe('stored messages', () => {
  it('come back in order, with the answer of those that have one', async () => {
    const first = message({ infno: '2201' });
    const second = {
      ...message({ infno: '2204' }),
      intentId: first.intentId,
      visitId: first.visitId,
    };
    await transact(db, (tx) => storeMessage(tx, keyring, first));
    expect(
      await storeAnswerAndMessage(db, keyring, { msgid: first.msgid, answer: ok }, second),
    ).toBe(true);
    const stored = await messagesOfIntent(db, keyring, first.intentId);
    expect(stored).toMatchObject([
      { msgid: first.msgid, infno: '2201', request: { psn_name: '李四' }, answer: ok, fate: null },
      { msgid: second.msgid, infno: '2204', attempt: 1, answer: null },
    ]);
    expect(stored[0]?.sentAt.getTime()).toBeLessThan(stored[1]!.sentAt.getTime());
    expect(await messagesOfVisit(db, keyring, first.visitId)).toEqual(stored);
  });

  it('are sealed at rest, with a hash of what was asked', async () => {
    const stored = message();
    await storeMessage(db, keyring, stored);
    await storeAnswer(db, keyring, stored.msgid, { outcome: 'rejected', reason: '李四未签约' });
    const [row] = await rows<{
      request: Buffer;
      answer: Buffer;
      request_hash: Buffer;
      outcome: string;
    }>(
      db,
      sql`select request, answer, request_hash, outcome from insurance_message where msgid = ${stored.msgid}`,
    );
    expect(`${row!.request}${row!.answer}`).not.toContain('李四');
    expect(row!.outcome).toBe('rejected');
    expect(row!.request_hash).toEqual(
      createHash('sha256').update(JSON.stringify(stored.request)).digest(),
    );
  });

  it('keep their first answer, and nothing is sent on a second one', async () => {
    const first = message();
    await storeMessage(db, keyring, first);
    expect(await storeAnswer(db, keyring, first.msgid, ok)).toBe(true);
    const late: Answer = { outcome: 'offline', reason: 'late' };
    expect(await storeAnswer(db, keyring, first.msgid, late)).toBe(false);
    const next = { ...message(), intentId: first.intentId, infno: '2206' as const };
    expect(
      await storeAnswerAndMessage(db, keyring, { msgid: first.msgid, answer: late }, next),
    ).toBe(false);
    expect(await messagesOfIntent(db, keyring, first.intentId)).toMatchObject([{ answer: ok }]);
  });

  it('let only one of two runs go on from the same answer', async () => {
    const first = message();
    await storeMessage(db, keyring, first);
    const results = await Promise.all(
      [1, 2, 3, 4].map(() =>
        storeAnswerAndMessage(
          db,
          keyring,
          { msgid: first.msgid, answer: ok },
          { ...message(), intentId: first.intentId, infno: '2207' },
        ),
      ),
    );
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await messagesOfIntent(db, keyring, first.intentId)).toHaveLength(2);
  });

  it('are refused a second time for the same step of a run', async () => {
    const first = message();
    await storeMessage(db, keyring, first);
    const again = storeMessage(db, keyring, { ...message(), intentId: first.intentId });
    await expect(again).rejects.toSatisfy(
      (error) => violatedConstraint(error) === 'insurance_message_step',
    );
    await storeMessage(db, keyring, { ...message(), intentId: first.intentId, attempt: 2 });
  });

  it('learn their fate later', async () => {
    const stored = message({ infno: '2207' });
    await storeMessage(db, keyring, stored);
    await setFate(db, stored.msgid, 'reversed');
    expect(await messagesOfIntent(db, keyring, stored.intentId)).toMatchObject([
      { fate: 'reversed' },
    ]);
    await expect(setFate(db, 'MSG-none', 'absent')).rejects.toThrow('no stored message');
  });
});

it('seals a person with the balance and opens it again', () => {
  expect(openPerson(keyring, sealPerson(keyring, person))).toEqual(person);
  const without = { ...person, balance: null };
  expect(openPerson(keyring, sealPerson(keyring, without))).toEqual(without);
});

it('counts an unlisted text once, whatever trace id it carries', async () => {
  const seen = { region: '350200', infno: '2204' };
  const texts = [
    '费用不合规(8f0a1b2c-1111-2222-3333-444455556666@10.0.0.1)',
    '费用不合规(00000000-1111-2222-3333-444455556666@10.0.0.27)',
  ];
  for (const text of texts) await countUnlistedText(db, { ...seen, text });
  expect(await rows(db, sql`select text, count from unlisted_text`)).toEqual([
    { text: '费用不合规(#@#)', count: 2 },
  ]);
});
