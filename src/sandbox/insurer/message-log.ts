// Role: what the insurer received, for tests ("was it sent twice?"). In memory, bounded.
import type { MessageView } from './control-schemas.ts';

/** A long test run sends some thousands; ten times that stays below a few dozen megabytes. */
const KEPT = 10_000;

export class MessageLog {
  #messages: MessageView[] = [];

  add(message: MessageView): MessageView {
    this.#messages.push(message);
    if (this.#messages.length > 2 * KEPT) this.#messages = this.#messages.slice(-KEPT);
    return message;
  }

  /** Oldest first. */
  find(msgid?: string, infno?: string): MessageView[] {
    return this.#messages.filter(
      (message) =>
        (msgid === undefined || message.msgid === msgid) &&
        (infno === undefined || message.infno === infno),
    );
  }

  clear(): void {
    this.#messages = [];
  }
}
