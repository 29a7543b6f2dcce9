// Terminal vendors over HTTP: whose face and NFC assertions the counters of the city may show.
import { z } from 'zod';
import { transact } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Route, route } from '../http/route.ts';
import { pageQuery } from '../http/schemas.ts';
import { newVendorBody, vendorParams, vendorReply, vendorsReply } from './schemas.ts';
import { listVendors, registerVendor, revokeVendor, vendorView } from './terminal-vendors.ts';

const common = { tag: 'Access', roles: ['admin'] } as const;

/** A vendor is believed by the whole city, so one hospital's admin does not decide it. */
function refuseOneHospital(call: Pick<Call, 'caller'>): void {
  if (callerOf(call, 'staff').hospitalCode) throw new Refusal('access/forbidden');
}

export const vendorRoutes: Route[] = [
  route({
    ...common,
    method: 'post',
    path: '/v1/terminal-vendors',
    operationId: 'registerTerminalVendor',
    summary: '登记终端厂商 Register a vendor whose face and NFC assertions are believed',
    idempotency: 'optional',
    body: newVendorBody,
    replies: { 201: vendorReply },
    problems: ['vendor/key-invalid', 'vendor/issuer-taken'],
    handler: (call) => {
      refuseOneHospital(call);
      return once(call, async (tx) => {
        const row = await registerVendor(tx, { ...call.body, at: call.deps.realNow() });
        return { status: 201, body: vendorView(row) };
      });
    },
  }),
  route({
    ...common,
    method: 'get',
    path: '/v1/terminal-vendors',
    operationId: 'listTerminalVendors',
    summary: '终端厂商列表 Terminal vendors',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: vendorsReply },
    problems: [],
    handler: async ({ deps, query }) => {
      const [afterId] = readCursor(query.cursor, z.tuple([z.string()])) ?? [''];
      const found = await listVendors(deps.db, afterId, query.limit + 1);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      return { status: 200, body: { data: data.map(vendorView), nextCursor } };
    },
  }),
  route({
    ...common,
    method: 'delete',
    path: '/v1/terminal-vendors/{vendorId}',
    operationId: 'revokeTerminalVendor',
    summary: '停用终端厂商 Revoke a vendor; its assertions fail from the next one on',
    idempotency: 'none',
    params: vendorParams,
    replies: { 204: null },
    problems: ['resource/not-found'],
    handler: async (call) => {
      refuseOneHospital(call);
      const at = call.deps.realNow();
      await transact(call.deps.db, (tx) => revokeVendor(tx, call.params.vendorId, at));
      return { status: 204 };
    },
  }),
];
