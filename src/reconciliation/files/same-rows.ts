// Law: a row that stands twice in a file is found, in memory that does not grow with the rows' length.

/** Rehash above this load: open addressing stays at about two looks a row. */
const MAX_LOAD = 0.6;

/** Remembers rows by 64 bits each: two different ones among a million look alike once in 30 million files. */
export class SeenRows {
  #size = 0;
  #mask = 0xffff;
  #high = new Int32Array(this.#mask + 1);
  #low = new Int32Array(this.#mask + 1);

  /** True if the row was there before. */
  add(cells: readonly string[]): boolean {
    let high = 0x811c9dc5 | 0;
    let low = 0x9e3779b9 | 0;
    for (let at = 0; at < cells.length; at += 1) {
      const cell = cells[at] ?? '';
      for (let i = 0; i < cell.length; i += 1) {
        const code = cell.charCodeAt(i);
        high = Math.imul(high ^ code, 0x01000193);
        low = (Math.imul(low, 31) + code + (low >>> 13)) | 0;
      }
      // Between cells stands what no cell holds.
      high = Math.imul(high ^ 0x1ffff, 0x01000193);
      low = (Math.imul(low, 31) + 0x1ffff) | 0;
    }
    // 0, 0 stands for an empty place.
    return this.#put(mixed(high), mixed(low ^ high) || 1);
  }

  #put(high: number, low: number): boolean {
    if (this.#size > this.#mask * MAX_LOAD) this.#grow();
    for (let at = low & this.#mask; ; at = (at + 1) & this.#mask) {
      if (this.#high[at] === high && this.#low[at] === low) return true;
      if (this.#low[at] !== 0) continue;
      this.#high[at] = high;
      this.#low[at] = low;
      this.#size += 1;
      return false;
    }
  }

  #grow(): void {
    const [oldHigh, oldLow] = [this.#high, this.#low];
    this.#mask = this.#mask * 2 + 1;
    this.#size = 0;
    this.#high = new Int32Array(this.#mask + 1);
    this.#low = new Int32Array(this.#mask + 1);
    for (let at = 0; at < oldLow.length; at += 1) {
      const low = oldLow[at] ?? 0;
      if (low !== 0) this.#put(oldHigh[at] ?? 0, low);
    }
  }
}

/** Spreads what little differs over all 32 bits (the finalizer of MurmurHash3). */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
