import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { rows, transact } from '../../src/db/db.ts';
import { makeKeyring } from '../../src/identity/keyring.ts';
import {
  findCitizenByIdNumber,
  findOrCreateCitizen,
  readCitizen,
} from '../../src/identity/people.ts';
import { hashColumns, rotateKeys, sealedColumns } from '../../src/identity/rotate-keys.ts';
import { signingKeyOf } from '../../src/identity/signing-keys.ts';
import { useDatabase } from '../support/database.ts';
import { key, newPerson, secret } from './support.ts';

const { db } = useDatabase();

test('every bytea column of the schema is either rotated or a hash', async () => {
  const found = await rows<{ name: string }>(
    db,
    sql`
    select table_name || '.' || column_name as name from information_schema.columns
    where table_schema = current_schema() and data_type = 'bytea'`,
  );
  const known = [
    ...sealedColumns.flatMap(({ table, columns }) => columns.map((c) => `${table}.${c}`)),
    ...hashColumns,
  ];
  expect(found.map((row) => row.name).sort()).toEqual(known.sort());
});

test('rotation makes the old key needless and changes nothing that can be read', async () => {
  const [first, second, index] = [key('k1'), key('k2'), secret()];
  const before = makeKeyring(first, index);
  const both = makeKeyring(`${first},${second}`, index);
  const after = makeKeyring(second, index);
  const person = { ...newPerson(), phone: '13812345678' };
  const { citizenId } = await transact(db, (tx) => findOrCreateCitizen(tx, before, person));
  // More rows than one batch holds, some of them without a phone.
  await transact(db, async (tx) => {
    for (let i = 0; i < 450; i += 1) await findOrCreateCitizen(tx, before, newPerson('19850505'));
  });
  const { kid } = await signingKeyOf({ db, keyring: before }, 'accessToken');
  const known = await readCitizen(db, before, citizenId);
  await expect(readCitizen(db, after, citizenId)).rejects.toThrow(/k1 is not configured/);

  const { resealed } = await rotateKeys(db, both);
  expect(resealed).toBe(451 * 2 + 1 + 1);
  expect(await readCitizen(db, after, citizenId)).toEqual(known);
  expect(await findCitizenByIdNumber(db, after, person.idNumber)).toEqual({ citizenId });
  const [row] = await rows<{ private_jwk: Buffer }>(
    db,
    sql`select private_jwk from signing_key where kid = ${kid}`,
  );
  expect(after.open(row?.private_jwk as Buffer)).toContain('"d":');
  expect(await rotateKeys(db, both)).toMatchObject({ resealed: 0 });
});
