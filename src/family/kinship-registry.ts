// The port to the civil affairs' registry of kinship.

/** What one person is to another; null: the registry does not show them as parent and child. */
export type Relation = 'parent' | 'child' | null;

export interface KinshipRegistry {
  /** What `otherIdNumber` is to `idNumber`; "away" when nobody answers in time. Never throws. */
  relationOf(idNumber: string, otherIdNumber: string): Promise<Relation | 'away'>;
}
