// Law: logs hold no personal data. Only named fields are written (never a body, header, path or
// query), errors lose their statement parameters, and every line is scrubbed once more.
import { type DestinationStream, type Logger, pino } from 'pino';

/** 18-digit ID number (GB 11643) with a plausible birthday, and mainland mobile numbers. */
const ID_NUMBER =
  /(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]/g;
const MOBILE = /(?<![\w.-])1[3-9]\d{9}(?![\w.-])/g;

/** Replaces ID numbers and mobile numbers by what their kind is. */
export function scrub(text: string): string {
  return text.replace(ID_NUMBER, '[idNumber]').replace(MOBILE, '[phone]');
}

/** An error as a log may hold it: type, code, constraint and stack, without parameters or rows. */
function safeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, constraint_name: constraint } = error as {
    code?: unknown;
    constraint_name?: unknown;
  };
  return {
    type: error.constructor.name,
    // drizzle's message ends with the parameters of the statement.
    message: error.message.split('\nparams:')[0],
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    stack: framesOf(error),
    ...(error.cause && depth < 3 ? { cause: safeError(error.cause, depth + 1) } : {}),
  };
}

function framesOf(error: Error): string {
  const lines = (error.stack ?? '').split('\n');
  return lines.filter((line) => /^\s+at /.test(line)).join('\n');
}

/** Fields that must never be written, wherever somebody logs an object that has them. */
const SECRETS = [
  'authorization',
  'token',
  'accessToken',
  'assertion',
  'secret',
  'name',
  'idNumber',
  'phone',
  'body',
];

/** The process's logger: JSON lines on stdout, or on `destination` in tests. */
export function makeLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service: 'egret' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: safeError, error: safeError },
    redact: {
      paths: SECRETS.flatMap((name) => [name, `*.${name}`]),
      censor: '[redacted]',
    },
    hooks: { streamWrite: scrub },
  };
  return destination ? pino(options, destination) : pino(options);
}
