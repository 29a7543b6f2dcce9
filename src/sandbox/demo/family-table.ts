// Role: the steps of the family demo as they were played: each with its proof, under its act.
import type { Stage } from './scenario.ts';
import { displayWidth } from './text-table.ts';

interface Step {
  what: string;
  proof: string;
  isTrue: boolean;
}

export class FamilyTable {
  readonly stage: Stage;
  private readonly acts: { title: string; steps: Step[] }[] = [];

  constructor(stage: Stage) {
    this.stage = stage;
  }

  act(title: string): void {
    this.acts.push({ title, steps: [] });
  }

  /** One line of the table; what is not true fails the demo. */
  show(what: string, proof: string, isTrue: boolean): void {
    this.acts.at(-1)?.steps.push({ what, proof, isTrue });
    if (!isTrue) this.stage.tally.failures.push(`${what}: ${proof}`);
  }

  lines(): string[] {
    const steps = this.acts.flatMap((act) => act.steps);
    const width = Math.max(0, ...steps.map(({ what }) => displayWidth(what)));
    return this.acts.flatMap(({ title, steps: told }) => [
      `── ${title}`,
      ...told.map(({ what, proof, isTrue }) => {
        const gap = ' '.repeat(width - displayWidth(what));
        return `${isTrue ? '✓' : '✗'} ${what}${gap}  ${proof}`;
      }),
      '',
    ]);
  }
}
