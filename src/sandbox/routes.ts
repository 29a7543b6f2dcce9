// /sandbox/*: people, tokens, faults, clock and the insurer's own books, for whoever tries the
// service. Needs no token and exists only with EGRET_MODE=sandbox (app.ts mounts it then).
import { sql } from 'drizzle-orm';
import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { businessNow, type Db } from '../db/db.ts';
import { businessClock } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { localsOf } from '../http/locals.ts';
import { type Route, route } from '../http/route.ts';
import { sendReply } from '../http/send.ts';
import { readBody, readInput } from '../http/validate.ts';
import { maskIdNumber, maskName } from '../identity/id-number.ts';
import { bankRoutes } from './bank-routes.ts';
import { type InsurerControl, insurerControl } from './insurer/control-client.ts';
import { faultSchema, statementRulesSchema } from './insurer/control-schemas.ts';
import { issueSandboxToken, sandboxIssuerRouter } from './issuer.ts';
import { addSandboxPerson, reach, type SandboxParties } from './people.ts';
import { assertionBody, claimsQuery, clockBody, personBody, tokenBody } from './schemas.ts';
import { mintAssertion } from './vendor.ts';

/** The issuers' documents and the /sandbox operations, ready to mount. */
export function sandboxRouter(deps: Deps, parties: SandboxParties): express.Router {
  const router = Router();
  router.use(sandboxIssuerRouter(deps));
  for (const spec of sandboxRoutes(parties)) {
    const handle = async (req: Request, res: Response) => {
      localsOf(res).route = spec.path;
      const { query, body } = readInput(spec, req);
      const caller = { kind: 'anonymous' as const, client: 'sandbox' };
      const call = { deps, caller, params: {}, query, body, key: null, ifMatch: null };
      await sendReply(req, res, await spec.handler({ ...call, file: null, accept: 'json' }));
    };
    if (spec.method === 'get') router.get(spec.path, handle);
    else router[spec.method](spec.path, readBody, handle);
  }
  return router;
}

/** The same operations as route specifications, for the OpenAPI document. */
export function sandboxRoutes(parties: SandboxParties): Route[] {
  return [...people(parties), ...insurer(parties), ...bankRoutes(parties), ...clock(parties)];
}

const common = { tag: 'Sandbox', roles: 'public', idempotency: 'none', problems: [] } as const;

function people(parties: SandboxParties): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/sandbox/people',
      operationId: 'addSandboxPerson',
      summary: '登记沙盒人员 A person for insurer, bank, score provider and kinship registry',
      body: personBody,
      replies: { 201: z.object({ name: z.string(), idNumber: z.string() }) },
      handler: async ({ deps, body }) => {
        await addSandboxPerson(deps, parties, body);
        const { name, idNumber } = body;
        return { status: 201, body: { name: maskName(name), idNumber: maskIdNumber(idNumber) } };
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/sandbox/tokens',
      operationId: 'issueSandboxToken',
      summary: '沙盒令牌 A token of any role',
      body: tokenBody,
      replies: { 200: z.object({ accessToken: z.string(), expiresIn: z.int() }) },
      problems: ['visit/hospital-unknown'],
      handler: async ({ deps, body }) => ({
        status: 200,
        body: await issueSandboxToken(deps, body),
      }),
    }),
    route({
      ...common,
      method: 'post',
      path: '/sandbox/assertions',
      operationId: 'mintSandboxAssertion',
      summary: '沙盒刷脸、NFC 凭证 A face or NFC assertion of the sandbox’s own terminal vendor',
      body: assertionBody,
      replies: { 200: z.object({ assertion: z.string() }) },
      handler: async ({ deps, body }) => ({
        status: 200,
        body: { assertion: await mintAssertion(deps, body) },
      }),
    }),
  ];
}

function insurer(parties: SandboxParties): Route[] {
  /** Another insurer's books and faults are not ours to show. */
  const control = (): InsurerControl => {
    if (parties.insurerControlUrl === null) throw new Refusal('resource/not-found');
    return insurerControl(parties.insurerControlUrl);
  };
  return [
    route({
      ...common,
      method: 'put',
      path: '/sandbox/insurer/fault',
      operationId: 'setInsurerFault',
      summary: '医保故障演练 What goes wrong at the sandbox insurer',
      body: faultSchema,
      replies: { 200: faultSchema },
      problems: ['resource/not-found'],
      handler: async ({ body }) => {
        const insurerNow = control();
        await reach(() => insurerNow.setFault(body));
        return { status: 200, body };
      },
    }),
    route({
      ...common,
      method: 'put',
      path: '/sandbox/insurer/statement-faults',
      operationId: 'setInsurerStatementFaults',
      summary: '医保对账演练 What is wrong with the sandbox insurer’s daily statement',
      body: statementRulesSchema,
      replies: { 200: statementRulesSchema },
      problems: ['resource/not-found'],
      handler: async ({ body }) => {
        const insurerNow = control();
        await reach(() => insurerNow.setStatementFaults(body));
        return { status: 200, body };
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/sandbox/insurer/claims',
      operationId: 'listInsurerClaims',
      summary: '医保方账册 The insurer’s own books',
      query: claimsQuery,
      replies: { 200: z.object({ data: z.array(z.looseObject({ setlId: z.string() })) }) },
      problems: ['resource/not-found'],
      handler: async ({ query }) => {
        const insurerNow = control();
        return { status: 200, body: { data: await reach(() => insurerNow.claims(query)) } };
      },
    }),
  ];
}

function clock(parties: SandboxParties): Route[] {
  const reply = z.object({ offsetSeconds: z.int(), now: z.iso.datetime() });
  return [
    route({
      ...common,
      method: 'put',
      path: '/sandbox/clock',
      operationId: 'setSandboxClock',
      summary: '业务时钟 Offset of business time from real time, in seconds',
      body: clockBody,
      replies: { 200: reply },
      handler: async ({ deps, body }) => {
        const { offsetSeconds } = body;
        const url = parties.insurerControlUrl;
        if (url !== null) await reach(() => insurerControl(url).setClock(offsetSeconds));
        await deps.db.update(businessClock).set({ offsetSeconds }).where(sql`one`);
        return { status: 200, body: await readClock(deps.db) };
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/sandbox/clock',
      operationId: 'readSandboxClock',
      summary: '业务时钟 Business time',
      replies: { 200: reply },
      handler: async ({ deps }) => ({ status: 200, body: await readClock(deps.db) }),
    }),
  ];
}

async function readClock(db: Db): Promise<{ offsetSeconds: number; now: string }> {
  const [row] = await db.select({ offsetSeconds: businessClock.offsetSeconds }).from(businessClock);
  const now = await businessNow(db);
  return { offsetSeconds: row?.offsetSeconds ?? 0, now: now.toISOString() };
}
