// What a newcomer sees after `npm start`: where everything is, a token per role, a curl to paste.
import { staffRoles } from '../http/route.ts';
import type { TokenDeps } from '../identity/access-tokens.ts';
import { issueSandboxToken } from './issuer.ts';

/** A fictional citizen that every sandbox knows. */
export const demoCitizen = { name: '白露', idNumber: '350211199003070014' };

export const demoInsurance = {
  status: 'active',
  type: 'employee',
  region: '350200',
  accountBalance: '1000.00',
};

export interface BannerFacts {
  apiUrl: string;
  insurer: { url: string; accessKey: string } | null;
  dataDir: string;
}

/** Issues the tokens and returns the text. */
export async function sandboxBanner(deps: TokenDeps, facts: BannerFacts): Promise<string> {
  const roles = ['terminal', 'citizen', 'lenderOperator', ...staffRoles] as const;
  const tokens = new Map<string, string>();
  for (const role of roles) {
    const citizen = role === 'citizen' ? demoCitizen : undefined;
    const { accessToken } = await issueSandboxToken(deps, { role, citizen });
    tokens.set(role, accessToken);
  }
  const { apiUrl, insurer } = facts;
  const wire = insurer
    ? `${insurer.url}  (access key ${insurer.accessKey}, secret in ${facts.dataDir}/secrets.json)`
    : 'INSURANCE_URL';
  return [
    '',
    '白鹭 Egret is ready. 沙盒已就绪 (sandbox: everybody in it is fictional)',
    '',
    `  API       ${apiUrl}`,
    `  Docs      ${apiUrl}/docs`,
    `  OpenAPI   ${apiUrl}/openapi.json`,
    `  Problems  ${apiUrl}/problems`,
    `  Insurer   ${wire}`,
    `  Citizen   ${demoCitizen.name} ${demoCitizen.idNumber}`,
    '',
    'Tokens 令牌 (more: POST /sandbox/tokens)',
    ...roles.map((role) => `  ${role}\n    ${tokens.get(role)}`),
    '',
    'Try 试一试:',
    `  curl -s -X POST ${apiUrl}/v1/identifications -H 'content-type: application/json' \\`,
    `    -H 'authorization: Bearer ${tokens.get('terminal')}' \\`,
    `    -d '{"credential":{"kind":"idCard","number":"${demoCitizen.idNumber}"}}'`,
    '',
  ].join('\n');
}
