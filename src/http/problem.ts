// RFC 9457 problem documents, made from the closed catalogue in errors.ts.
import { problems, type Refusal } from '../errors.ts';
import { explained } from './explanations.ts';

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance?: string;
  code: string;
  /** Of declines: why, and what to do next. */
  why?: string;
  next?: string;
  errors?: { pointer: string; detail: string }[];
  [extension: string]: unknown;
}

/** The problem document of a refusal. `type` resolves to the catalogue at GET /problems. */
export function problemOf(refusal: Refusal, instance?: string): Problem {
  const { title, status } = problems[refusal.code];
  const { detail, errors, extra } = refusal.options;
  return {
    type: `/problems#${refusal.code}`,
    title,
    status,
    detail: detail ?? title,
    ...(instance ? { instance } : {}),
    code: refusal.code,
    ...explained(refusal.code),
    ...(errors ? { errors } : {}),
    ...extra,
  };
}
