// The sandbox around the service: secrets, other parties' processes, the demo city, the banner.
import path from 'node:path';
import type { Environment } from '../config.ts';
import type { Db } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { demoCitizen, demoInsurance, sandboxBanner } from './banner.ts';
import { chargeItems } from './city/charge-items.ts';
import { institutions } from './city/hospitals.ts';
import { seedCity } from './city/seed.ts';
import { insurerControl } from './insurer/control-client.ts';
import type { SandboxParties } from './people.ts';
import { startSandboxProcesses } from './processes.ts';
import { sandboxSecrets } from './secrets.ts';
import { registerSandboxVendor } from './vendor.ts';

export interface Sandbox {
  parties: {
    dataKeys: string;
    indexKey: string;
    insurance: { url: string; accessKey: string; secretKey: string };
    lender: { url: string; apiKey: string };
    score: { url: string; apiKey: string };
    kinship: { url: string; apiKey: string };
  };
  links: SandboxParties;
  stop(): Promise<void>;
}

/** Starts the other parties; settings that name a real one take the sandbox's place. */
export async function prepareSandbox(env: Environment): Promise<Sandbox> {
  const secrets = sandboxSecrets(env.EGRET_DATA_DIR);
  const insurerKeys = {
    accessKey: env.INSURANCE_ACCESS_KEY ?? secrets.insurerAccessKey,
    secretKey: env.INSURANCE_SECRET_KEY ?? secrets.insurerSecretKey,
  };
  const processes = await startSandboxProcesses({
    storeDir: path.resolve(env.EGRET_DATA_DIR, 'sandbox'),
    insurerPort: env.INSURANCE_URL ? null : env.SANDBOX_INSURER_PORT,
    insurerKeys,
    counterpartiesKey: secrets.counterpartiesKey,
    onRestart: (name) => console.error(`the sandbox ${name} ended and is started again`),
  });
  const { counterpartiesUrl, insurer } = processes;
  if (insurer) await teachInsurer(insurer.controlUrl);
  const links = { insurerControlUrl: insurer?.controlUrl ?? null, counterpartiesUrl };
  const ours = { url: counterpartiesUrl, apiKey: secrets.counterpartiesKey };
  return {
    parties: {
      dataKeys: env.DATA_KEYS ?? secrets.dataKeys,
      indexKey: env.INDEX_KEY ?? secrets.indexKey,
      insurance: { url: env.INSURANCE_URL ?? insurer?.url ?? '', ...insurerKeys },
      lender: env.LENDER_URL ? { url: env.LENDER_URL, apiKey: env.LENDER_API_KEY ?? '' } : ours,
      score: env.SCORE_URL ? { url: env.SCORE_URL, apiKey: env.SCORE_API_KEY ?? '' } : ours,
      kinship: env.KINSHIP_URL ? { url: env.KINSHIP_URL, apiKey: env.KINSHIP_API_KEY ?? '' } : ours,
    },
    links,
    stop: processes.stop,
  };
}

/** What the insurer has agreed with the city: which hospitals are of which level, what is covered. */
async function teachInsurer(controlUrl: string): Promise<void> {
  const control = insurerControl(controlUrl);
  await control.setHospitals(
    institutions.map(({ code, level, region }) => ({ code, level, region })),
  );
  await control.setCatalogue(
    chargeItems.map(({ code, class: itemClass, selfPayRatio }) => ({
      code,
      class: itemClass,
      selfPayRatio,
    })),
  );
}

/** The demo city; again and again without harm. */
export function seedSandbox(db: Db): Promise<void> {
  return seedCity(db);
}

/** Registers the terminal vendor and, with all parties, the demo citizen; returns what to print. */
export async function announceSandbox(
  deps: Deps,
  sandbox: Pick<Sandbox, 'parties' | 'links'>,
  localUrl: string,
): Promise<string> {
  await registerSandboxVendor(deps);
  const reply = await fetch(`${localUrl}/sandbox/people`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...demoCitizen, score: 650, insurance: demoInsurance }),
  });
  if (!reply.ok) deps.log.warn({ status: reply.status }, 'demo citizen was not registered');
  const { insurance } = sandbox.parties;
  return sandboxBanner(deps, {
    apiUrl: localUrl,
    insurer: sandbox.links.insurerControlUrl === null ? null : insurance,
    dataDir: deps.env.EGRET_DATA_DIR,
  });
}
