// The readable pages of the API: the API document, its explorer, the problem catalogue, the entrance.
import type { Express, Request, RequestHandler } from 'express';
import swaggerUi from 'swagger-ui-express';
import { type ProblemCode, problems } from '../errors.ts';
import { explained } from './explanations.ts';
import { localsOf } from './locals.ts';
import { sendText } from './send.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';

/** GET /, /openapi.json, /docs, /problems. They never change while the process lives. */
export function mountPages(app: Express, document: object): void {
  const documentText = JSON.stringify(document);
  const catalogueText = JSON.stringify({ data: catalogue });
  app.get('/openapi.json', (_req, res) => {
    sendText(res, 200, JSON_TYPE, documentText);
  });
  app.get('/problems', (req, res) => {
    res.setHeader('Vary', 'Accept');
    if (wantsHtml(req)) sendText(res, 200, HTML_TYPE, problemsPage());
    else sendText(res, 200, JSON_TYPE, catalogueText);
  });
  app.get('/', (_req, res) => {
    sendText(res, 200, HTML_TYPE, entrancePage);
  });
  app.use('/docs', nameDocs, ...swaggerUi.serve, swaggerUi.setup(undefined, explorer));
}

const explorer = {
  swaggerOptions: { url: '/openapi.json' },
  customSiteTitle: 'Egret 白鹭 API',
};

const nameDocs: RequestHandler = (_req, res, next) => {
  localsOf(res).route = '/docs';
  next();
};

const catalogue = (Object.keys(problems) as ProblemCode[]).map((code) => ({
  code,
  ...problems[code],
  ...explained(code),
}));

function wantsHtml(req: Request): boolean {
  return req.accepts(['application/json', 'text/html']) === 'text/html';
}

function pageOf(title: string, body: string): string {
  return (
    `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>${title}</title>` +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    '<style>body{font:18px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}' +
    'td,th{text-align:left;padding:.2rem 1rem .2rem 0}code{white-space:nowrap}</style></head>' +
    `<body>${body}</body></html>`
  );
}

function problemsPage(): string {
  const lines = catalogue.map(
    ({ code, status, title, why = '', next = '' }) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td>` +
      `<td>${why}</td><td>${next}</td></tr>`,
  );
  return pageOf(
    '错误目录 Problems',
    '<h1>错误目录 Problem catalogue</h1><table><thead><tr><th>code</th><th>HTTP</th>' +
      `<th>说明 Title</th><th>原因 Why</th><th>下一步 Next</th></tr></thead><tbody>${lines.join('')}</tbody></table>`,
  );
}

const entrancePage = pageOf(
  'Egret 白鹭',
  '<h1>白鹭 Egret</h1><p>先诊疗、后付费。医保离线也不停诊，恢复后自动转医保、自动退款。<br>' +
    'Treat first, pay later. When the insurance platform is down nobody waits.</p><ul>' +
    '<li><a href="/docs">接口文档 API pages</a></li>' +
    '<li><a href="/openapi.json">OpenAPI 3.1</a></li>' +
    '<li><a href="/problems">错误目录 Problem catalogue</a></li></ul>',
);
