// The port to the city's credit score provider.
export interface Score {
  value: number;
  asOf: Date;
}

export interface ScoreProvider {
  /** The citizen's score, or null when it cannot be had (no score, or the provider is down). */
  scoreOf(person: { name: string; idNumber: string }): Promise<Score | null>;
}
