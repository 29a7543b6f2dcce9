// People, visits and charges that the insurance tests share; all of them invented.
import type { InsuredPerson } from '../../src/insurance/person.ts';
import type { ClaimCharge, ClaimVisit } from '../../src/insurance/trades.ts';

export const person: InsuredPerson = {
  psnNo: '35020000000000000001',
  name: '李四',
  idNumber: '35020319900101123X',
  insutype: '310',
  psnType: '11',
  insuredRegion: '350200',
  certType: '02',
  certNo: '35020319900101123X',
  cardSn: '',
  psnCertType: '01',
  balance: 1230n,
  status: 'active',
};

export const visit: ClaimVisit = {
  visitNumber: 'V-1',
  startedAt: new Date('2026-01-02T02:30:00Z'),
  medType: '11',
  diagnoses: [],
};

export const charge: ClaimCharge = {
  lineNumber: 7,
  code: '001101000010000',
  name: '普通门诊诊察费',
  quantity: '2',
  unitPrice: '12.345',
  amount: 2469n,
  occurredAt: new Date('2026-01-02T16:05:06Z'),
  isOutsideInsurance: false,
};
