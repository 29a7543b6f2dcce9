import { eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDatabase, rows, transact } from '../../src/db/db.ts';
import { citizen } from '../../src/db/schema.ts';
import { Refusal } from '../../src/errors.ts';
import { makeKeyring } from '../../src/identity/keyring.ts';
import {
  findCitizenByIdNumber,
  findOrCreateCitizen,
  readCitizen,
} from '../../src/identity/people.ts';
import { useDatabase } from '../support/database.ts';
import { key, newKeyring, newPerson, secret } from './support.ts';

const { db, url } = useDatabase();
const keyring = newKeyring();
const create = (person: Parameters<typeof findOrCreateCitizen>[2]) =>
  transact(db, (tx) => findOrCreateCitizen(tx, keyring, person));

describe('at rest', () => {
  test('no byte of a name, ID number or phone stands in the table', async () => {
    const person = { ...newPerson(), phone: '13812345678' };
    await create(person);
    const [dump] = await rows<{ text: string; hex: string }>(
      db,
      sql`
      select string_agg(c::text, '') as text,
        string_agg(encode(c.id_index || c.id_number || c.name || coalesce(c.phone, ''), 'hex'), '')
          as hex
      from citizen c`,
    );
    for (const secretText of [person.name, person.idNumber, person.phone]) {
      expect(dump?.text).not.toContain(secretText);
      expect(dump?.hex).not.toContain(Buffer.from(secretText, 'utf8').toString('hex'));
    }
  });

  test('the same number is encrypted differently each time and indexed the same', () => {
    const { idNumber } = newPerson();
    expect(keyring.seal(idNumber).equals(keyring.seal(idNumber))).toBe(false);
    expect(keyring.blindIndex(idNumber).equals(keyring.blindIndex(idNumber))).toBe(true);
    expect(newKeyring().blindIndex(idNumber).equals(keyring.blindIndex(idNumber))).toBe(false);
  });

  test('any text is sealed so that it opens again, and no nonce is used twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(keyring.open(keyring.seal(text))).toBe(text);
      }),
    );
    // After the length of the key's id and the id itself; more of them than one supply has.
    const at = 1 + (keyring.seal('')[0] ?? 0);
    const nonces = Array.from({ length: 1_000 }, () =>
      keyring.seal('').toString('hex', at, at + 12),
    );
    expect(new Set(nonces).size).toBe(1_000);
  });

  test('a changed byte or a foreign key opens nothing', () => {
    const sealed = keyring.seal('张三');
    const broken = Buffer.from(sealed);
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    expect(() => keyring.open(broken)).toThrow();
    expect(() => makeKeyring(key('k1'), secret()).open(sealed)).toThrow();
    expect(() => makeKeyring(key('k2'), secret()).open(sealed)).toThrow(/k1 is not configured/);
  });
});

describe('one ID number', () => {
  test('is one citizen, whoever writes it how', async () => {
    const { name, idNumber } = newPerson();
    const first = await create({ name, idNumber });
    const second = await create({ name, idNumber: ` ${idNumber.toLowerCase()} ` });
    expect(second).toEqual(first);
    expect(await findCitizenByIdNumber(db, keyring, idNumber)).toEqual(first);
    expect(await readCitizen(db, keyring, first.citizenId)).toMatchObject({
      id: first.citizenId,
      name,
      idNumber,
      phone: null,
      birthDate: '1990-01-01',
      usePersonalAccount: false,
      bankAccount: null,
    });
  });

  test('is one citizen when forty requests of two processes race', async () => {
    const other = openDatabase({ url, schema: 'public', poolSize: 10, usePrepared: true });
    const person = newPerson();
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        transact(i % 2 ? db : other, (tx) => findOrCreateCitizen(tx, keyring, person)),
      ),
    );
    await other.$client.end();
    expect(new Set(made.map((one) => one.citizenId)).size).toBe(1);
    const index = keyring.blindIndex(person.idNumber);
    expect(await db.select().from(citizen).where(eq(citizen.idIndex, index))).toHaveLength(1);
  });

  test('is refused when its check character is wrong', async () => {
    await expect(create({ name: '张三', idNumber: '350203199001010010' })).rejects.toThrow(Refusal);
  });
});

describe('another name for a known number', () => {
  const nameOf = async (citizenId: string) => (await readCitizen(db, keyring, citizenId)).name;

  test('from a terminal changes nothing', async () => {
    const { idNumber } = newPerson();
    const { citizenId } = await create({ name: '李四', idNumber });
    await create({ name: '王五', idNumber, phone: '13900000000' });
    await create({ name: '', idNumber });
    expect(await nameOf(citizenId)).toBe('李四');
  });

  test('from a terminal names somebody who had no name', async () => {
    const { idNumber } = newPerson();
    const { citizenId } = await create({ name: '', idNumber });
    await create({ name: '王五', idNumber });
    expect(await nameOf(citizenId)).toBe('王五');
  });

  test('from a real-name source corrects name and phone', async () => {
    const { idNumber } = newPerson();
    const { citizenId } = await create({ name: '李四', idNumber, phone: '13900000000' });
    await create({ name: '李肆', idNumber, phone: '13911111111', source: 'realName' });
    expect(await readCitizen(db, keyring, citizenId)).toMatchObject({
      name: '李肆',
      phone: '13911111111',
    });
  });
});
