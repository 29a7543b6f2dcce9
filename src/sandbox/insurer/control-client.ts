// Role: a small client of the insurer's control port, for the API's sandbox routes and for tests.
import type { z } from 'zod';
import type {
  CatalogueItem,
  ClaimView,
  Fault,
  HospitalItem,
  MessageView,
  PersonInput,
  Rules,
  statementRulesSchema,
} from './control-schemas.ts';

/** The control port refused (400: the input is wrong, `message` says where) or failed. */
export class InsurerControlError extends Error {
  override readonly name = 'InsurerControlError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface InsurerControl {
  setFault(fault: Fault): Promise<void>;
  fault(): Promise<Fault>;
  /** Upsert by idNumber; what is not said stays as it is. */
  addPerson(person: PersonInput): Promise<{ psnNo: string }>;
  /** The insurer's time = real time + offset. */
  setClock(offsetSeconds: number): Promise<void>;
  claims(filter?: { hospitalCode?: string; visitNumber?: string }): Promise<ClaimView[]>;
  /** Adds or replaces items by code. */
  setCatalogue(items: CatalogueItem[]): Promise<void>;
  setHospitals(items: HospitalItem[]): Promise<void>;
  /** Replaces all rules; {} is the default. */
  setRules(rules: Rules): Promise<void>;
  /** How 3201 and 3202 answer and what is wrong with them; {} is the default: nothing. */
  setStatementFaults(rules: z.input<typeof statementRulesSchema>): Promise<void>;
  /** Everything received, oldest first, since the process started. */
  messages(filter?: { msgid?: string; infno?: string }): Promise<MessageView[]>;
  /** Empties the books and opens the port. */
  reset(): Promise<void>;
}

/** Talks to the control port at e.g. "http://127.0.0.1:4001"; throws InsurerControlError. */
export function insurerControl(url: string): InsurerControl {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(new URL(path, url), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const reply = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new InsurerControlError(response.status, reply.error ?? 'failed');
    return reply;
  };
  const list = async <T>(path: string, filter: Record<string, string | undefined> = {}) => {
    const given = Object.entries(filter).filter((pair): pair is [string, string] => !!pair[1]);
    const { data } = await call<{ data: T[] }>('GET', `${path}?${new URLSearchParams(given)}`);
    return data;
  };
  const put = async (path: string, body: unknown) => {
    await call<unknown>('PUT', path, body);
  };
  return {
    setFault: (fault) => put('/fault', fault),
    fault: () => call('GET', '/fault'),
    addPerson: (person) => call('POST', '/people', person),
    setClock: (offsetSeconds) => put('/clock', { offsetSeconds }),
    claims: (filter) => list('/claims', filter),
    setCatalogue: (items) => put('/catalogue', { items }),
    setHospitals: (items) => put('/hospitals', { items }),
    setRules: (rules) => put('/rules', rules),
    setStatementFaults: (rules) => put('/statement-faults', rules),
    messages: (filter) => list('/messages', filter),
    reset: async () => {
      await call<unknown>('POST', '/reset');
    },
  };
}
