// Role: the two banks of the demo city that grant credit lines; both are invented.

export interface CityLender {
  code: string;
  name: string;
}

export const lenders: readonly CityLender[] = [
  { code: 'LWB', name: '鹭湾银行' },
  { code: 'YRB', name: '屿榕农村商业银行' },
];

export const lenderCodes: readonly string[] = lenders.map((lender) => lender.code);
