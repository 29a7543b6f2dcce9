// Role: a sandbox insurer of the bench's own behind a tap on its wire, which knows for each person how
// long messages to the insurer were under way. What the tap itself costs counts as the service's.
import { mkdtempSync, rmSync } from 'node:fs';
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chargeItems } from '../../src/sandbox/city/charge-items.ts';
import { institutions } from '../../src/sandbox/city/hospitals.ts';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import { type InsurerControl, insurerControl } from '../../src/sandbox/insurer/control-client.ts';
import { end, spawnScript } from '../support/service.ts';
import { waitFor } from '../support/wait-for.ts';

export interface TappedInsurer {
  /** Settings of a service that is to talk to it. */
  env: Record<string, string>;
  know(person: DemoPerson): Promise<void>;
  /** Messages about this person since the last call, and how long at least one was under way. */
  take(idNumber: string): { messages: number; ms: number };
  stop(): Promise<void>;
}

interface Message {
  /** Milliseconds of performance.now(): the request's first byte, the answer's last one. */
  begunAt: number;
  endedAt: number;
}

export async function startTappedInsurer(): Promise<TappedInsurer> {
  const storeDir = mkdtempSync(path.join(tmpdir(), 'egret-bench-insurer-'));
  const [accessKey, secretKey] = ['bench-access', 'bench-secret-of-this-run'];
  const insurer = spawnScript('src/sandbox/insurer/main.ts', {
    INSURER_STORE_DIR: storeDir,
    INSURER_ACCESS_KEY: accessKey,
    INSURER_SECRET_KEY: secretKey,
  });
  const ports = await waitFor(() => /\{.*"ready":true.*\}/.exec(insurer.output())?.[0], {
    what: 'the insurer to get ready',
  });
  const { wirePort, controlPort } = JSON.parse(ports) as { wirePort: number; controlPort: number };
  const control = insurerControl(`http://127.0.0.1:${controlPort}`);
  await teach(control);
  const tap = new Tap(wirePort);
  return {
    env: {
      INSURANCE_URL: `http://127.0.0.1:${await tap.open()}`,
      INSURANCE_ACCESS_KEY: accessKey,
      INSURANCE_SECRET_KEY: secretKey,
    },
    know: async ({ name, idNumber, phone, insurance }) => {
      await control.addPerson({ name, idNumber, phone, insurance });
    },
    take: (idNumber) => tap.take(idNumber),
    stop: async () => {
      tap.close();
      await end(insurer.child, 'SIGTERM');
      rmSync(storeDir, { recursive: true, force: true });
    },
  };
}

async function teach(control: InsurerControl): Promise<void> {
  await control.setHospitals(
    institutions.map(({ code, level, region }) => ({ code, level, region })),
  );
  await control.setCatalogue(
    chargeItems.map(({ code, class: itemClass, selfPayRatio }) => ({
      ...{ code, class: itemClass, selfPayRatio },
    })),
  );
}

/** Passes bytes on. Connections carry one message at a time, so that no HTTP has to be understood. */
class Tap {
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #messages = new Map<string, Message[]>();
  readonly #idNumbers = new Map<string, string>();

  constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ noDelay: true }, (client) => this.#serve(client));
  }

  open(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () =>
        resolve((this.#server.address() as AddressInfo).port),
      );
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  take(idNumber: string): { messages: number; ms: number } {
    const found = this.#messages.get(idNumber) ?? [];
    this.#messages.delete(idNumber);
    let ms = 0;
    let until = 0;
    // Messages may be under way together: time is counted once.
    for (const { begunAt, endedAt } of found.sort((a, b) => a.begunAt - b.begunAt)) {
      ms += Math.max(0, endedAt - Math.max(begunAt, until));
      until = Math.max(until, endedAt);
    }
    return { messages: found.length, ms };
  }

  #serve(client: Socket): void {
    const insurer = createConnection({ port: this.#target, host: '127.0.0.1', noDelay: true });
    let request = '';
    let message: Message | null = null;
    client.on('data', (bytes) => {
      const begunAt = performance.now();
      insurer.write(bytes);
      if (message?.endedAt !== 0) {
        message = { begunAt, endedAt: 0 };
        request = '';
      }
      request += bytes.toString('latin1');
    });
    insurer.on('data', (bytes) => {
      client.write(bytes);
      if (!message) return;
      // The answer's first bytes name the message; later ones only move its end.
      if (message.endedAt === 0) this.#note(request, message);
      message.endedAt = performance.now();
    });
    for (const [from, to] of [
      [client, insurer],
      [insurer, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  /** 1101, 2201, 2206 and 2207 show the ID card; 2203 and 2204 only the insurer's number. */
  #note(request: string, message: Message): void {
    const number = /"psn_no":"(\d+)"/.exec(request)?.[1];
    const shown = /"mdtrt_cert_no":"(\d{17}[\dX])"/.exec(request)?.[1];
    if (number && shown) this.#idNumbers.set(number, shown);
    const idNumber = shown ?? this.#idNumbers.get(number ?? '');
    if (!idNumber) return;
    const known = this.#messages.get(idNumber);
    if (known) known.push(message);
    else this.#messages.set(idNumber, [message]);
  }
}
