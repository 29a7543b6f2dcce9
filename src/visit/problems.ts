// What identifying somebody and holding credit may refuse, for every route that does either.

export const identityProblems = [
  'identity/unknown',
  'identity/expired',
  'identity/already-used',
  'identity/insurer-needed',
] as const;

export const creditDeclines = [
  'credit/limit-exceeded',
  'credit/suspended',
  'credit/overdue',
  'credit/not-enrolled',
  'credit/consent-withdrawn',
  'family/not-linked',
  'family/cap-exceeded',
  'family/age-out',
] as const;
