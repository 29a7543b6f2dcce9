// Role: decides which message a fault hits. `rate` is an even, repeatable share by counting: of the
// matching messages every 1/rate-th is hit, so a test knows which.
import type { Fault, FaultMode } from './control-schemas.ts';

export type RouteName = 'local' | 'crossRegion';

/** Well above one trade, below a client's usual patience; six trades in a row exceed 5 s. */
export const defaultSlowMs = 2_000;

const PARTS_OF_ONE = 1_000_000;

export class Faults {
  #fault: Fault = { mode: 'none' };
  #matched = 0;

  get current(): Fault {
    return this.#fault;
  }

  set(fault: Fault): void {
    this.#fault = fault;
    this.#matched = 0;
  }

  /** The fault that hits this message, or null; counts the message if it matches. */
  hit(infno: string, route: RouteName): (Fault & { mode: Exclude<FaultMode, 'none'> }) | null {
    const fault = this.#fault;
    const { mode, on, route: only } = fault;
    if (mode === 'none' || (on !== undefined && !on.includes(infno))) return null;
    if (only !== undefined && only !== route) return null;
    const parts = Math.round((fault.rate ?? 1) * PARTS_OF_ONE);
    const before = Math.floor((this.#matched * parts) / PARTS_OF_ONE);
    this.#matched += 1;
    const after = Math.floor((this.#matched * parts) / PARTS_OF_ONE);
    return after > before ? { ...fault, mode } : null;
  }
}
