// A link to a parent waits for the parent's word: in the app, or at the counter with a credential.
import { beforeAll, describe, expect, it } from 'vitest';
import { expectLaws, newPatient, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';
import { idCard, said } from '../visit/support.ts';
import { accept, adultAndParent, factsAbout } from './acts.ts';
import { identifyAt, requestLink, tryOpen, wishFor } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

describe('a link to a parent', () => {
  it('waits until the parent accepts in the app', async () => {
    const { adult, parent } = await adultAndParent(app);
    const made = await requestLink(app, adult.token, wishFor('parentCare', parent.person));
    expect(made.body).toMatchObject({ status: 'pending', acceptedAt: null, endsAt: null });
    const { id } = made.body;
    const opened = await tryOpen(scene, parent.person, { payer: id });
    expect(opened.body.holdDecline.code).toBe('family/not-linked');
    expect(said(await accept(app, id, adult.token))).toEqual([404, 'resource/not-found']);
    expect(said(await accept(app, id, (await newPatient(app)).token))[0]).toBe(404);
    const accepted = await accept(app, id, parent.token);
    expect(accepted.body).toMatchObject({
      id,
      status: 'active',
      acceptedVia: 'app',
      role: 'beneficiary',
    });
    expect((await accept(app, id, parent.token)).body).toEqual(accepted.body);
    // The visit that named the pending link goes on with it.
    const hold = await app.call('PUT', `/v1/visits/${opened.body.id}/hold`, {
      token: scene.terminal,
      body: { amount: '20.00' },
    });
    expect(hold.body).toMatchObject({ status: 'placed', amount: '20.00' });
    await expectLaws(app);
  });

  it('is accepted at the counter with the parent’s own credential, and with nobody else’s', async () => {
    const { adult, parent } = await adultAndParent(app);
    const { body: link } = await requestLink(
      app,
      adult.token,
      wishFor('parentCare', parent.person),
    );
    const seen = await identifyAt(scene, parent.person);
    expect(seen.pendingLinks).toEqual([
      {
        id: link.id,
        kind: 'parentCare',
        label: expect.stringMatching(/^(儿子|女儿) .\*+. (Son|Daughter)$/u),
      },
    ]);
    expect(JSON.stringify(seen.pendingLinks)).not.toContain(adult.person.name);
    const at = (person: TestPerson) =>
      accept(app, link.id, scene.terminal, { credential: idCard(person) });
    expect(said(await at(adult.person))).toEqual([404, 'resource/not-found']);
    expect(said(await at((await newPatient(app)).person))[0]).toBe(404);
    expect(said(await accept(app, link.id, scene.terminal, {}))).toEqual([400, 'request/invalid']);
    const accepted = await at(parent.person);
    expect(accepted.status, accepted.text).toBe(200);
    expect(accepted.body).toMatchObject({ id: link.id, status: 'active', acceptedVia: 'counter' });
    for (const secret of ['visitCap', 'monthlyCap', 'usedThisMonth', 'payer']) {
      expect(accepted.body).not.toHaveProperty(secret);
    }
    expect((await identifyAt(scene, parent.person)).pendingLinks).toEqual([]);
    const log = await app.call('GET', '/v1/me/access-log', { token: parent.token });
    expect(JSON.stringify(log.body.data)).toContain('familyLink.accept');
  });

  it('needs a key of a terminal and takes no credential from the app', async () => {
    const { adult, parent } = await adultAndParent(app);
    const { body: link } = await requestLink(
      app,
      adult.token,
      wishFor('parentCare', parent.person),
    );
    const body = { credential: idCard(parent.person) };
    const path = `/v1/family-links/${link.id}/accept`;
    const keyless = await app.call('POST', path, { token: scene.terminal, body, key: null });
    expect(said(keyless)).toEqual([400, 'idempotency/key-missing']);
    expect(said(await accept(app, link.id, parent.token, body))).toEqual([400, 'request/invalid']);
  });

  it('spends a one-time credential with the acceptance, and not with a refusal', async () => {
    const { adult, parent } = await adultAndParent(app);
    const { body: link } = await requestLink(
      app,
      adult.token,
      wishFor('parentCare', parent.person),
    );
    const { id } = await identifyAt(scene, parent.person);
    const credential = { kind: 'identification', id };
    const nowhere = 'lnk_01jd5z8m2cf0v9k3q7w4x6y8ab';
    expect((await accept(app, nowhere, scene.terminal, { credential })).status).toBe(404);
    expect((await accept(app, link.id, scene.terminal, { credential })).status).toBe(200);
    expect(said(await accept(app, link.id, scene.terminal, { credential }))).toEqual([
      422,
      'identity/already-used',
    ]);
  });

  it('that was ended can no longer be accepted; either may end it, and ending again changes nothing', async () => {
    for (const who of ['payer', 'beneficiary'] as const) {
      const { adult, parent } = await adultAndParent(app);
      const { body: link } = await requestLink(
        app,
        adult.token,
        wishFor('parentCare', parent.person),
      );
      const { token } = who === 'payer' ? adult : parent;
      const end = () => app.call('DELETE', `/v1/family-links/${link.id}`, { token });
      expect(
        (
          await app.call('DELETE', `/v1/family-links/${link.id}`, {
            token: (await newPatient(app)).token,
          })
        ).status,
      ).toBe(404);
      const ended = await end();
      expect(ended.status).toBe(200);
      const endReason = who === 'payer' ? 'endedByPayer' : 'endedByBeneficiary';
      expect(ended.body).toMatchObject({ status: 'ended', endReason });
      expect((await end()).body).toEqual(ended.body);
      expect(said(await accept(app, link.id, parent.token))).toEqual([409, 'family/link-ended']);
      expect(
        (await factsAbout(app, link.id)).filter((e) => e.type === 'familyLink.ended'),
      ).toHaveLength(2);
    }
  });
});
