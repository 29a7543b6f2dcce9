// At most five links a payer, whatever races; caps changed by who has seen the link as it is.
import { describe, expect, it } from 'vitest';
import { expectLaws, newPatient } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { said } from '../visit/support.ts';
import { adultAndParent, linksOf, patchCaps } from './acts.ts';
import { addKin, linkChild, parentAndChild, requestLink, wishFor } from './support.ts';

const app = useApp({ worker: false });

describe('a payer has at most five links', () => {
  const six = async () => {
    const parent = await newPatient(app);
    const children = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((age) =>
        addKin(app, parent.person, 'child', uniquePerson({ age: age + 1 })),
      ),
    );
    return { parent, wishes: children.map(({ person }) => wishFor('minorChild', person)) };
  };

  it('and a sixth is possible once one has ended', async () => {
    const { parent, wishes } = await six();
    const made = [];
    for (const wish of wishes.slice(0, 5)) made.push(await requestLink(app, parent.token, wish));
    expect(made.map((reply) => reply.status)).toEqual([201, 201, 201, 201, 201]);
    const sixth = () => requestLink(app, parent.token, wishes[5] as Record<string, unknown>);
    expect(said(await sixth())).toEqual([422, 'family/too-many']);
    await app.call('DELETE', `/v1/family-links/${made[2]?.body.id}`, { token: parent.token });
    expect((await sixth()).status).toBe(201);
    await expectLaws(app);
  });

  it('whatever races: of six at once exactly five come to be', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { parent, wishes } = await six();
      const raced = await Promise.all(wishes.map((wish) => requestLink(app, parent.token, wish)));
      expect(raced.filter((reply) => reply.status === 201)).toHaveLength(5);
      expect(raced.flatMap((reply) => reply.body.code ?? [])).toEqual(['family/too-many']);
      expect(await linksOf(app, parent.token)).toHaveLength(5);
    }
    await expectLaws(app);
  });

  it('pending ones counted too; a child may have two parents’ links', async () => {
    const { adult, parent } = await adultAndParent(app);
    for (let n = 0; n < 4; n += 1) {
      const child = await addKin(app, adult.person, 'child', uniquePerson({ age: 4 }));
      await linkChild(app, adult, child);
    }
    const pending = await requestLink(app, adult.token, wishFor('parentCare', parent.person));
    expect(pending.body.status).toBe('pending');
    const fifth = await addKin(app, adult.person, 'child', uniquePerson({ age: 4 }));
    const wish = wishFor('minorChild', fifth.person);
    expect(said(await requestLink(app, adult.token, wish))).toEqual([422, 'family/too-many']);
    const other = await newPatient(app);
    await addKin(app, other.person, 'child', fifth.person);
    expect((await requestLink(app, other.token, wish)).status).toBe(201);
  });
});

describe('caps', () => {
  it('are changed by who has seen the link as it is: 428 without, 412 for another version', async () => {
    const { parent, link } = await parentAndChild(app);
    const read = await app.call('GET', `/v1/family-links/${link.id}`, { token: parent.token });
    const etag = read.headers.get('etag') ?? '';
    expect([etag, read.body.etag]).toEqual(['"1"', '"1"']);
    const caps = { visitCap: '7.00' };
    expect(said(await patchCaps(app, link, parent, caps, null))).toEqual([
      428,
      'request/precondition-required',
    ]);
    const changed = await patchCaps(app, link, parent, caps, etag);
    expect(changed.body).toMatchObject({ visitCap: '7.00', monthlyCap: '1000.00' });
    const next = changed.headers.get('etag') ?? '';
    expect(next).not.toBe(etag);
    const both = { visitCap: '8.00', monthlyCap: '9.00' };
    expect(said(await patchCaps(app, link, parent, both, etag))).toEqual([
      412,
      'request/precondition-failed',
    ]);
    expect((await linksOf(app, parent.token))[0]).toEqual(changed.body);
    const last = await patchCaps(app, link, parent, both, `"0", ${next}`);
    expect(last.body).toMatchObject(both);
    expect((await patchCaps(app, link, parent, caps, '*')).status).toBe(200);
  });

  it('changed by two at once are changed by one', async () => {
    const { parent, link } = await parentAndChild(app);
    const raced = await Promise.all(
      ['1.00', '2.00', '3.00'].map((visitCap) =>
        patchCaps(app, link, parent, { visitCap }, link.etag),
      ),
    );
    expect(raced.map((reply) => reply.status).sort()).toEqual([200, 412, 412]);
  });

  it('are the payer’s to change, while the link is there', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const caps = { monthlyCap: '5.00' };
    expect((await patchCaps(app, link, child, caps, link.etag)).status).toBe(403);
    const stranger = await newPatient(app);
    expect((await patchCaps(app, link, stranger, caps, link.etag)).status).toBe(404);
    expect((await app.call('GET', `/v1/family-links/${link.id}`, stranger)).status).toBe(404);
    expect((await patchCaps(app, link, parent, {}, link.etag)).status).toBe(400);
    const ended = await app.call('DELETE', `/v1/family-links/${link.id}`, { token: parent.token });
    const late = await patchCaps(app, link, parent, caps, ended.headers.get('etag') ?? '');
    expect(said(late)).toEqual([409, 'family/link-ended']);
  });
});
