// Role: what a claim says when the terminal sent no doctor or diagnosis. The sandbox insurer takes
// these and warns; in production they are missing and the claim is refused before it is sent.

export interface Coded {
  code: string;
  name: string;
}

export interface Diagnosis extends Coded {
  /** 1 western, 2 Chinese main disease, 3 Chinese syndrome. */
  type?: string;
  at?: Date;
}

export const claimDefaults: { department: Coded; doctor: Coded; diagnosis: Diagnosis } = {
  department: { code: 'A02', name: '全科医疗科' },
  doctor: { code: 'D000000000000', name: '值班医师' },
  diagnosis: { code: 'Z00.001', name: '健康查体' },
};
