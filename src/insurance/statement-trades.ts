// Role: asks the insurer for its side of a day: 3201 by groups, and 3202 with its files only where a group is not
// flat (nhsa.md §5). Law: nothing of it changes the insurer's books, so no message is stored and every one may be
// asked again; what cannot be asked now is no difference.
import type { Db } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import type { Answer, Infno, Message, WireNode } from './insurer.ts';
import { newMessageId } from './message-store.ts';
import { regionRules } from './regions.ts';
import {
  type ClaimGroup,
  type ClaimRow,
  claimsFile,
  detail3202,
  download9102,
  totals3201,
  upload9101,
} from './statement-inputs.ts';
import { findSender } from './statement-store.ts';
import type { TradeInput } from './trades.ts';
import { node, text } from './wire.ts';

/** A report over a day is no counter request: nobody waits at a window. */
const DEADLINE_MS = 30_000;
const operator = { id: 'reconciliation', name: '对账' };

type Asking = Pick<Deps, 'insurer' | 'realNow'> & { db: Db };

/** Why there is no answer to compare with. */
export interface NoStatement {
  outcome: 'offline' | 'unknown' | 'rejected';
  reason: string;
}
export type TotalsAnswer = { outcome: 'flat' } | { outcome: 'notFlat'; text: string } | NoStatement;
/** `file` is the zip as it came: its rows are read by reconciliation/files/insurer.ts. */
export type DetailAnswer = { outcome: 'file'; file: Buffer } | NoStatement;

/** 3201: whether the insurer's sums of the group are ours. */
export async function insurerTotals(
  deps: Asking,
  hospitalCode: string,
  day: string,
  group: ClaimGroup,
): Promise<TotalsAnswer> {
  const hospital = await findSender(deps.db, hospitalCode);
  const answer = await ask(deps, hospital, '3201', totals3201(day, group));
  if (answer.outcome !== 'ok') return noStatement(answer);
  const info = node(answer.output, 'stmtinfo');
  const result = text(info, 'stmt_rslt');
  if (result === '') return { outcome: 'unknown', reason: 'answer without stmt_rslt' };
  if (regionRules(hospital.region).flatResults.includes(result)) return { outcome: 'flat' };
  return { outcome: 'notFlat', text: text(info, 'stmt_rslt_dscr') || result };
}

/** 9101, 3202, 9102: the insurer's rows of the group beside ours, as its zipped file. */
export async function insurerDetail(
  deps: Asking,
  hospitalCode: string,
  day: string,
  group: ClaimGroup,
  claims: readonly ClaimRow[],
): Promise<DetailAnswer> {
  const hospital = await findSender(deps.db, hospitalCode);
  const name = `${hospitalCode}_${day.replaceAll('-', '')}_${group.insutype}_${group.clrType}`;
  const file = { name: `${name}.zip`, bytes: claimsFile(name, claims) };
  const form = regionRules(hospital.region).uploadBytes;
  const uploaded = await ask(deps, hospital, '9101', upload9101(file, hospitalCode, form));
  if (uploaded.outcome !== 'ok') return noStatement(uploaded);
  const sent = fileIn(uploaded.output);
  if (!sent) return { outcome: 'unknown', reason: '9101: no file_qury_no' };
  const compared = await ask(deps, hospital, '3202', detail3202(day, group, sent.number));
  if (compared.outcome !== 'ok') return noStatement(compared);
  const result = fileIn(compared.output);
  if (!result) return { outcome: 'unknown', reason: '3202: no file_qury_no' };
  const got = await ask(deps, hospital, '9102', download9102(result, hospitalCode));
  if (got.outcome !== 'ok') return noStatement(got);
  const content = Buffer.from(text(got.output, 'file'), 'base64');
  if (content.length === 0) return { outcome: 'unknown', reason: '9102: no file' };
  return { outcome: 'file', file: content };
}

async function ask(
  deps: Asking,
  hospital: Message['hospital'],
  infno: Infno,
  input: TradeInput,
): Promise<Answer> {
  const msgid = await newMessageId(deps.db, hospital.code, deps.realNow());
  return deps.insurer.send(
    { infno, msgid, hospital, insuredRegion: null, operator, input },
    DEADLINE_MS,
  );
}

function noStatement(answer: Exclude<Answer, { outcome: 'ok' }>): NoStatement {
  const { outcome, reason } = answer;
  return { outcome: outcome === 'offline' || outcome === 'unknown' ? outcome : 'rejected', reason };
}

/** file_qury_no and filename, in a node of whatever name or in none. */
function fileIn(output: WireNode): { number: string; name: string } | null {
  const places = [output, ...Object.keys(output).map((field) => node(output, field))];
  const found = places.find((place) => text(place, 'file_qury_no') !== '');
  if (!found) return null;
  return { number: text(found, 'file_qury_no'), name: text(found, 'filename') };
}
