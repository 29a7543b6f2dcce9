// Law (nhsa.md §1.4): the AK/SK gateway lets in only a fresh, rightly signed call. Real time counts,
// not the sandbox clock. Its errors are an HTTP body of their own, not the envelope.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const MAX_AGE_MS = 30 * 60_000;

export interface GatewayKeys {
  accessKey: string;
  secretKey: string;
}

/** null when the call may pass, else the gateway's words for its 401. */
export function gatewayError(
  headers: IncomingHttpHeaders,
  keys: GatewayKeys,
  infno: string | null,
  realNowMs: number,
): string | null {
  const read = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const name = read('_api_name');
  const version = read('_api_version');
  const timestamp = read('_api_timestamp');
  const accessKey = read('_api_access_key');
  const signature = read('_api_signature');
  if (!name || !version || !timestamp || !accessKey || !signature) return '缺少服务网关的请求头!';
  const ageMs = Math.abs(realNowMs - Number(timestamp));
  if (!/^\d{13}$/.test(timestamp) || ageMs > MAX_AGE_MS) return '签名时间戳超时!';
  if (accessKey !== keys.accessKey) return '非法用户!';
  const signed = `_api_access_key=${accessKey}&_api_name=${name}&_api_timestamp=${timestamp}&_api_version=${version}`;
  const expected = createHmac('sha1', keys.secretKey).update(signed).digest();
  const given = Buffer.from(signature, 'base64');
  const isSame = given.length === expected.length && timingSafeEqual(given, expected);
  if (!isSame || (infno !== null && name !== infno)) return '签名不一致!';
  return null;
}
