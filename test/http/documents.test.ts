// What the service says about itself: the API document, its pages and the closed problem catalogue.
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { problems } from '../../src/errors.ts';
import { oauthPaths } from '../../src/http/oauth-paths.ts';
import { openApiDocument } from '../../src/http/openapi.ts';
import { statisticsRoute } from '../../src/web/statistics.ts';
import { useDatabase } from '../support/database.ts';
import { noteRoutes } from './notes.ts';
import { useServer } from './server.ts';

const { db } = useDatabase();
const { agent } = useServer(db, [...noteRoutes, statisticsRoute]);

interface Operation {
  operationId: string;
  security: object[];
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { required: boolean };
  responses: Record<string, { description: string; headers?: object; content?: object }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}

async function readDocument(): Promise<Document> {
  return (await agent().get('/openapi.json')).body as Document;
}

/** Every schema in the document, wherever it is. */
function schemasIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    ...(key === 'schema' ? [member as object] : []),
    ...schemasIn(member),
  ]);
}

describe('the API document', () => {
  it('is OpenAPI 3.1 with schemas that all compile', async () => {
    const document = await readDocument();
    expect(document.openapi).toMatch(/^3\.1\./);
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(document, 'openapi');
    const schemas = schemasIn(document.paths);
    expect(schemas.length).toBeGreaterThan(40);
    for (const schema of schemas) {
      const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
      expect(() => ajv.compile(JSON.parse(text))).not.toThrow();
    }
  });

  it('has every route once, with an operation id of its own', async () => {
    const { paths } = await readDocument();
    for (const { path, method } of noteRoutes) expect(paths[path]).toHaveProperty(method);
    const ids = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .map((operation) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('issueToken');
  });

  it('says who may call, which key is needed and what may be refused', async () => {
    const { paths } = await readDocument();
    const write = paths['/v1/notes']?.post as Operation;
    const key = write.parameters?.find((parameter) => parameter.name === 'Idempotency-Key');
    expect(key).toMatchObject({ in: 'header', required: true });
    expect(write.security).toEqual([{ terminal: [] }, { person: [] }]);
    expect(write.requestBody?.required).toBe(true);
    expect(Object.keys(write.responses).sort()).toEqual([
      '201',
      '400',
      '401',
      '402',
      '403',
      '409',
      '413',
      '415',
      '422',
      '429',
      '503',
    ]);
    expect(write.responses[409]?.description).toContain('visit/number-taken');
    expect(write.responses[429]?.headers).toHaveProperty('Retry-After');
    expect(paths['/v1/notes']?.get?.responses[200]?.content).toHaveProperty('text/csv');
    expect(paths['/v1/open']?.get?.security).toEqual([]);
  });

  it('closes requests to unknown fields and leaves replies open for new ones', () => {
    const document = openApiDocument(noteRoutes, 'http://127.0.0.1', oauthPaths) as Document;
    const write = document.paths['/v1/notes']?.post;
    expect(JSON.stringify(write?.requestBody)).toContain('"additionalProperties":false');
    expect(JSON.stringify(write?.responses)).not.toContain('"additionalProperties":false');
  });

  it('has readable pages that need nothing from outside', async () => {
    const page = await agent().get('/docs/');
    expect(page.status).toBe(200);
    expect(page.text).toContain('Egret');
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
    const policy = page.headers['content-security-policy'];
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('upgrade-insecure-requests');
    expect((await agent().get('/docs')).headers.location ?? '/docs/').toBe('/docs/');
    expect((await agent().get('/docs/swagger-ui-bundle.js')).status).toBe(200);
    const start = await agent().get('/docs/swagger-ui-init.js');
    expect(start.text).toContain('/openapi.json');
    expect((await agent().get('/')).text).toContain('白鹭');
  });
});

describe('the problem catalogue', () => {
  it('is published whole, as JSON and as a page', async () => {
    const { body } = await agent().get('/problems').set('Accept', 'application/json');
    const codes = body.data.map((problem: { code: string }) => problem.code);
    expect(codes).toEqual(Object.keys(problems));
    const page = await agent().get('/problems').set('Accept', 'text/html,*/*;q=0.8');
    for (const code of codes) expect(page.text).toContain(`id="${code}"`);
  });

  it('has codes of the form area/reason, statuses of the contract and bilingual titles', () => {
    const statuses = [400, 401, 402, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503];
    for (const [code, { status, title }] of Object.entries(problems)) {
      expect(code).toMatch(/^[a-z]+\/[a-z-]+$/);
      expect(statuses).toContain(status);
      expect(title).toMatch(/^\p{Script=Han}.* [A-Z]/u);
    }
  });
});

it('gives the city its figures without asking who reads them', async () => {
  const reply = await agent().get('/v1/statistics');
  expect(reply.status).toBe(200);
  expect(reply.body).toMatchObject({
    enrolled: 0,
    creditGranted: '0.00',
    visits: 0,
    settlements: 0,
  });
  expect(reply.body.hospitals).toBeGreaterThan(1);
});
