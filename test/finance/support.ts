// Shorthand for tests of finance: two people who decide, and their calls.
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';

export interface Finance {
  maker: string;
  checker: string;
}

export async function financeOf(app: TestApp): Promise<Finance> {
  return { maker: await app.token('financeMaker'), checker: await app.token('financeChecker') };
}

export const post = (
  app: TestApp,
  path: string,
  token: string,
  body?: Record<string, unknown>,
): Promise<TestReply> => app.call('POST', path, { token, ...(body ? { body } : {}) });

export async function casesAbout(
  app: TestApp,
  token: string,
  subjectId: string,
): Promise<ReplyBody[]> {
  const { body } = await app.call('GET', '/v1/finance-cases?limit=100', { token });
  return body.data.filter((each: ReplyBody) => each.subjectId === subjectId);
}
