// The OpenAPI 3.1 document, made from the same routes and zod schemas that validate requests.
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { type ProblemCode, problems } from '../errors.ts';
import type { Route } from './route.ts';
import { problemReply } from './schemas.ts';

/** Refusals that any operation may give, by what the operation has. */
function commonProblems(route: Route): ProblemCode[] {
  const hasBody = route.method !== 'get' && route.method !== 'delete';
  return [
    'request/malformed',
    'request/invalid',
    'request/rate-limited',
    'service/unavailable',
    ...(route.roles === 'public'
      ? []
      : (['access/token-missing', 'access/token-invalid', 'access/forbidden'] as const)),
    ...(hasBody ? (['request/too-large', 'request/unsupported-media-type'] as const) : []),
    ...(route.params ? (['resource/not-found'] as const) : []),
    ...(route.idempotency === 'none' ? [] : keyProblems),
  ];
}

const keyProblems = [
  'idempotency/key-missing',
  'idempotency/key-invalid',
  'idempotency/key-reused',
  'idempotency/in-flight',
] as const;

/** The whole document, ready for JSON.stringify. `extraPaths` are written by hand (oauth-paths.ts). */
export function openApiDocument(
  routes: readonly Route[],
  publicUrl: string,
  extraPaths: ZodOpenApiPathsObject = {},
): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  }
  return createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Egret 白鹭 · 先诊疗后付费',
        version: '0.1.0',
        description:
          '信用就医：先诊疗、后付费，医保离线自动转医保。Credit-based treat first, pay later.\n\n' +
          'Money is yuan as text with two decimals; times are RFC 3339; problems are RFC 9457.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: publicUrl }],
      tags: ['Access', 'Citizen', 'Counter', 'Lender', 'Finance', 'Operations', 'Sandbox'].map(
        (name) => ({
          name,
        }),
      ),
      paths: { ...paths, ...extraPaths },
      components: {
        schemas: { Problem: problemReply },
        securitySchemes: {
          terminal: {
            type: 'oauth2',
            description: 'client_credentials with private_key_jwt (RFC 7523)',
            flows: { clientCredentials: { tokenUrl: `${publicUrl}/oauth/token`, scopes: {} } },
          },
          person: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: "token of the city's OIDC provider (citizens, lenders, staff)",
          },
        },
      },
    },
    { override: openReplies },
  );
}

/** Clients must live with new fields in replies, so only requests are closed to unknown fields. */
function openReplies(context: { jsonSchema: object; io: 'input' | 'output' }): void {
  const schema = context.jsonSchema as { additionalProperties?: unknown };
  if (context.io === 'output' && schema.additionalProperties === false) {
    delete schema.additionalProperties;
  }
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const header = headersOf(route);
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    description: rolesText(route),
    security: securityOf(route.roles),
    requestParams: {
      ...(route.params ? { path: route.params as z.ZodObject } : {}),
      ...(route.query ? { query: route.query as z.ZodObject } : {}),
      ...(header ? { header } : {}),
    },
    ...bodyOf(route),
    responses: { ...successes(route), ...refusals(route) },
  };
}

function bodyOf(route: Route): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (route.file) {
    const { contentTypes, isOptional } = route.file;
    // OpenAPI 3.1 describes raw bytes by their media type alone.
    const content = Object.fromEntries(contentTypes.map((type) => [type, {}]));
    return { requestBody: { required: !isOptional, content } };
  }
  if (!route.body) return {};
  const content = { 'application/json': { schema: route.body } };
  return { requestBody: { required: !route.isBodyOptional, content } };
}

function rolesText(route: Route): string {
  return route.roles === 'public' ? 'Needs no token.' : `For: ${route.roles.join(', ')}.`;
}

function securityOf(roles: Route['roles']): Record<string, string[]>[] {
  if (roles === 'public') return [];
  const people = roles.filter((role) => role !== 'terminal');
  return [
    ...(roles.includes('terminal') ? [{ terminal: [] }] : []),
    ...(people.length > 0 ? [{ person: [] }] : []),
  ];
}

const keyHeader = z.string().min(1).max(600).meta({
  description: '幂等键：引号可有可无 quoted or bare, 1 to 255 printable ASCII characters',
  example: '"3f0c2a1e-6a0d-4a39-9d1b-0a8f5f6f1a2b"',
});

function headersOf(route: Route): z.ZodObject | null {
  const needsVersion = route.problems.includes('request/precondition-required');
  if (route.idempotency === 'none' && !needsVersion) return null;
  return z.object({
    ...(route.idempotency === 'required' ? { 'Idempotency-Key': keyHeader } : {}),
    ...(route.idempotency === 'optional' ? { 'Idempotency-Key': keyHeader.optional() } : {}),
    ...(needsVersion ? { 'If-Match': z.string().meta({ description: 'ETag' }) } : {}),
  });
}

function successes(route: Route): ZodOpenApiResponsesObject {
  const entries = Object.entries(route.replies).map(([status, schema]) => [
    status,
    {
      description: route.summary,
      ...(route.idempotency === 'none' ? {} : { headers: { 'Idempotency-Replayed': replayed } }),
      ...(schema
        ? { content: { 'application/json': { schema }, ...(route.isTabular ? sheets : {}) } }
        : {}),
    },
  ]);
  return Object.fromEntries(entries);
}

const sheets = {
  'text/csv': {},
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': {},
};

const replayed = {
  description: 'true on a stored reply',
  schema: { type: 'string', enum: ['true'] },
} as const;

const retryAfter = {
  description: 'seconds',
  schema: { type: 'string', pattern: '^[0-9]+$' },
} as const;

/** One entry a status; its description lists the codes that may come with it. */
function refusals(route: Route): ZodOpenApiResponsesObject {
  const codes = new Map<number, Set<ProblemCode>>();
  for (const code of [...commonProblems(route), ...route.problems]) {
    const { status } = problems[code];
    codes.set(status, (codes.get(status) ?? new Set()).add(code));
  }
  const entries = [...codes].map(([status, set]) => [
    String(status),
    {
      description: [...set].map((code) => `\`${code}\` ${problems[code].title}`).join(' · '),
      ...(status === 429 || status === 503 ? { headers: { 'Retry-After': retryAfter } } : {}),
      content: { 'application/problem+json': { schema: problemReply } },
    },
  ]);
  return Object.fromEntries(entries);
}
