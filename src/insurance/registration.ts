// Role: reads registrations: the one that 2201 (2401) made, and those that 5201 finds again. Pure.
import type { WireNode } from './insurer.ts';
import { node, nodes, text } from './wire.ts';

/** mdtrt_id of a 2201 or 2401 answer; null when it carries none. */
export function readRegistration(output: WireNode): string | null {
  const made = node(output, 'data') ?? node(output, 'result');
  return text(made, 'mdtrt_id') || null;
}

/** mdtrt_ids of a 5201 answer whose ipt_otp_no is our visit number, oldest first. */
export function findRegistrations(output: WireNode, visitNumber: string): string[] {
  return nodes(output, 'mdtrtinfo')
    .filter((row) => text(row, 'ipt_otp_no') === visitNumber && text(row, 'mdtrt_id') !== '')
    .sort((a, b) => text(a, 'begntime').localeCompare(text(b, 'begntime')))
    .map((row) => text(row, 'mdtrt_id'));
}
