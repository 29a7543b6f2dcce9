// Law: every reply is one that the OpenAPI document promises.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface Document {
  paths: Record<string, Record<string, { responses?: Record<string, Responses> }>>;
}
interface Responses {
  content?: Record<string, unknown>;
}

export interface Answer {
  method: string;
  path: string;
  status: number;
  contentType: string;
  body: unknown;
}

/** Returns a checker that throws when an answer is not as documented. */
export function conformanceOf(document: object): (answer: Answer) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  const { paths } = document as Document;
  const matchers = Object.keys(paths).map((template) => ({ template, regex: regexOf(template) }));
  // "/v1/visits/{id}" also matches a longer literal path: the most literal template wins.
  matchers.sort((a, b) => braces(a.template) - braces(b.template));
  const compiled = new Map<string, ValidateFunction>();

  return ({ method, path, status, contentType, body }) => {
    const pathname = path.split('?')[0] ?? path;
    const template = matchers.find((m) => m.regex.test(pathname))?.template;
    const operation = template ? paths[template]?.[method.toLowerCase()] : undefined;
    if (!template || !operation) return;
    const where = `${method} ${template} ${status}`;
    const response = operation.responses?.[status];
    if (!response) throw new Error(`${where} is not documented: ${JSON.stringify(body)}`);
    const media = contentType.split(';')[0] ?? '';
    if (!response.content) {
      if (body !== undefined) throw new Error(`${where} is documented without a body`);
      return;
    }
    if (!response.content[media]) throw new Error(`${where} is not documented as ${media}`);
    if (!media.endsWith('json')) return;
    const pointer = [
      'paths',
      template,
      method.toLowerCase(),
      'responses',
      status,
      'content',
      media,
      'schema',
    ];
    const ref = `openapi#/${pointer.map(escapePointer).join('/')}`;
    const validate = compiled.get(ref) ?? ajv.compile({ $ref: ref });
    compiled.set(ref, validate);
    if (!validate(body)) {
      throw new Error(
        `${where} breaks its schema: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`,
      );
    }
  };
}

const braces = (template: string) => template.split('{').length;

function regexOf(template: string): RegExp {
  return new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`);
}

function escapePointer(part: string | number): string {
  return encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
}
