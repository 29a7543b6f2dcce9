// 1101, 9001/9002, 2201–2203 of the sandbox insurer: who may register a visit, and in which words not.
import { describe, expect, test } from 'vitest';
import { billedVisit, newPerson, openVisit, registration, setlinfoOf, settle } from './visits.ts';
import { newIdNumber, useInsurer } from './wire.ts';

const insurer = useInsurer();

const ask = (certType: string, certNo: string, rest: Record<string, unknown> = {}) =>
  insurer.send('1101', { data: { mdtrt_cert_type: certType, mdtrt_cert_no: certNo, ...rest } });

describe('1101', () => {
  test('finds a person by token, ID number and card', async () => {
    const idNumber = '35020319900101123X';
    const { psnNo } = await insurer.control.addPerson({
      idNumber: idNumber.toLowerCase(),
      name: '王芳',
      cardNumbers: ['SSC0001'],
      insurance: { status: 'active', type: 'resident', region: '350200' },
    });
    const ways = [
      ['01', `EC-${idNumber}`],
      ['02', idNumber],
      ['02', idNumber.toLowerCase()],
      ['03', 'SSC0001'],
      ['03', idNumber],
    ] as const;
    for (const [certType, certNo] of ways) {
      const found = await ask(certType, certNo);
      expect(found.at('output.baseinfo')).toMatchObject({
        psn_no: psnNo,
        certno: idNumber,
        psn_name: '王芳',
        gend: '1',
        brdy: '1990-01-01',
      });
    }
  });

  test('tells the living insurance, its region and balance, as a JSON number', async () => {
    const person = await newPerson(insurer, { region: '330100', accountBalance: '1373.63' });
    const rows = (await ask('02', person.idNumber)).listAt('output.insuinfo');
    const living = rows.filter((row) => row.psn_insu_stas === '1');
    expect(living).toHaveLength(1);
    expect(living[0]).toMatchObject({ balc: 1373.63, insutype: '310', insuplc_admdvs: '330100' });
    const resident = await newPerson(insurer, { type: 'resident' });
    const [row] = (await ask('02', resident.idNumber)).listAt('output.insuinfo');
    expect(row).toMatchObject({ insutype: '390', psn_insu_stas: '1', balc: 0 });
  });

  test('shows an ended row beside the living one for some people', async () => {
    const counts = new Set<number>();
    for (let i = 0; i < 2; i += 1) {
      const person = await newPerson(insurer);
      const rows = (await ask('02', person.idNumber)).listAt('output.insuinfo');
      counts.add(rows.length);
      expect(rows.at(-1)?.psn_insu_stas).toBe('1');
    }
    expect(counts).toEqual(new Set([1, 2]));
  });

  test('shows paused cover as 2 and no cover as no row', async () => {
    const paused = await newPerson(insurer, { status: 'paused' });
    const rows = (await ask('02', paused.idNumber)).listAt('output.insuinfo');
    expect(rows.at(-1)?.psn_insu_stas).toBe('2');
    expect(rows.some((row) => row.psn_insu_stas === '1')).toBe(false);
    const none = await newPerson(insurer, { status: 'none' });
    expect((await ask('02', none.idNumber)).at('output.insuinfo')).toEqual([]);
  });

  test('answers in the real words for an unknown person, another name or no certificate', async () => {
    const person = await newPerson(insurer);
    for (const sent of [
      await ask('02', newIdNumber('19000101')),
      await ask('01', person.idNumber),
      await ask('02', person.idNumber, { psn_name: '别人' }),
    ]) {
      expect(sent.infcode).toBe(-1);
      expect(sent.errMsg).toContain('该参保人的基本信息为空null');
    }
    expect((await ask('02', '')).errMsg).toMatch(/^就诊凭证编号不能为空\(/);
  });

  test('keeps what an upsert does not name', async () => {
    const person = await newPerson(insurer, { type: 'resident', accountBalance: '12.00' });
    await insurer.control.addPerson({ idNumber: person.idNumber, name: '改名' });
    const found = await ask('02', person.idNumber);
    expect(found.at('output.baseinfo.psn_name')).toBe('改名');
    expect(found.at('output.baseinfo.psn_no')).toBe(person.psnNo);
    expect(found.listAt('output.insuinfo')[0]).toMatchObject({ insutype: '390', balc: 12 });
  });
});

describe('2201', () => {
  test('makes a new mdtrt_id each time, for the same visit number too', async () => {
    const person = await newPerson(insurer);
    const ids = new Set<unknown>();
    for (let i = 0; i < 3; i += 1) {
      const sent = await insurer.send('2201', registration(person, 'SAME'));
      ids.add(sent.at('output.data.mdtrt_id'));
      expect(sent.at('output.data')).toMatchObject({ psn_no: person.psnNo, ipt_otp_no: 'SAME' });
    }
    expect(ids.size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^\d{15,20}$/);
  });

  test('refuses who is paused, not insured, unknown or of another insurance type', async () => {
    const paused = await newPerson(insurer, { status: 'paused' });
    const none = await newPerson(insurer, { status: 'none' });
    const active = await newPerson(insurer);
    const words = async (person: typeof active) =>
      (await insurer.send('2201', registration(person, 'R'))).errMsg;
    expect(await words(paused)).toContain('暂停参保');
    expect(await words(none)).toContain('该参保人的参保信息为空');
    expect(await words({ ...active, psnNo: '1' })).toContain('该参保人的基本信息为空null');
    expect(await words({ ...active, insutype: '390' })).toBe('险种类型与人员参保信息不符');
    expect(await words({ ...active, idNumber: paused.idNumber })).toBe('人员编号与证件号码不符');
  });

  test('refuses a header that names another insured region than the person’s', async () => {
    const person = await newPerson(insurer, { region: '330100' });
    const local = await insurer.send('2201', registration(person, 'R'));
    expect(local.errMsg).toContain('insuplc_admdvs与人员参保地不一致');
    const header = { insuplc_admdvs: '330100' };
    const sent = await insurer.send('2201', registration(person, 'R'), { header });
    expect(sent.infcode).toBe(0);
  });

  test('takes a visit without doctor with a warning', async () => {
    const person = await newPerson(insurer);
    const { data } = registration(person, 'R');
    const sent = await insurer.send('2201', { data: { ...data, atddr_no: '', dr_name: '' } });
    expect(sent.infcode).toBe(0);
    expect(sent.at('warn_msg')).toContain('atddr_no,dr_name为空');
  });
});

describe('2202', () => {
  const undo = (visit: Awaited<ReturnType<typeof openVisit>>) =>
    insurer.send('2202', {
      data: {
        psn_no: visit.person.psnNo,
        mdtrt_id: visit.mdtrtId,
        ipt_otp_no: visit.visitNumber,
      },
    });

  test('cancels a registration once', async () => {
    const visit = await openVisit(insurer, await newPerson(insurer));
    expect((await undo(visit)).infcode).toBe(0);
    expect((await undo(visit)).errMsg).toBe('该笔挂号已撤销，请勿重复办理');
    expect((await undo({ ...visit, mdtrtId: '1' })).errMsg).toBe('未查询到任何有效相关的记录');
  });

  test('is refused while fees are uploaded or a settlement lives', async () => {
    const visit = await billedVisit(insurer);
    expect((await undo(visit)).errMsg).toBe('存在未撤销的费用明细，不能撤销挂号');
    await settle(insurer, visit, { total: visit.total });
    expect((await undo(visit)).errMsg).toBe('存在有效的结算信息，不能撤销挂号');
  });
});

describe('2203', () => {
  test('takes a visit without diagnosis with a warning and refuses an unknown one', async () => {
    const visit = await openVisit(insurer, await newPerson(insurer));
    const mdtrtinfo = {
      mdtrt_id: visit.mdtrtId,
      psn_no: visit.person.psnNo,
      med_type: '11',
      begntime: visit.begntime,
    };
    const sent = await insurer.send('2203', { mdtrtinfo, diseinfo: [] });
    expect(sent.infcode).toBe(0);
    expect(sent.at('warn_msg')).toContain('diseinfo为空');
    const unknown = await insurer.send('2203', { mdtrtinfo: { ...mdtrtinfo, mdtrt_id: '9' } });
    expect(unknown.errMsg).toBe('未查询到任何有效相关的记录');
  });
});

describe('queries', () => {
  test('5201 finds registrations by person and day, with the hospital’s visit number', async () => {
    const person = await newPerson(insurer);
    const visit = await openVisit(insurer, person);
    const find = (begntime: string, endtime: string) =>
      insurer.send('5201', { data: { psn_no: person.psnNo, begntime, endtime, med_type: '11' } });
    const found = await find('2026-11-21 00:00:00', '2026-11-21 23:59:59');
    expect(found.listAt('output.mdtrtinfo')).toEqual([
      expect.objectContaining({ mdtrt_id: visit.mdtrtId, ipt_otp_no: visit.visitNumber }),
    ]);
    const none = await find('2026-11-22 00:00:00', '2026-11-22 23:59:59');
    expect(none.at('output.mdtrtinfo')).toEqual([]);
  });

  test('5203 answers by setl_id, and by mdtrt_id where the region does', async () => {
    const visit = await billedVisit(insurer);
    const look = (setlId: string) =>
      insurer.send('5203', {
        data: { psn_no: visit.person.psnNo, setl_id: setlId, mdtrt_id: visit.mdtrtId },
      });
    expect((await look('')).errMsg).toBe('未查询到任何有效相关的记录');
    const sent = await settle(insurer, visit, { total: visit.total });
    const settled = setlinfoOf(sent);
    for (const setlId of ['', String(settled.setl_id)]) {
      const info = setlinfoOf(await look(setlId));
      expect(info).toMatchObject({
        setl_id: settled.setl_id,
        medins_setl_id: sent.msgid,
        refd_setl_flag: '0',
        cash_payamt: settled.psn_cash_pay,
        psn_pay: settled.psn_part_amt,
        fund_pay_sumamt: settled.fund_pay_sumamt,
      });
      expect(info).not.toHaveProperty('psn_cash_pay');
    }
    await insurer.control.setRules({ answersBlankSetlId: false });
    expect((await look('')).errMsg).toBe('结算ID不能为空');
    await insurer.control.setRules({});
  });
});

describe('sign-in', () => {
  test('9001 gives a sign number and 9002 takes it back once', async () => {
    const signed = await insurer.send('9001', {
      signIn: { opter_no: '0001', mac: '00-00', ip: '127.0.0.1' },
    });
    const signNo = signed.at('output.signinoutb.sign_no');
    expect(signNo).toMatch(/^\d+$/);
    const out = () => insurer.send('9002', { signOut: { sign_no: signNo, opter_no: '0001' } });
    expect((await out()).infcode).toBe(0);
    expect((await out()).errMsg).toContain('未签到');
  });
});

describe('an insurer that requires sign-in', () => {
  const strict = useInsurer({ isSignInRequired: true });

  test('refuses every trade before 9001 of the same operator and day', async () => {
    const person = await newPerson(strict);
    const askAgain = () =>
      strict.send('1101', { data: { mdtrt_cert_type: '02', mdtrt_cert_no: person.idNumber } });
    expect((await askAgain()).errMsg).toContain('未签到');
    await strict.send('9001', { signIn: { opter_no: '0001', mac: '00-00', ip: '127.0.0.1' } });
    expect((await askAgain()).infcode).toBe(0);
    await strict.control.setClock(86_400);
    expect((await askAgain()).errMsg).toContain('未签到');
  });
});
