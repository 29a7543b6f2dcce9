// Yardstick: how fast the sandbox insurer alone answers the trades of a conversion, asked by a bare
// loop that keeps nothing, checks only that each answer is a yes, and is written for speed.
import { Pool } from 'undici';
import { envelopeOf, gatewayHeaders } from '../../src/insurance/envelope.ts';
import type { ClaimSplit, Infno, Message } from '../../src/insurance/insurer.ts';
import type { InsuredPerson } from '../../src/insurance/person.ts';
import { regionRules } from '../../src/insurance/regions.ts';
import {
  feeUpload2204,
  preSettle2206,
  register2201,
  settle2207,
  visitInfo2203,
} from '../../src/insurance/trades.ts';
import { wireStamp } from '../../src/insurance/wire-time.ts';
import { fenFromWire, lineAmount, sumFen } from '../../src/money.ts';
import { hospitals } from '../../src/sandbox/city/hospitals.ts';
import { concurrently } from '../../src/sandbox/demo/concurrently.ts';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import { type City, HOSPITALS } from './city.ts';
import { lines } from './visits.ts';

/** The insurer is one thread: more than it can answer at once only waits in line. */
const CONNECTIONS = 8;

const operator = { id: 'bench', name: '基准' };

/** Claims so many visits; returns claims per second, each of the six trades. */
export async function bareClaimsPerSecond(
  city: City,
  people: readonly DemoPerson[],
  claims: { count: number; name: string },
): Promise<number> {
  const pool = new Pool(city.insurer.url, { connections: CONNECTIONS, pipelining: 1 });
  const post = bareSender(city, pool);
  const numbers = Array.from({ length: claims.count }, (_, i) => i);
  try {
    const startedAt = performance.now();
    await concurrently(numbers, CONNECTIONS, (number) =>
      claimOne(post, people[number % people.length] as DemoPerson, `${claims.name}-${number}`),
    );
    return claims.count / ((performance.now() - startedAt) / 1000);
  } finally {
    await pool.close();
  }
}

type Post = (infno: Infno, input: Record<string, unknown>, hospital: number) => Promise<Output>;
// biome-ignore format: one line a node
type Output = {
  data?: { mdtrt_id: string };
  baseinfo?: { psn_no: string };
  insuinfo?: { insutype: string; psn_type: string; psn_insu_stas: string }[];
  setlinfo?: Record<string, unknown>;
};

let messages = 0;

function bareSender(city: City, pool: Pool): Post {
  const rules = regionRules('350200');
  return async (infno, input, hospitalNumber) => {
    const { code, name, region } = hospitals[hospitalNumber % HOSPITALS] ?? hospitals[0]!;
    const now = new Date();
    messages += 1;
    const message: Message = {
      infno,
      msgid: `${code}${wireStamp(now)}${String(messages % 10_000).padStart(4, '0')}`,
      hospital: { code, name, region },
      insuredRegion: infno === '1101' ? null : region,
      operator,
      input,
    };
    const reply = await pool.request({
      method: 'POST',
      path: `/fsi/api/rsfComIfsService/callService/${infno}`,
      headers: gatewayHeaders(infno, rules, city.insurer, now),
      body: envelopeOf(message, rules, '', now),
    });
    const body = (await reply.body.json()) as { infcode: unknown; err_msg: string; output: Output };
    if (Number(body.infcode) !== 0) throw new Error(`${infno} ${message.msgid}: ${body.err_msg}`);
    return body.output;
  };
}

const charges = lines.map(({ code, name, quantity, unitPrice }, index) => ({
  lineNumber: index + 1,
  code,
  name,
  quantity,
  unitPrice,
  amount: lineAmount(quantity, unitPrice),
  occurredAt: new Date(),
  isOutsideInsurance: false,
}));
const total = sumFen(charges.map((line) => line.amount));
async function claimOne(post: Post, who: DemoPerson, visitNumber: string): Promise<void> {
  const hospital = Number(visitNumber.split('-').at(-1));
  const found = await post('1101', { data: lookUp(who) }, hospital);
  const insurance = found.insuinfo?.find((row) => row.psn_insu_stas === '1');
  const person = {
    psnNo: found.baseinfo?.psn_no ?? '',
    name: who.name,
    idNumber: who.idNumber,
    insutype: insurance?.insutype ?? '',
    psnType: insurance?.psn_type ?? '',
    certType: '02',
    certNo: who.idNumber,
    cardSn: '',
    psnCertType: '01',
  } as InsuredPerson;
  const visit = { visitNumber, startedAt: new Date(), medType: '11', diagnoses: [] };
  const registered = await post('2201', register2201(person, visit), hospital);
  const mdtrtId = registered.data?.mdtrt_id ?? '';
  const claim = { person, visit, mdtrtId, chrgBchno: '1', total, acctUsedFlag: '0' as const };
  await post('2203', visitInfo2203(person, visit, mdtrtId), hospital);
  await post('2204', feeUpload2204({ ...claim, charges }), hospital);
  const { setlinfo } = await post('2206', preSettle2206(claim), hospital);
  const echoed = (field: string) => fenFromWire(String(setlinfo?.[field] ?? '0')) ?? 0n;
  const preview = {
    fullyOwnPaid: echoed('fulamt_ownpay_amt'),
    overLimit: echoed('overlmt_selfpay'),
    firstOwnPaid: echoed('preselfpay_amt'),
    inScope: echoed('inscp_scp_amt'),
  } as ClaimSplit;
  const settled = await post('2207', settle2207({ ...claim, preview, charges }), hospital);
  if (!settled.setlinfo?.setl_id) throw new Error('2207 settled nothing');
}

function lookUp({ idNumber, name }: DemoPerson): Record<string, string> {
  return {
    mdtrt_cert_type: '02',
    mdtrt_cert_no: idNumber,
    card_sn: '',
    begntime: '',
    psn_cert_type: '01',
    certno: idNumber,
    psn_name: name,
  };
}
