// The paths that are no Route because their form is a standard's, written by hand for /openapi.json.
import { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';

const tokenRequest = z.object({
  grant_type: z.literal('client_credentials'),
  client_assertion_type: z.literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
  client_assertion: z.string(),
  client_id: z.string().optional(),
  scope: z.string().optional(),
});

const tokenReply = z.object({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int(),
});

const oauthError = z.object({ error: z.string(), error_description: z.string().optional() });

const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });

function document(operationId: string, summary: string): ZodOpenApiOperationObject {
  return {
    operationId,
    summary,
    tags: ['Access'],
    security: [],
    responses: { 200: { description: summary, ...json(z.record(z.string(), z.unknown())) } },
  };
}

function probe(operationId: string, summary: string, type: string): ZodOpenApiOperationObject {
  return {
    operationId,
    summary,
    tags: ['Operations'],
    security: [],
    responses: { 200: { description: summary, content: { [type]: {} } } },
  };
}

export const oauthPaths: ZodOpenApiPathsObject = {
  '/oauth/token': {
    post: {
      operationId: 'issueToken',
      summary: '终端取令牌 A terminal gets its access token (RFC 6749, 7523, 9068)',
      tags: ['Access'],
      security: [],
      requestBody: {
        required: true,
        content: { 'application/x-www-form-urlencoded': { schema: tokenRequest } },
      },
      responses: {
        200: { description: 'at+jwt', ...json(tokenReply) },
        400: { description: 'RFC 6749 error', ...json(oauthError) },
        401: { description: 'invalid_client', ...json(oauthError) },
      },
    },
  },
  '/.well-known/oauth-authorization-server': {
    get: document('getOauthMetadata', '授权服务器元数据 Authorisation server metadata (RFC 8414)'),
  },
  '/.well-known/jwks.json': { get: document('getJwks', '公钥 Public keys (RFC 7517)') },
  '/healthz': { get: probe('getHealth', '存活 Alive', 'application/json') },
  '/readyz': { get: probe('getReadiness', '就绪 Ready', 'application/json') },
  '/problems': { get: probe('listProblems', '错误目录 Problem catalogue', 'application/json') },
};
