// Every decline says why, and what to do next, in plain words: to the citizen in the app, and to whoever
// stands at the counter. Law: the list is closed with the catalogue; a new code without a text does not
// compile. Nothing here names a person, an amount or an illness: a terminal may show it to anybody.
import type { ProblemCode } from '../errors.ts';
import { counterExplanations } from './explained-counter.ts';
import { creditExplanations } from './explained-credit.ts';

/** One text for people, Chinese first. */
export interface Said {
  zh: string;
  en: string;
}

export interface Explanation {
  why: Said;
  next: Said;
}

const explanations: Partial<Record<ProblemCode, Explanation>> = {
  ...creditExplanations,
  ...counterExplanations,
};

/** Why and what next, as members of a reply, each in both languages; none for other codes. */
export function explained(code: ProblemCode): { why?: string; next?: string } {
  const found = explanations[code];
  return found ? { why: inBoth(found.why), next: inBoth(found.next) } : {};
}

/** One text in both languages, Chinese first. */
export const inBoth = ({ zh, en }: Said): string => `${zh} ${en}`;
