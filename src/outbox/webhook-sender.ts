// Role: one signed POST to a receiver, by Standard Webhooks (standardwebhooks.com). It never throws
// and follows no redirect: what is not a 2xx in time is a failure with a reason.
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import type { Environment } from '../config.ts';
import { guardedLookup, refusalOfUrl } from './webhook-address.ts';

export interface WebhookMessage {
  url: string;
  /** "whsec_" and base64. */
  secret: string;
  /** The event's id: the same at every try, so that receivers can drop repetitions. */
  id: string;
  /** JSON text. */
  body: string;
  /** Real time of this try. */
  sentAt: Date;
  deadlineMs: number;
}

export type SendOutcome =
  | { outcome: 'accepted' }
  /** 410: the receiver wants no more. */
  | { outcome: 'gone' }
  | { outcome: 'failed'; reason: string };

const agents = {
  sandbox: new Agent({ connect: { lookup: guardedLookup('sandbox') } }),
  production: new Agent({ connect: { lookup: guardedLookup('production') } }),
};

export async function sendWebhook(
  message: WebhookMessage,
  mode: Environment['EGRET_MODE'],
): Promise<SendOutcome> {
  // Addresses in the URL itself are never looked up, and rules may be newer than the registration.
  const refusal = refusalOfUrl(message.url, mode);
  if (refusal) return { outcome: 'failed', reason: refusal };
  try {
    const reply = await request(message.url, {
      dispatcher: agents[mode],
      method: 'POST',
      headers: headersOf(message),
      body: message.body,
      reset: true,
      signal: AbortSignal.timeout(message.deadlineMs),
    });
    // Only the status counts; a receiver may not keep us busy with a body.
    reply.body.on('error', () => {});
    reply.body.destroy();
    return outcomeOf(reply.statusCode);
  } catch (error) {
    return { outcome: 'failed', reason: reasonOf(error) };
  }
}

function headersOf({ id, secret, body, sentAt }: WebhookMessage): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'Egret-Webhooks',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, sentAt, body),
  };
}

function outcomeOf(status: number): SendOutcome {
  if (status >= 200 && status < 300) return { outcome: 'accepted' };
  return status === 410 ? { outcome: 'gone' } : { outcome: 'failed', reason: `HTTP ${status}` };
}

/** A short word for operators; a system error's text may hold addresses, its code does not. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
