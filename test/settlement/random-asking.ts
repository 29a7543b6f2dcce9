// The steps of a random run around a conversion that nobody's outage brought about: it is asked for by
// a terminal or the patient, given up, and made possible by cover that is restored.
import { expect } from 'vitest';
import type { ReplyBody } from '../support/app.ts';
import { queuedOf } from './model.ts';
import { endUnconverted, queue } from './model-conversion.ts';
import { waitingIn } from './random-converting.ts';
import type { Step } from './random-visits.ts';
import { ask, businessNow, codeOf } from './random-world.ts';

const causes = ['forgottenCredential', 'lateFiling', 'coverRestored', 'retroactiveCover'];
const selfPaid = ['skipped', 'notInsured', 'rejected'];
const MAX_BY_CITIZEN = 3;

/** A terminal or the patient asks; a credential must be the patient's, or names an unnamed one. */
export const askForConversion: Step = (world) => {
  const { random } = world;
  const all = world.visits.flatMap((visit) => visit.settlements.map((of) => ({ visit, of })));
  const likely = all.filter(({ of }) => selfPaid.includes(of.insurance) && of.refundable > 0n);
  const from = likely.length > 0 && random.chance(0.8) ? likely : all;
  if (from.length === 0) return null;
  const { visit, of } = random.pick(from);
  const patient = visit.person;
  const by = patient && random.chance(0.5) ? 'citizen' : 'terminal';
  const shows = random.chance(0.3) ? random.pick(world.people) : null;
  return async () => {
    const body = {
      cause: random.pick(causes),
      ...(shows ? { credential: { kind: 'idCard', number: shows.idNumber } } : {}),
    };
    const token = by === 'citizen' && patient ? patient.token : world.terminal;
    const target = `/v1/settlements/${of.id}/conversion`;
    const reply = await ask(world, 'POST', target, { body, token });
    const last = of.conversions.at(-1);
    const asked = of.conversions.filter((conversion) => conversion.askedBy === 'citizen').length;
    const isPossible =
      selfPaid.includes(of.insurance) &&
      of.refundable > 0n &&
      !(by === 'terminal' && last?.isByHand) &&
      !(by === 'citizen' && asked >= MAX_BY_CITIZEN) &&
      (patient ?? shows) !== null;
    if (queuedOf(of)) expect(codeOf(reply), reply.text).toEqual([409, 'conversion/under-way']);
    else if (!isPossible) {
      expect(codeOf(reply), reply.text).toEqual([409, 'conversion/not-possible']);
    } else if (patient && shows && shows !== patient) {
      expect(codeOf(reply), reply.text).toEqual([422, 'identity/unknown']);
    } else {
      expect(reply.status, reply.text).toBe(202);
      visit.person ??= shows;
      queue(of, { id: reply.body.id, askedBy: by, unknown: null });
      expectShown(reply.body, 'queued');
    }
  };
};

function expectShown(shown: ReplyBody, status: string): void {
  expect([shown.status, shown.refunds, shown.after]).toEqual([status, [], null]);
}

/** "I claim by hand": not while the fate of a claim is not known. */
export const optOut: Step = (world) => {
  const { random } = world;
  const all = world.visits.flatMap((visit) => visit.settlements.map((of) => ({ visit, of })));
  const waiting = waitingIn(world);
  const from = waiting.length > 0 ? waiting : all;
  if (from.length === 0) return null;
  const { visit, of } = random.pick(from);
  const isByHand = visit.person !== null && random.chance(0.5);
  return async () => {
    const token = isByHand && visit.person ? visit.person.token : world.terminal;
    const reply = await ask(world, 'DELETE', `/v1/settlements/${of.id}/conversion`, { token });
    const last = of.conversions.at(-1);
    if (!last) expect(codeOf(reply)).toEqual([404, 'resource/not-found']);
    else if (last.status === 'cancelled') expect(reply.status, reply.text).toBe(200);
    else if (last.status !== 'queued') {
      expect(codeOf(reply), reply.text).toEqual([409, 'conversion/wrong-state']);
    } else if (last.unknown) {
      expect(codeOf(reply), reply.text).toEqual([409, 'conversion/fate-unknown']);
    } else {
      expect(reply.status, reply.text).toBe(200);
      expectShown(reply.body, 'cancelled');
      const end = { status: 'cancelled', insurance: 'skipped' } as const;
      endUnconverted(of, { ...end, ...(isByHand ? { isByHand } : {}) }, businessNow(world));
    }
  };
};

/** Whoever was not insured is from now on: what was refused for that may be asked for again. */
export const restoreCover: Step = (world) => {
  const person = world.people.find(({ isInsured }) => !isInsured);
  if (!person) return null;
  return async () => {
    const { name, idNumber } = person;
    await world.app.register({ name, idNumber }, { insurance: { status: 'active' } });
    person.isInsured = true;
  };
};
