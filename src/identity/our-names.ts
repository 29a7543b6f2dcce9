// Pure: under which base URLs we are known, and which issuers' tokens we take.
import type { Deps } from '../deps.ts';

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Our issuer first, then its loopback twins: a sandbox on one machine is reached as 127.0.0.1 and
 * as localhost alike, and a stock client insists that metadata carries the name it asked for. A
 * public URL that is not loopback has no twins.
 */
export function ourNames(publicUrl: string): string[] {
  const url = new URL(publicUrl);
  const path = url.pathname.replace(/\/+$/, '');
  const nameOf = (hostname: string) =>
    `${url.protocol}//${hostname}${url.port ? `:${url.port}` : ''}${path}`;
  const twins = LOOPBACK.includes(url.hostname) ? LOOPBACK.filter((h) => h !== url.hostname) : [];
  return [url.hostname, ...twins].map(nameOf);
}

export type IssuerKind = 'citizen' | 'staff';

/** Path of a sandbox issuer under our base URL. */
export function sandboxIssuerPath(kind: IssuerKind): string {
  return `/sandbox/issuers/${kind}`;
}

/** The sandbox issuer's name, as its tokens carry it. */
export function sandboxIssuer(publicUrl: string, kind: IssuerKind): string {
  return `${ourNames(publicUrl)[0]}${sandboxIssuerPath(kind)}`;
}

/**
 * The OIDC issuers whose tokens say who a citizen or a staff member is: the configured one, and in
 * a sandbox its own issuer too, so that POST /sandbox/tokens always works.
 */
export function issuersOf(deps: Pick<Deps, 'env' | 'publicUrl'>, kind: IssuerKind): string[] {
  const configured = kind === 'citizen' ? deps.env.CITIZEN_ISSUER : deps.env.STAFF_ISSUER;
  const isSandbox = deps.env.EGRET_MODE === 'sandbox';
  return [
    ...(configured ? [configured] : []),
    ...(isSandbox ? [sandboxIssuer(deps.publicUrl, kind)] : []),
  ];
}
