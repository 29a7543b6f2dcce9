// Role: camt.053 XML to flat parts (balance, summary, entry …) as they come; a statement is never held whole.
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { FileRefusal } from '../statement.ts';
import { fileLimits } from './limits.ts';
import { XmlLimits } from './xml-limits.ts';

/** Texts of one element by their path below it, e.g. "Amt", "Amt@Ccy", "Refs/EndToEndId"; the first of each. */
export type Fields = Map<string, string>;

export type Part =
  | { type: 'statement'; line: number }
  | { type: 'statementEnd'; line: number; fields: Fields }
  | { type: 'balance' | 'summary'; line: number; fields: Fields }
  | { type: 'entry'; line: number; fields: Fields; transactions: Fields[] };

const NAMESPACE = /^urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(\d{2})$/;
const STATEMENT = 'Document/BkToCstmrStmt/Stmt';
const parts = new Map([
  [`${STATEMENT}/Bal`, 'balance'],
  [`${STATEMENT}/TxsSummry`, 'summary'],
  [`${STATEMENT}/Ntry`, 'entry'],
] as const);
/** More paths than an entry or a statement of the standard has. */
const MAX_FIELDS = 1_000;
/** One booked batch: a payout to a hospital lists a day's legs at most. */
const MAX_TRANSACTIONS = 200_000;

interface Open {
  type: 'balance' | 'summary' | 'entry';
  line: number;
  depth: number;
  fields: Fields;
  transactions: Fields[];
  /** Depth of the TxDtls being read; 0 outside. */
  inside: number;
}

/** Feeds text in, takes parts out. */
export class CamtXml {
  version: string | null = null;
  #found: Part[] = [];
  readonly #path: string[] = [];
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #limits = new XmlLimits();
  #text = '';
  #isRooted = false;
  #isEnding = false;
  #open: Open | null = null;
  #statement: Fields = new Map();

  constructor() {
    this.#parser.on('error', (error) => {
      const code = this.#isEnding ? 'file/truncated' : 'file/bad-value';
      throw new FileRefusal(code, `XML 不完整或有误 ${error.message}`, { row: this.#parser.line });
    });
    this.#parser.on('doctype', () => {
      throw this.#refusal('file/bad-value', '不允许 DOCTYPE a DOCTYPE is not allowed');
    });
    this.#parser.on('opentag', (tag) => this.#start(tag));
    this.#parser.on('closetag', (tag) => this.#close(tag));
    const collect = (text: string) => this.#collect(text);
    this.#parser.on('text', collect);
    this.#parser.on('cdata', collect);
  }

  /** Parts that are whole after this text. */
  write(text: string): Part[] {
    this.#limits.feed(
      text,
      (piece) => void this.#parser.write(piece),
      () => this.#parser.line,
    );
    return this.#take();
  }

  /** Throws file/truncated when the document is cut. */
  end(): Part[] {
    this.#isEnding = true;
    this.#parser.close();
    if (!this.#isRooted) throw this.#refusal('file/truncated', '文件为空 the file is empty');
    return this.#take();
  }

  #take(): Part[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #start(tag: SaxesTagNS): void {
    this.#limits.opened(this.#parser.line);
    if (this.#path.length === 0) this.#checkRoot(tag);
    this.#path.push(tag.local);
    const depth = this.#path.length;
    this.#text = '';
    const line = this.#parser.line;
    if (this.#open) this.#startInside(tag, this.#open);
    else if (depth <= 4) {
      const path = this.#path.join('/');
      if (path === STATEMENT) {
        this.#statement = new Map();
        this.#found.push({ type: 'statement', line });
      }
      const type = parts.get(path as never);
      if (type) {
        this.#open = { type, line, depth, fields: new Map(), transactions: [], inside: 0 };
      }
    }
  }

  #startInside(tag: SaxesTagNS, open: Open): void {
    const depth = this.#path.length;
    if (tag.local === 'TxDtls' && open.type === 'entry') {
      open.inside = depth;
      open.transactions.push(new Map());
      if (open.transactions.length > MAX_TRANSACTIONS) {
        throw this.#refusal(
          'file/too-large',
          '一笔分录含交易过多 too many transactions in an entry',
        );
      }
    }
    const currency = tag.attributes.Ccy;
    if (currency) this.#put(open, '@Ccy', currency.value);
  }

  #close(_tag: SaxesTagNS): void {
    this.#limits.closed();
    const open = this.#open;
    const text = this.#text.trim();
    this.#text = '';
    if (open) {
      if (text !== '') this.#put(open, '', text);
      this.#closeInside(open);
    } else if (text !== '' && this.#path.length > 3) {
      this.#putFirst(this.#statement, this.#path.slice(3).join('/'), text);
    }
    if (this.#path.length === 3 && this.#path[2] === 'Stmt') {
      const line = this.#parser.line;
      this.#found.push({ type: 'statementEnd', line, fields: this.#statement });
    }
    this.#path.pop();
  }

  #closeInside(open: Open): void {
    const depth = this.#path.length;
    if (depth === open.inside) open.inside = 0;
    if (depth !== open.depth) return;
    const { type, line, fields, transactions } = open;
    this.#found.push(
      type === 'entry' ? { type, line, fields, transactions } : { type, line, fields },
    );
    this.#open = null;
  }

  #put(open: Open, suffix: string, text: string): void {
    const transaction = open.inside > 0 ? open.transactions.at(-1) : undefined;
    const path = this.#path.slice(transaction ? open.inside : open.depth).join('/');
    this.#putFirst(transaction ?? open.fields, path + suffix, text);
  }

  #putFirst(fields: Fields, path: string, text: string): void {
    if (fields.has(path)) return;
    if (fields.size >= MAX_FIELDS)
      throw this.#refusal('file/too-large', '字段过多 too many fields');
    fields.set(path, text);
  }

  #collect(text: string): void {
    this.#text += text;
    if (this.#text.length > fileLimits.rowBytes) {
      throw this.#refusal('file/too-large', '文字过长 the text is too long');
    }
  }

  #checkRoot(tag: SaxesTagNS): void {
    const [, version] = NAMESPACE.exec(tag.uri) ?? [];
    if (tag.local !== 'Document' || version === undefined) {
      const detail = `应为 camt.053 not a camt.053 document: ${tag.uri || tag.local}`;
      throw this.#refusal('file/wrong-header', detail);
    }
    this.version = version;
    this.#isRooted = true;
  }

  #refusal(code: FileRefusal['code'], detail: string): FileRefusal {
    return new FileRefusal(code, detail, { row: this.#parser.line });
  }
}
