// The demo month, two days of it: every mistake that was put into the files is found, and none is invented.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { playMonth } from '../../src/sandbox/demo/month.ts';

afterEach(() => vi.restoreAllMocks());

describe('the demo month', () => {
  it('finds every break of its kind, and every law holds', async () => {
    const lines: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
    expect(await playMonth(2), lines.join('\n')).toBe(0);
    expect(lines.at(-1)).toMatch(/134 个差错 breaks/);
  }, 240_000);
});
