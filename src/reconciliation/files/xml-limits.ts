// Law: XML is read tag by tag; what never comes to a tag, or goes deeper than any format does, is refused before
// it fills the memory or the time of this process (a parser gathers a comment or an attribute whole).
import { FileRefusal } from '../statement.ts';
import { fileLimits } from './limits.ts';

/** No format of ours has more between two tags. */
const MAX_BETWEEN_TAGS = 4 * fileLimits.rowBytes;
/** Deeper than ISO 20022 or a workbook goes. */
const MAX_DEPTH = 32;

export class XmlLimits {
  #sinceTag = 0;
  #depth = 0;

  opened(row: number): void {
    this.#sinceTag = 0;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new FileRefusal('file/too-large', '嵌套过深 nested too deeply', { row });
    }
  }

  closed(): void {
    this.#sinceTag = 0;
    this.#depth -= 1;
  }

  /** Lets `write` take a piece of text, and looks whether it came to a tag. */
  feed(piece: string, write: (piece: string) => void, row: () => number): void {
    this.#sinceTag += piece.length;
    write(piece);
    if (this.#sinceTag <= MAX_BETWEEN_TAGS) return;
    throw new FileRefusal('file/too-large', '标签过长 too much without a tag', { row: row() });
  }
}
