// A hand-made client of the wire for the insurer's tests: it shares no code with src/insurance.
import { createHmac, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import {
  type InsurerControl,
  insurerControl,
} from '../../../src/sandbox/insurer/control-client.ts';
import { forkInsurer, type InsurerProcess } from './fork-insurer.ts';

const keys = { accessKey: 'test-access', secretKey: 'test-secret' };
const hospital = { code: 'H35020000001', name: '白鹭第一医院' };

export type Node = Record<string, unknown>;

export interface SendOptions {
  msgid?: string;
  header?: Record<string, unknown>;
  /** Headers to replace; undefined leaves one out. */
  gateway?: Record<string, string | undefined>;
  path?: string;
  secretKey?: string;
  timestamp?: number;
  signal?: AbortSignal;
  rawBody?: string;
}

export interface Sent {
  status: number;
  text: string;
  /** null when the answer is no JSON object. */
  body: Node | null;
  /** infcode as a number; the wire sends number or text. */
  infcode: number;
  errMsg: string;
  msgid: string;
  /** A value of the answer by path, e.g. "output.setlinfo.setl_id". */
  at(path: string): unknown;
  nodeAt(path: string): Node;
  listAt(path: string): Node[];
}

export interface Insurer {
  process: InsurerProcess;
  control: InsurerControl;
  storeDir: string;
  send(infno: string, input: unknown, options?: SendOptions): Promise<Sent>;
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** One insurer process for the test file. */
export function useInsurer(options: { isSignInRequired?: boolean } = {}): Insurer {
  const storeDir = mkdtempSync(join(tmpdir(), 'insurer-'));
  const start = (ports: { wirePort?: number; controlPort?: number }) =>
    forkInsurer({ storeDir, ...keys, ...options, ...ports });
  const insurer = {
    storeDir,
    send: (infno, input, sendOptions = {}) =>
      send(insurer.process.wireUrl, infno, input, sendOptions),
    restart: async (signal = 'SIGKILL') => {
      const { wirePort, controlPort } = insurer.process;
      await insurer.process.stop(signal);
      insurer.process = await start({ wirePort, controlPort });
    },
  } as Insurer;
  beforeAll(async () => {
    insurer.process = await start({});
    insurer.control = insurerControl(insurer.process.controlUrl);
  });
  afterAll(async () => {
    await insurer.process.stop();
    rmSync(storeDir, { recursive: true, force: true });
  });
  return insurer;
}

let messages = 0;

/** 30 characters: institution, second, four digits. */
export function newMsgid(code = hospital.code): string {
  messages += 1;
  const second = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  return `${code}${second}${String(messages).padStart(4, '0')}`;
}

async function send(
  url: string,
  infno: string,
  input: unknown,
  options: SendOptions,
): Promise<Sent> {
  const msgid = options.msgid ?? newMsgid();
  const envelope = {
    infno,
    msgid,
    mdtrtarea_admvs: '350200',
    insuplc_admdvs: '350200',
    recer_sys_code: 'MBS_LOCAL',
    infver: 'V1.0',
    opter_type: '1',
    opter: '0001',
    opter_name: '收费员',
    inf_time: '2026-11-21 09:30:00',
    fixmedins_code: hospital.code,
    fixmedins_name: hospital.name,
    sign_no: null,
    input,
    ...options.header,
  };
  const response = await fetch(
    new URL(options.path ?? `/fsi/api/rsfComIfsService/callService/${infno}`, url),
    {
      method: 'POST',
      headers: gatewayHeaders(infno, options),
      body: options.rawBody ?? JSON.stringify(envelope),
      ...(options.signal ? { signal: options.signal } : {}),
    },
  );
  return readSent(response.status, await response.text(), msgid);
}

function readSent(status: number, text: string, msgid: string): Sent {
  const body = parse(text);
  const at = (path: string) => {
    let value: unknown = body;
    for (const step of path.split('.')) value = (value as Node | null | undefined)?.[step];
    return value;
  };
  return {
    status,
    text,
    body,
    infcode: Number(body?.infcode),
    errMsg: String(body?.err_msg),
    msgid,
    at,
    nodeAt: (path) => at(path) as Node,
    listAt: (path) => at(path) as Node[],
  };
}

function gatewayHeaders(infno: string, options: SendOptions): Record<string, string> {
  const stamp = String(options.timestamp ?? Date.now());
  const signed = `_api_access_key=${keys.accessKey}&_api_name=${infno}&_api_timestamp=${stamp}&_api_version=1.0.0`;
  const headers: Record<string, string | undefined> = {
    _api_name: infno,
    _api_version: '1.0.0',
    _api_timestamp: stamp,
    _api_access_key: keys.accessKey,
    _api_signature: createHmac('sha1', options.secretKey ?? keys.secretKey)
      .update(signed)
      .digest('base64'),
    'content-type': 'text/plain',
    ...options.gateway,
  };
  const present = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Record<string, string>;
}

function parse(text: string): Node | null {
  try {
    return JSON.parse(text) as Node;
  } catch {
    return null;
  }
}

/** A made-up ID number of somebody born on the given day (checksum not needed here). */
export function newIdNumber(born = '19850314'): string {
  return `350203${born}${String(randomInt(1000)).padStart(3, '0')}${randomInt(10)}`;
}
