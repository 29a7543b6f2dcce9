// Everything a use case may need from outside, built once by app.ts and passed down.
import type { Logger } from 'pino';
import type { Environment } from './config.ts';
import type { LenderBank } from './credit/lender-bank.ts';
import type { ScoreProvider } from './credit/score-provider.ts';
import type { Db } from './db/db.ts';
import type { KinshipRegistry } from './family/kinship-registry.ts';
import type { Metrics } from './http/metrics.ts';
import type { Keyring } from './identity/keyring.ts';
import type { Breaker } from './insurance/breaker.ts';
import type { Insurer } from './insurance/insurer.ts';
import type { PayoutBank } from './payout/payout-bank.ts';
import type { RefundChannel } from './settlement/refund-channel.ts';

export interface Deps {
  env: Environment;
  /** Our own base URL: issuer of terminal tokens and audience of client assertions. */
  publicUrl: string;
  db: Db;
  /** For reports, which may be a second old: a read replica, else the same as `db`. */
  reportDb: Db;
  log: Logger;
  keyring: Keyring;
  insurer: Insurer;
  breaker: Breaker;
  lenders: LenderBank;
  payoutBank: PayoutBank;
  scores: ScoreProvider;
  kinship: KinshipRegistry;
  channels: RefundChannel;
  metrics: Metrics;
  /** Real time, for tokens, one-time codes, leases and message ids. */
  realNow: () => Date;
}
