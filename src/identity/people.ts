// People by real name. Law: names, ID numbers and phones are encrypted at rest; a keyed blind index
// of the ID number finds a person again. One ID number is one citizen, whatever races.
//
// Whose name counts: a real-name source (the city's OIDC provider, the insurer's 1101) writes and
// corrects name and phone. A terminal's free text only names somebody who had no name yet; it never
// overwrites, because a typing error at one counter must not rename a person for the whole city.
import { eq, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { citizen } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { parseIdNumber } from './id-number.ts';
import type { Keyring } from './keyring.ts';

export interface Person {
  /** May be empty: an ID number read while nobody could say the name. */
  name: string;
  idNumber: string;
  phone?: string | undefined;
  /** Default "terminal": free text that never overwrites a known name. */
  source?: 'realName' | 'terminal' | undefined;
}

export interface Citizen {
  id: string;
  name: string;
  idNumber: string;
  phone: string | null;
  /** YYYY-MM-DD, read from the ID number. */
  birthDate: string;
  usePersonalAccount: boolean;
  useFamilyAccount: boolean;
  bankCode: string | null;
  bankAccount: string | null;
}

interface FoundRow {
  id: string;
  name: Buffer;
  phone: Buffer | null;
  is_new: boolean;
}

/**
 * The citizen of an ID number, created when new; one statement, safe against races.
 * Refuses an invalid ID number with identity/unknown.
 */
export async function findOrCreateCitizen(
  tx: Tx,
  keyring: Keyring,
  person: Person,
): Promise<{ citizenId: string }> {
  const parsed = parseIdNumber(person.idNumber);
  if (!parsed) throw new Refusal('identity/unknown', { detail: '身份证号无效 Invalid ID number' });
  const known = { ...person, idNumber: parsed.number };
  // A racing insert makes the statement see nobody once: then the other one has committed.
  const found = (await upsert(tx, keyring, known)) ?? (await upsert(tx, keyring, known));
  if (!found) throw new Error('a citizen was neither found nor created');
  if (!found.is_new) await correctPerson(tx, keyring, person, found);
  return { citizenId: found.id };
}

/** What a citizen is found by; an invalid ID number is nobody's. */
export const indexOf = (keyring: Keyring, idNumber: string): Buffer =>
  keyring.blindIndex(parseIdNumber(idNumber)?.number ?? '');

/** The citizen with this ID number, or null. */
export async function findCitizenByIdNumber(
  tx: Tx | Db,
  keyring: Keyring,
  idNumber: string,
): Promise<{ citizenId: string } | null> {
  const parsed = parseIdNumber(idNumber);
  if (!parsed) return null;
  const [row] = await tx
    .select({ citizenId: citizen.id })
    .from(citizen)
    .where(eq(citizen.idIndex, keyring.blindIndex(parsed.number)));
  return row ?? null;
}

/** Reads and decrypts one citizen. Throws when there is none: ids come from our own rows. */
export async function readCitizen(
  tx: Tx | Db,
  keyring: Keyring,
  citizenId: string,
): Promise<Citizen> {
  const [row] = await tx.select().from(citizen).where(eq(citizen.id, citizenId));
  if (!row) throw new Error(`citizen ${citizenId} does not exist`);
  return openCitizen(keyring, row);
}

/** Decrypts a citizen's row. */
export function openCitizen(keyring: Keyring, row: typeof citizen.$inferSelect): Citizen {
  const idNumber = keyring.open(row.idNumber);
  const parsed = parseIdNumber(idNumber);
  if (!parsed) throw new Error(`citizen ${row.id} has an invalid ID number`);
  return {
    id: row.id,
    name: keyring.open(row.name),
    idNumber,
    phone: row.phone ? keyring.open(row.phone) : null,
    birthDate: parsed.birthDate,
    usePersonalAccount: row.usePersonalAccount,
    useFamilyAccount: row.useFamilyAccount,
    bankCode: row.bankCode,
    bankAccount: row.bankAccount ? keyring.open(row.bankAccount) : null,
  };
}

async function upsert(tx: Tx, keyring: Keyring, person: Person): Promise<FoundRow | undefined> {
  const index = keyring.blindIndex(person.idNumber);
  const [row] = await rows<FoundRow>(
    tx,
    sql`
    with known as (
      select id, name, phone from citizen where id_index = ${index}
    ), made as (
      insert into citizen (id, id_index, id_number, name, phone)
      select ${newId('citizen')}, ${index}, ${keyring.seal(person.idNumber)}::bytea,
             ${keyring.seal(person.name)}::bytea,
             ${person.phone ? keyring.seal(person.phone) : null}::bytea
      where not exists (select from known)
      on conflict (id_index) do nothing
      returning id, name, phone
    )
    select id, name, phone, false as is_new from known
    union all select id, name, phone, true as is_new from made`,
  );
  return row;
}

async function correctPerson(
  tx: Tx,
  keyring: Keyring,
  person: Person,
  found: FoundRow,
): Promise<void> {
  const isRealName = person.source === 'realName';
  const knownName = keyring.open(found.name);
  const knownPhone = found.phone ? keyring.open(found.phone) : '';
  const mayName = person.name !== '' && (isRealName || knownName === '');
  const mayPhone = person.phone !== undefined && (isRealName || knownPhone === '');
  const isOther = mayName && person.name !== knownName;
  const isOtherPhone = mayPhone && person.phone !== knownPhone;
  if (!isOther && !isOtherPhone) return;
  await tx
    .update(citizen)
    .set({
      ...(isOther ? { name: keyring.seal(person.name) } : {}),
      ...(isOtherPhone && person.phone ? { phone: keyring.seal(person.phone) } : {}),
    })
    .where(eq(citizen.id, found.id));
}
