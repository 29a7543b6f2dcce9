// The breaker's second opinion after a failure: does the insurer answer a harmless 1101 in words?
import type { Db } from '../db/db.ts';
import type { Insurer, Message } from './insurer.ts';
import { newMessageId } from './message-store.ts';

/** In whose name, and on which route, a probe is sent. */
export type Sender = Pick<Message, 'hospital' | 'operator' | 'insuredRegion'>;

/** domain.md, Breaker. The slowest 1101 seen in the field took 985 ms. */
const PROBE_MS = 1_000;

/** Nobody: no region begins with 00, and nobody was born in 1800. Its check digit is right. */
const NOBODY = '00000018000101000X';

/** 1101 about nobody; any answer in words counts, also a no. Changes nothing at the insurer. */
export async function isProbeAnswered(
  deps: { db: Db; insurer: Insurer; realNow: () => Date },
  sender: Sender,
): Promise<boolean> {
  const msgid = await newMessageId(deps.db, sender.hospital.code, deps.realNow());
  const data = {
    mdtrt_cert_type: '02',
    mdtrt_cert_no: NOBODY,
    card_sn: '',
    begntime: '',
    psn_cert_type: '01',
    certno: NOBODY,
    psn_name: '',
  };
  const { hospital, operator, insuredRegion } = sender;
  const message: Message = {
    infno: '1101',
    msgid,
    hospital,
    operator,
    insuredRegion,
    input: { data },
  };
  const { outcome } = await deps.insurer.send(message, PROBE_MS);
  return outcome !== 'offline' && outcome !== 'unknown';
}
