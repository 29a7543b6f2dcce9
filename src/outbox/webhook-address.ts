// Law: nobody can make us post into a private network. Where a webhook may go is decided by the
// address that is really connected to, not by the name that was registered.
import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { Environment } from '../config.ts';

type Mode = Environment['EGRET_MODE'];

const MAX_URL_CHARS = 2_000;

/** IPv4 that is not public (IANA special-purpose registry), multicast and reserved included. */
const notPublicV4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]);
/** All public IPv6 is in here … */
const globalV6 = blockList('ipv6', [['2000::', 3]]);
/** … except protocol assignments with Teredo, documentation, and 6to4, which hides an IPv4. */
const notPublicV6 = blockList('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);
const loopbackV4 = blockList('ipv4', [['127.0.0.0', 8]]);

/** Why the URL may not be a webhook's, or null. Names are looked at again when they are resolved. */
export function refusalOfUrl(text: string, mode: Mode): string | null {
  if (text.length > MAX_URL_CHARS || !URL.canParse(text)) return '不是有效的 URL Not a URL';
  const url = new URL(text);
  const isSecure = url.protocol === 'https:';
  if (!isSecure && (url.protocol !== 'http:' || mode === 'production')) {
    return mode === 'production' ? '须为 https Expects https' : '须为 http(s) Expects http(s)';
  }
  if (url.username || url.password) return '不得含账号密码 Credentials in the URL';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && !isReachable(host, mode)) return '不得为内网地址 Not a public address';
  return null;
}

/** True for public addresses, in the sandbox also for our own machine. */
export function isReachable(address: string, mode: Mode): boolean {
  if (isIP(address) === 4) {
    if (mode === 'sandbox' && loopbackV4.check(address)) return true;
    return !notPublicV4.check(address);
  }
  if (mode === 'sandbox' && address === '::1') return true;
  return globalV6.check(address, 'ipv6') && !notPublicV6.check(address, 'ipv6');
}

class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED';
}

/**
 * A lookup for sockets: what it hands out is what is connected to, so a name cannot resolve to one
 * address when it is checked and to another when it is used. One bad address refuses the name.
 */
export function guardedLookup(mode: Mode, resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const [first] = found ?? [];
      if (error || !first) return callback(error ?? new AddressRefused(hostname), '');
      if (!found.every(({ address }) => isReachable(address, mode))) {
        return callback(new AddressRefused(hostname), '');
      }
      if (options.all) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}

function blockList(family: 'ipv4' | 'ipv6', ranges: [net: string, prefix: number][]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, family);
  return list;
}
