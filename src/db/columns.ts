// The few column shapes that every table uses, so that money, time and bytes mean one thing.
import { bigint, customType, timestamp } from 'drizzle-orm/pg-core';

/** Integer fen. */
export const fen = () => bigint({ mode: 'bigint' });
/** A moment, with time zone. */
export const moment = () => timestamp({ withTimezone: true, mode: 'date' });
/** Encrypted bytes (identity/keyring.ts) or a keyed hash. */
export const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });
